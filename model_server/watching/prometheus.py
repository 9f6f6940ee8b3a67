"""The numbers of all workers in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from model_server.watching.counters import ACTIONS, BUCKETS, CODES, PARTS, RECORDS, STATUSES, Counts


def exposition(counts: Counts) -> bytes:
    """The body of `/metrics`."""
    return "".join(f"{line}\n" for line in _lines(counts)).encode()


def _lines(counts: Counts) -> Iterator[str]:
    yield from _head("model_server_requests_total", "counter", "Invocations by status.")
    for status in STATUSES:
        yield f'model_server_requests_total{{status="{status}"}} {counts[f"status {status}"]:.0f}'
    yield from _head("model_server_rows_total", "counter", "Rows in answered invocations.")
    yield f"model_server_rows_total {counts['rows']:.0f}"
    yield from _head("model_server_rejected_rows_total", "counter", "Rows that broke the schema, and what was done.")
    for code in CODES:
        for action in ACTIONS:
            value = counts[f"rejected {code} {action}"]
            yield f'model_server_rejected_rows_total{{code="{code}",action="{action}"}} {value:.0f}'
    yield from _head("model_server_records_total", "counter", "Invocations to be recorded, and what became of it.")
    for outcome in RECORDS:
        yield f'model_server_records_total{{outcome="{outcome}"}} {counts[f"record {outcome}"]:.0f}'
    yield from _head("model_server_part_seconds_total", "counter", "Time by part of answering.")
    for part in PARTS:
        yield f'model_server_part_seconds_total{{part="{part}"}} {counts[f"seconds {part}"]:.6f}'
    yield from _head("model_server_request_seconds", "histogram", "Time from a request's head to its answer.")
    below = list(accumulate(counts.buckets()))
    for bound, count in zip((*map(str, BUCKETS), "+Inf"), below, strict=True):
        yield f'model_server_request_seconds_bucket{{le="{bound}"}} {count:.0f}'
    yield f"model_server_request_seconds_sum {counts['seconds']:.6f}"
    yield f"model_server_request_seconds_count {below[-1]:.0f}"


def _head(name: str, kind: str, text: str) -> tuple[str, str]:
    return f"# HELP {name} {text}", f"# TYPE {name} {kind}"
