"""The report as one page that needs nothing else: no script, no font, no network."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from pipelines.stages.verifying import chart
from pipelines.stages.verifying.chart import Line
from pipelines.stages.verifying.findings import Check, Findings, failed
from pipelines.stages.verifying.load import written

_STYLE = """
:root { color-scheme: light dark; --ink: #1b2530; --soft: #5d6b7a; --paper: #f5f7f9; --card: #fff; --edge: #dfe5ea;
  --good: #0b7a4b; --bad: #b3261e; --good-tint: #e4f4ec; --bad-tint: #fbe9e7; --a: #2f6fde; --b: #d98a00;
  --c: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf0; --soft: #9aa8b6; --paper: #12171d; --card: #1a2129;
  --edge: #2c3742; --good: #4cc38a; --bad: #ff8a80; --good-tint: #14301f; --bad-tint: #3a1d1b; --a: #79a8ff;
  --b: #f0b64f; --c: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 24px; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 34px 0 10px; }
p { margin: 6px 0; overflow-wrap: anywhere; }
.soft { color: var(--soft); fill: var(--soft); }
.verdict { display: inline-block; padding: 3px 12px; border-radius: 20px; font-weight: 650; margin-bottom: 12px; }
.good { color: var(--good); } .bad { color: var(--bad); fill: var(--bad); }
.verdict.good { background: var(--good-tint); } .verdict.bad { background: var(--bad-tint); }
.card { background: var(--card); border: 1px solid var(--edge); border-radius: 10px; padding: 14px 16px; }
main > .card + .card { margin-top: 10px; }
.card.bad { background: var(--bad-tint); border-color: var(--bad); color: var(--ink); margin-top: 16px; }
.card.bad ul { margin: 0; padding-left: 20px; } .card.bad li { margin: 5px 0; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(132px, 1fr)); gap: 12px; margin-top: 18px; }
.tile b { display: block; font-size: 21px; line-height: 1.3; } .tile span { color: var(--soft); font-size: 13px; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 14px; }
.charts h3 { font-size: 14px; margin: 0 0 6px; font-weight: 600; }
svg { display: block; width: 100%; height: auto; }
svg text { font: 13px system-ui, sans-serif; fill: var(--ink); }
svg text.soft { fill: var(--soft); } svg text.bad { fill: var(--bad); }
.grid { stroke: var(--edge); } .limit { stroke: var(--bad); stroke-dasharray: 6 4; stroke-width: 1.6; }
details { margin-top: 8px; } summary { cursor: pointer; padding: 4px 0; color: var(--soft); }
table { width: 100%; border-collapse: collapse; font-size: 14px; table-layout: fixed; }
th { text-align: left; font-weight: 600; color: var(--soft); } th:first-child { width: 36%; }
th:nth-child(2) { width: 24%; }
th, td { padding: 6px 10px 6px 0; border-bottom: 1px solid var(--edge); vertical-align: top; overflow-wrap: anywhere; }
tr:last-child td { border-bottom: 0; } tr.bad td { color: var(--bad); }
@media (max-width: 560px) { main { padding: 18px 12px 40px; } table { font-size: 13px; } }
"""


def write(found: Findings) -> str:
    """The page."""
    problems = found.problems
    verdict = '<div class="verdict bad">failed</div>' if problems else '<div class="verdict good">passed</div>'
    head = [
        verdict,
        f"<h1>{escape(found.endpoint)}</h1>",
        f'<p class="soft">{escape(found.package)}</p>',
        f'<p class="soft">Release {escape(found.execution)}, verified {escape(found.at)}</p>',
    ]
    if problems:
        head.append(f'<div class="card bad"><ul>{"".join(f"<li>{escape(each)}</li>" for each in problems)}</ul></div>')
    parts = [
        *head,
        _tiles(found),
        *(_load(found) if found.load else ()),
        _section("What runs", found.package_checks),
        _section("Golden answers", found.golden),
        _section("Good and bad input", found.contract),
        _section("Alarms after the load", found.alarms, "None looked at."),
    ]
    title = f"{found.endpoint}: {'failed' if problems else 'passed'}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>{''.join(parts)}</main></body></html>\n"
    )


def _tiles(found: Findings) -> str:
    load = found.load
    tiles = [
        (_share(found.golden), "golden answers"),
        (_share(found.contract), "inputs treated as promised"),
    ]
    if load:
        tiles += [
            (f"{load['rate']:.4g} / s", f"requests, of {load['planned_rate']:.4g} planned"),
            (written(load["p50_ms"]), "p50"),
            (written(load["p95_ms"]), "p95"),
            (written(load["p99_ms"]), f"p99, at most {load['limit_p99_ms']:g} ms"),
            (f"{sum(load['errors'].values()):,}", f"failed of {load['requests']:,} requests"),
        ]
    return f'<div class="tiles">{"".join(map(_tile, tiles))}</div>'


def _tile(content: tuple[str, str]) -> str:
    figure, words = map(escape, content)
    return f'<div class="card tile"><b>{figure}</b><span>{words}</span></div>'


def _share(checks: Sequence[Check]) -> str:
    good = len(checks) - len(failed(checks))
    return f"{good}" if good == len(checks) else f"{good} of {len(checks)}"


def _load(found: Findings) -> list[str]:
    load: dict[str, Any] = found.load
    seconds = load["by_second"]

    def line(name: str, colour: str, key: str, *, area: bool = False) -> Line:
        return Line(name, colour, [second[key] for second in seconds], area)

    limit = f"limit of p99: {load['limit_p99_ms']:g} ms"
    times = chart.svg(
        "Milliseconds that callers waited, by second",
        [line("p50", "a", "p50_ms"), line("p95", "b", "p95_ms"), line("p99", "c", "p99_ms")],
        limit=load["limit_p99_ms"],
        limit_name=limit,
    )
    rate = [line("requests", "a", "requests", area=True)]
    if load["errors"]:
        rate.append(line("failed", "c", "errors", area=True))
    rates = chart.svg("Requests by second", rate, limit=load["planned_rate"], limit_name="planned")
    return [
        "<h2>Load</h2>",
        '<div class="charts">',
        f'<div class="card"><h3>Milliseconds that callers waited</h3>{times}</div>',
        f'<div class="card"><h3>Requests a second</h3>{rates}</div></div>',
        f'<p class="soft">{escape(_generator(load))}</p>',
        _section("", found.load_checks),
    ]


def _generator(load: dict[str, Any]) -> str:
    return (
        f"{load['callers']} callers, one-row requests, {load['seconds']} s after a warm-up. The load generator used "
        f"{load['generator_cpu']:.0%} of a core, and sent 95 % of its requests at most "
        f"{written(load['generator_late_p95_ms'])} later than planned."
    )


def _section(title: str, checks: Sequence[Check], nothing: str = "Not asked.") -> str:
    """What failed is seen at once; of long tables the rest is folded away."""
    if not checks:
        return f'<h2>{title}</h2><p class="soft">{nothing}</p>' if title else ""
    bad = failed(checks)
    good = [check for check in checks if not check.problem]
    parts = [f"<h2>{title}</h2>"] if title else []
    if bad:
        parts.append(f'<div class="card">{_table(bad)}</div>')
    if len(good) > 12:
        parts.append(f'<details class="card"><summary>{len(good)} as promised</summary>{_table(good)}</details>')
    elif good:
        parts.append(f'<div class="card">{_table(good)}</div>')
    return "".join(parts)


def _table(checks: Sequence[Check]) -> str:
    rows = "".join(
        f'<tr class="{"bad" if check.problem else ""}">'
        f"<td>{escape(check.what)}</td><td>{escape(check.promised)}</td><td>{escape(check.got)}</td></tr>"
        for check in checks
    )
    return f"<table><tr><th>asked</th><th>promised</th><th>came</th></tr>{rows}</table>"
