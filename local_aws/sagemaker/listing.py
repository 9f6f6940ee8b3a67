"""What the List operations have in common: filters, order and pages."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from local_aws import pages
from local_aws.sagemaker.kinds import Kind
from local_aws.sagemaker.rehearsal import refused

Item = Mapping[str, Any]

# The parameter, the member it looks at, and when an item stays (its value, the value asked for).
FILTERS: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "NameContains": ("Name", lambda mine, text: text.lower() in mine.lower()),
    "PipelineNamePrefix": ("Name", lambda mine, text: mine.startswith(text)),
    "StatusEquals": ("Status", operator.eq),
    "ModelApprovalStatus": ("ModelApprovalStatus", operator.eq),
    "CreationTimeAfter": ("CreationTime", operator.gt),
    "CreationTimeBefore": ("CreationTime", operator.lt),
    "CreatedAfter": ("CreationTime", operator.gt),
    "CreatedBefore": ("CreationTime", operator.lt),
    "LastModifiedTimeAfter": ("LastModifiedTime", operator.gt),
    "LastModifiedTimeBefore": ("LastModifiedTime", operator.lt),
}
PAGING = {"SortBy", "SortOrder", "MaxResults", "NextToken"}


def page(kind: Kind, items: list[Item], params: Mapping[str, Any]) -> tuple[list[Item], str | None]:
    """One page of the items that match, in the order asked for, and the token of the next page.

    Raises AwsError NotImplemented for a filter that is not known here: a list that ignored it would be wrong.
    """
    filters = {name: value for name, value in params.items() if name not in PAGING}
    if unknown := sorted(filters.keys() - FILTERS.keys()):
        raise refused(f"Filtering {kind.name} by {', '.join(unknown)}", f"filter by {', '.join(FILTERS)}")
    found = [item for item in items if all(_stays(kind, item, *wanted) for wanted in filters.items())]
    descending = kind.newest_first if "SortOrder" not in params else params["SortOrder"] == "Descending"
    order = _member(kind, params.get("SortBy", "CreationTime"))
    found.sort(key=operator.itemgetter(order), reverse=descending)
    some, more = pages.page(found, params.get("NextToken"), params.get("MaxResults", kind.page), "ValidationException")
    return some, more.get("nextToken")


def _stays(kind: Kind, item: Item, parameter: str, value: object) -> bool:
    name, test = FILTERS[parameter]
    return test(item.get(_member(kind, name)), value)


def _member(kind: Kind, name: str) -> str:
    return {"Name": kind.key, "Status": kind.status}.get(name, name)
