"""The load that a release must bear: how much of it staging gets, who makes it, and what it is held to."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.hosting import Dedicated, Hosting, Serverless
from config.model import Model
from config.release import Load
from pipelines.stages.verifying import rows
from pipelines.stages.verifying.findings import Check
from pipelines.stages.verifying.released import Released
from pipelines.stages.verifying.tally import Tally, percentile

WARM_UP = 3.0
REACHED = 0.95
"""The share of the planned rate that must have been sent."""
LATE_MS = 20.0
"""A load generator that sends so much later than planned is itself short of CPU."""

_ROOT = Path(__file__).parents[3]
_FEW = 200
_EACH = 200
"""Requests a second that one process makes with ease."""


class LoadError(Exception):
    """The load could not be made; the message says why."""


@dataclass(frozen=True)
class Plan:
    """The load on one endpoint; `users` call at once at most."""

    rate: float
    users: int
    seconds: int
    most: int | None = None
    """What the endpoint answers at once, where its hosting says."""

    @classmethod
    def of(cls, model: Model, environment: str) -> Plan:
        """Production's load, scaled to the hosting of *environment*."""
        load, here = model.load, model.in_environment(environment).hosting
        rate = load.requests_per_second * _share(here, model.in_environment("production").hosting)
        most = here.concurrency if isinstance(here, Serverless) else None
        # So many that the rate is kept while answers take twice what they may, and a second in any case.
        users = math.ceil(rate * max(1.0, 2 * load.p99_ms / 1000))
        return cls(rate, min(users, most or users), load.seconds, most)


def _share(here: Hosting, production: Hosting) -> float:
    """What this fleet is of production's."""
    if isinstance(here, Dedicated) and isinstance(production, Dedicated):
        return min(1.0, here.instances / production.instances)
    if isinstance(here, Serverless) and isinstance(production, Serverless):
        return min(1.0, here.concurrency / production.concurrency)
    return 1.0


def run(plan: Plan, endpoint: str, released: Released, environment: Mapping[str, str] = os.environ) -> Tally:
    """Puts the load on *endpoint*, from as many processes as the rate asks for; raises LoadError."""
    count = min(math.ceil(plan.rate / _EACH), os.cpu_count() or 1, plan.users)
    given = {
        "endpoint": endpoint,
        "rate": plan.rate / count,
        "seconds": plan.seconds,
        "warm_up": WARM_UP,
        "tolerance": released.golden.tolerance,
        "scale": released.golden.scale,
        "questions": questions(released),
    }
    parts = [{**given, "users": plan.users // count + (place < plan.users % count)} for place in range(count)]
    processes = [_start(environment) for _ in parts]
    try:
        for process, part in zip(processes, parts, strict=True):
            _give(process, part)
        return Tally.together([_result(process, plan) for process in processes])
    finally:
        for process in processes:
            process.kill()


def questions(released: Released) -> list[tuple[str, str, str]]:
    """Requests of one row: content type, body, and the stored answer ("" for rows that are like the golden ones)."""
    golden = [each for each in released.golden.requests if each.content_type == each.accept and _is_single(each.body)]
    asked = [(each.content_type, each.body, each.answer) for each in golden]
    more = rows.variations(released.signature, released.golden, max(0, _FEW - len(asked)), seed=2)
    return [*asked, *(("application/json", rows.instances(row).decode(), "") for row in more)]


def _is_single(body: str) -> bool:
    return len(json.loads(body)["instances"]) == 1 if body.startswith("{") else body.count("\n") == 1


def _start(environment: Mapping[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "pipelines.stages.verifying.callers"],
        cwd=_ROOT,
        env=dict(environment),
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _give(process: subprocess.Popen[str], part: Mapping[str, Any]) -> None:
    """Hands its part to a process; one that has ended already says why when it is asked for its result."""
    assert process.stdin
    with suppress(BrokenPipeError):
        process.stdin.write(json.dumps(part))
        process.stdin.close()
    process.stdin = None  # else communicate would write to it again


def _result(process: subprocess.Popen[str], plan: Plan) -> Tally:
    try:
        output, errors = process.communicate(timeout=plan.seconds + 180)
    except subprocess.TimeoutExpired as error:
        raise LoadError(f"The load generator did not end within {plan.seconds + 180} s; run Verify again.") from error
    if process.returncode:
        raise LoadError(f"The load generator failed: {errors.strip()[-500:] or f'exit code {process.returncode}'}")
    return Tally.of_json(json.loads(output))


def told(tally: Tally, plan: Plan, limits: Load) -> dict[str, Any]:
    """The load for the report: what was planned, what came, and how it went second by second."""
    times = tally.times
    errors = tally.errors.total()
    found: dict[str, Any] = {f"p{percent}_ms": _rounded(percentile(times, percent)) for percent in (50, 95, 99, 100)}
    quantiles = ", ".join(f"{name[:-3]} {written(found[name])}" for name in ("p50_ms", "p95_ms", "p99_ms"))
    rate = tally.requests / plan.seconds
    return {
        "summary": (
            f"{rate:.1f} requests/s for {plan.seconds} s: {quantiles} (limit {limits.p99_ms:g}), "
            f"{errors or 'no'} error{'' if errors == 1 else 's'}"
        ),
        "planned_rate": round(plan.rate, 2),
        "rate": round(rate, 2),
        "seconds": plan.seconds,
        "callers": plan.users,
        "requests": tally.requests,
        **found,
        "limit_p99_ms": limits.p99_ms,
        "limit_errors_percent": limits.errors_percent,
        "errors": dict(tally.errors.most_common()),
        "generator_late_p95_ms": _rounded(percentile(tally.late, 95)),
        "generator_cpu": round(tally.cpu, 3),
        "by_second": [_second(tally, second) for second in range(plan.seconds)],
    }


def _second(tally: Tally, second: int) -> dict[str, Any]:
    times = tally.seconds.get(second, tally.late.__class__())
    errors = tally.errors_by_second[second]
    quantiles = {f"p{percent}_ms": _rounded(percentile(times, percent)) for percent in (50, 95, 99)}
    return {"second": second, "requests": times.total() + errors, "errors": errors, **quantiles}


def checks(found: Mapping[str, Any], plan: Plan) -> list[Check]:
    """Holds what *told* says to the model's limits: errors, the 99th percentile, and the rate."""
    return [_errors(found), _slowness(found), _rate(found, plan)]


def _errors(found: Mapping[str, Any]) -> Check:
    failed, requests, limit = sum(found["errors"].values()), found["requests"], found["limit_errors_percent"]
    percent = 100 * failed / requests if requests else 100.0
    problem = ""
    if percent > limit:
        kinds = ", ".join(f"{kind}: {count:,}" for kind, count in found["errors"].items()) or "nothing was sent"
        allowed = f"load.errors_percent allows {limit:g}"
        problem = f"Under load {percent:.3g} % of {requests:,} requests failed ({kinds}); {allowed}."
    return Check("failed requests", f"at most {limit:g} %", f"{percent:.3g} %", problem)


def _slowness(found: Mapping[str, Any]) -> Check:
    p99, limit = found["p99_ms"], found["limit_p99_ms"]
    problem = ""
    if p99 is None or p99 > limit:
        problem = f"Under load the 99th percentile is {written(p99)}; load.p99_ms allows {limit:g} ms."
        if _is_short_of_cpu(found):
            problem += f" A part of it may be the load generator's: {_shortage(found)}"
    return Check("99th percentile of the caller's time", f"at most {limit:g} ms", written(p99), problem)


def _rate(found: Mapping[str, Any], plan: Plan) -> Check:
    rate, planned = found["rate"], found["planned_rate"]
    promised, got = f"at least {REACHED * planned:.4g} requests/s", f"{rate:.4g} requests/s"
    if rate >= REACHED * planned:
        return Check("rate", promised, got)
    if _is_short_of_cpu(found):
        problem = (
            f"The load generator sent {rate:.4g} of {planned:.4g} requests/s, which says nothing of the model: "
            f"{_shortage(found)} Run Verify again, or give its build a larger machine."
        )
    elif plan.most and plan.users == plan.most:
        problem = (
            f"With hosting.concurrency {plan.most} the endpoint answered {rate:.4g} of {planned:.4g} requests/s "
            f"(p50 {written(found['p50_ms'])}); raise it, or lower load.requests_per_second."
        )
    else:
        problem = (
            f"The endpoint answered {rate:.4g} of {planned:.4g} requests/s although {plan.users} callers waited for it "
            f"(p50 {written(found['p50_ms'])}, p99 {written(found['p99_ms'])})."
        )
    return Check("rate", promised, got, problem)


def _is_short_of_cpu(found: Mapping[str, Any]) -> bool:
    return found["generator_cpu"] > 0.9 or (found["generator_late_p95_ms"] or 0) > LATE_MS


def _shortage(found: Mapping[str, Any]) -> str:
    late = written(found["generator_late_p95_ms"])
    return f"it was short of CPU itself (got {found['generator_cpu']:.0%} of a core, sent requests up to {late} late)."


def written(milliseconds: float | None) -> str:
    """A time for people."""
    if milliseconds is None:
        return "unknown"
    return f"{milliseconds:.1f} ms" if milliseconds < 100 else f"{milliseconds:,.0f} ms"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
