"""The Condition element: every operator of IAM, `...IfExists`, `ForAllValues:` and `ForAnyValue:`."""

from __future__ import annotations

import ipaddress
import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from tests.iam.matching import Context, arn_like, equal, like

Compare = Callable[[str, str, Context], bool]
"""Of the request's value and the policy's."""


def holds(condition: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    """Whether all blocks of a Condition hold; raises ValueError where AWS's answer is not defined."""
    return all(
        _holds(name, key, [_text(each) for each in _listed(wanted)], context)
        for name, block in condition.items()
        for key, wanted in block.items()
    )


def _holds(name: str, key: str, wanted: list[str], context: Context) -> bool:
    quantifier, _, plain = name.lower().rpartition(":")
    if_exists = plain.endswith("ifexists")
    plain = plain.removesuffix("ifexists")
    values = _listed(context.get(key.lower(), []))
    if plain == "null":
        return (not values) == (wanted == ["true"])
    if plain not in OPERATORS:
        raise ValueError(f"{name!r} is no condition operator of IAM; known are: {', '.join(sorted(OPERATORS))}")
    compare, negated = OPERATORS[plain]
    if not values:
        return if_exists or quantifier == "forallvalues" or (negated and not quantifier)
    if not quantifier and len(values) > 1:
        raise ValueError(f"{key} has {len(values)} values: {name} needs ForAllValues: or ForAnyValue: before it")
    each = (_fits(value, wanted, context, compare, negated) for value in values)
    return any(each) if quantifier == "foranyvalue" else all(each)


def _fits(value: str, wanted: list[str], context: Context, compare: Compare, negated: bool) -> bool:
    """One of the wanted values, or, for a negated operator, none of them."""
    return any(compare(value, want, context) for want in wanted) != negated


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(compare: Callable[[float, float], bool]) -> Compare:
    def compared(value: str, want: str, _: Context) -> bool:
        try:
            return compare(float(value), float(want))
        except ValueError:
            return False

    return compared


def _moment(text: str) -> datetime:
    """ISO 8601, or seconds since 1970."""
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except ValueError:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _date(compare: Callable[[datetime, datetime], bool]) -> Compare:
    def compared(value: str, want: str, _: Context) -> bool:
        try:
            return compare(_moment(value), _moment(want))
        except ValueError:
            return False

    return compared


def _address(value: str, want: str, _: Context) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(want, strict=False)
    except ValueError:
        return False


def _equal_in_any_case(value: str, want: str, context: Context) -> bool:
    return equal(value, want, context, ignore_case=True)


def _bool(value: str, want: str, _: Context) -> bool:
    return value.lower() == want.lower() and want.lower() in ("true", "false")


def _bytes(value: str, want: str, _: Context) -> bool:
    return value == want


OPERATORS: dict[str, tuple[Compare, bool]] = {
    "stringequals": (equal, False),
    "stringnotequals": (equal, True),
    "stringequalsignorecase": (_equal_in_any_case, False),
    "stringnotequalsignorecase": (_equal_in_any_case, True),
    "stringlike": (like, False),
    "stringnotlike": (like, True),
    "numericequals": (_number(operator.eq), False),
    "numericnotequals": (_number(operator.eq), True),
    "numericlessthan": (_number(operator.lt), False),
    "numericlessthanequals": (_number(operator.le), False),
    "numericgreaterthan": (_number(operator.gt), False),
    "numericgreaterthanequals": (_number(operator.ge), False),
    "dateequals": (_date(operator.eq), False),
    "datenotequals": (_date(operator.eq), True),
    "datelessthan": (_date(operator.lt), False),
    "datelessthanequals": (_date(operator.le), False),
    "dategreaterthan": (_date(operator.gt), False),
    "dategreaterthanequals": (_date(operator.ge), False),
    "bool": (_bool, False),
    "binaryequals": (_bytes, False),
    "ipaddress": (_address, False),
    "notipaddress": (_address, True),
    "arnequals": (arn_like, False),
    "arnlike": (arn_like, False),
    "arnnotequals": (arn_like, True),
    "arnnotlike": (arn_like, True),
}
"""By name in lower case: how to compare, and whether the operator is negated."""
