"""CloudWatch metrics inside log lines: the embedded metric format, which needs no agent and no permission."""

from __future__ import annotations

from typing import Any

from model_server.watching.counters import ACTIONS, BUCKETS, CODES, PARTS, RECORDS, STATUSES, Counts

_UNITS = {"Requests": "Count", "Rows": "Count", "RejectedRows": "Count", "ModelErrors": "Count", "Latency": "Seconds"}


def line(counts: Counts, namespace: str, endpoint: str, now: float) -> dict[str, Any]:
    """One line for what was *counted* in a while: nine metrics, and the rejected rows by reason beside them.

    Latency goes as a histogram of values and counts; the parts' times are sums, in seconds. `now` is in seconds.
    """
    metrics = [{"Name": name, "Unit": unit} for name, unit in _UNITS.items()]
    metrics += [{"Name": f"{part.capitalize()}Time", "Unit": "Seconds"} for part in PARTS]
    rejected = {f"{code}_{action}": counts[f"rejected {code} {action}"] for code in CODES for action in ACTIONS}
    records = {outcome: counts[f"record {outcome}"] for outcome in RECORDS}
    directive = {"Namespace": namespace, "Dimensions": [["Endpoint"] if endpoint else []], "Metrics": metrics}
    return {
        "_aws": {"Timestamp": int(now * 1000), "CloudWatchMetrics": [directive]},
        **({"Endpoint": endpoint} if endpoint else {}),
        "Requests": sum(counts[f"status {status}"] for status in STATUSES),
        "Rows": counts["rows"],
        "RejectedRows": sum(rejected.values()),
        "ModelErrors": counts["status 500"],
        "Latency": _histogram(counts),
        **{f"{part.capitalize()}Time": round(counts[f"seconds {part}"], 6) for part in PARTS},
        "rejected": {name: count for name, count in rejected.items() if count},
        **({"records": records} if any(records.values()) else {}),
    }


def _histogram(counts: Counts) -> dict[str, Any]:
    bounds = (*BUCKETS, BUCKETS[-1] * 2)
    filled = [(bound, count) for bound, count in zip(bounds, counts.buckets(), strict=True) if count]
    values = [bound for bound, _ in filled]
    total = sum(count for _, count in filled)
    ends = {"Min": min(values), "Max": max(values)}
    counted = [count for _, count in filled]
    return {"Values": values, "Counts": counted, **ends, "Count": total, "Sum": counts["seconds"]}
