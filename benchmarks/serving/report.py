"""What a run found, for people."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def machine() -> dict[str, Any]:
    """Where it runs, and how busy that was before."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    processor = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "load_before": os.getloadavg(),
        "python": platform.python_version(),
        "system": platform.platform(),
    }


def tell(figures: Mapping[str, Any]) -> None:
    """The tables."""
    for case, servers in figures["windows"].items():
        _case(case, servers)
    print("\nserver        start to ready   memory of two workers")
    for name, each in figures["start"].items():
        print(f"  {name:12} {each['seconds']:8.2f} s   {each['memory_mb']:8.1f} MB")
    print("\ntwo bodies of 100 MB at once")
    for name, each in figures["large_bodies"].items():
        print(
            f"  {name:12} {each['seconds']:6.1f} s, slowest of {each['pings']} pings {each['worst_ping_ms']:,.1f} ms, "
            f"{each['failed_pings']} failed, peak {each['peak_memory_mb']:,.0f} MB"
        )
    for name, reason in figures["not_measured"].items():
        print(f"\n{name} {reason}")
    print()
    for target in figures["targets"]:
        met = {True: "met", False: "MISSED", None: "not measured"}[target["met"]]
        value = "-" if target["measured"] is None else f"{target['measured']:.3g}"
        print(f"{met:12} {target['what']}: {value} ({target['target']})")


def _case(case: str, servers: Mapping[str, Mapping[str, Any]]) -> None:
    print(f"\n{case}")
    base = servers.get("stock-omp1", {}).get("rate")
    for name, each in sorted(servers.items(), key=lambda pair: -pair[1]["rate"]):
        ratio = f"{each['rate'] / base:8.2f} x" if base else ""
        print(
            f"  {name:12} {each['rate']:10,.1f}/s {ratio}  p50 {each['p50']:8.2f}  p99 {each['p99']:8.2f} ms  "
            f"processor {each['cpu']:8.3f} ms  errors {each['errors']}"
        )
