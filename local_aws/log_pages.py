"""FilterLogEvents page by page: MiniStack gives the first 10,000 lines, and does not say that there are more."""

# ruff: noqa: SLF001 - MiniStack's private names, all of them listed and checked in emulator.py

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local_aws.account import Account

PAGE = 10_000


def install(account: Account) -> None:
    """Answer with a nextToken where lines are left."""
    logs = account.emulator.logs
    first_page = logs._filter_log_events

    def filter_log_events(data: Mapping[str, Any]) -> Any:
        group = logs._log_groups.get(logs._resolve_log_group_name(data))
        if group is None:
            return first_page(data)  # which says so
        with logs._log_events_lock:
            found = _found(group["streams"], data, logs._compile_filter_pattern(data.get("filterPattern", "")))
        begin = int(data.get("nextToken") or 0)
        end = begin + min(data.get("limit", PAGE), PAGE)
        more = {"nextToken": str(end)} if end < len(found) else {}
        return logs.json_response({"events": found[begin:end], "searchedLogStreams": [], **more})

    logs._filter_log_events = filter_log_events


def _found(streams: Mapping[str, Any], data: Mapping[str, Any], matches: Any) -> list[dict[str, Any]]:
    names = data.get("logStreamNames") or [
        name for name in streams if name.startswith(data.get("logStreamNamePrefix", ""))
    ]
    start, end = data.get("startTime", 0), data.get("endTime", float("inf"))
    found = [
        {**event, "logStreamName": name}
        for name in names
        if name in streams
        for event in streams[name]["events"]
        if start <= event["timestamp"] <= end and matches(event["message"])
    ]
    return sorted(found, key=lambda event: (event["timestamp"], event["ingestionTime"]))
