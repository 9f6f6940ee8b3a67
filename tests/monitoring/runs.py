"""The command line, run in this process, on tables that a test makes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from monitoring.__main__ import main

ROWS = 4_000
SPEC: dict[str, Any] = {
    "task": "binary",
    "features": {"age": "numeric", "income": "numeric", "region": "categorical"},
    "score": "score",
    "prediction": "prediction",
    "label": "label",
    "timestamp": "at",
    "row_id": "id",
    "period": "month",
}


def table(rows: int = ROWS, *, seed: int = 0, month: str = "2026-01", drift: float = 0.0, months: int = 1) -> pa.Table:
    """A binary model's rows: calibrated scores of age, income and region, which *drift* moves."""
    draw = np.random.default_rng(seed)
    age, income = draw.normal(40 + 15 * drift, 12, rows), draw.lognormal(3 + drift, 0.5, rows)
    region = draw.choice(["north", "south", "west"], rows, p=[0.5, 0.3 + 0.1 * drift, 0.2 - 0.1 * drift])
    score = 1 / (1 + np.exp(-((age - 40) / 8 - (income - 20) / 25 + (region == "west"))))
    start = np.datetime64(month, "M")
    seconds = (start + months).astype("datetime64[s]") - start.astype("datetime64[s]")
    at = start.astype("datetime64[s]") + (np.arange(rows) * seconds.astype(int) // max(rows, 1)).astype(
        "timedelta64[s]"
    )
    return pa.table(
        {
            "id": [f"{month}/{seed}/{place}" for place in range(rows)],
            "age": age,
            "income": income,
            "region": region,
            "score": score,
            "prediction": (score > 0.5).astype(int),
            "label": (draw.random(rows) < score).astype(int),
            "at": at,
        }
    )


@dataclass(frozen=True)
class Run:
    """What a command did."""

    status: int
    said: str


class Workplace:
    """A folder in which commands run; what they say goes to `Run.said`."""

    def __init__(self, folder: Path, capsys: Any) -> None:
        self.folder = folder
        self._capsys = capsys

    def run(self, *arguments: str | Path) -> Run:
        self._capsys.readouterr()
        status = main([str(each) for each in arguments])
        out = self._capsys.readouterr()
        return Run(status, out.out + out.err)

    def write(self, name: str, rows: pa.Table) -> Path:
        path = self.folder / name
        pq.write_table(rows, path)
        return path

    def baseline(self, reference: pa.Table | None = None, **changes: Any) -> Run:
        (self.folder / "spec.json").write_text(json.dumps({**SPEC, **changes}))
        path = self.write("reference.parquet", table(months=6) if reference is None else reference)
        spec, out = self.folder / "spec.json", self.folder / "baseline.json"
        return self.run("baseline", "--spec", spec, "--reference", path, "--out", out)

    def profile(self, name: str, data: Sequence[Path] = (), labels: Sequence[Path] = ()) -> Run:
        arguments: list[str | Path] = [
            "profile",
            "--baseline",
            self.folder / "baseline.json",
            "--out",
            self.folder / name,
        ]
        arguments += ["--data", *data] if data else []
        return self.run(*arguments, *(["--labels", *labels] if labels else []))

    def report(self, *profiles: str) -> dict[str, Any]:
        out, page = self.folder / "report.json", self.folder / "report.html"
        paths = [self.folder / name for name in profiles]
        baseline = self.folder / "baseline.json"
        done = self.run("report", "--baseline", baseline, "--profiles", *paths, "--out", out, "--html", page)
        assert done.status == 0, done.said
        assert page.read_text().lower().startswith("<!doctype html>")
        return json.loads(out.read_text())

    def look(self, data: pa.Table, **changes: Any) -> dict[str, Any]:
        """The report on one table, against the usual reference."""
        assert self.baseline(**changes).status == 0
        done = self.profile("profile", [self.write("data.parquet", data)])
        assert done.status == 0, done.said
        return self.report("profile")


def only(report: Mapping[str, Any]) -> dict[str, Any]:
    """The only period of a report."""
    [period] = report["periods"].values()
    return period
