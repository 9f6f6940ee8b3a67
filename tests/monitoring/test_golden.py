"""Every number that the reference implementation gives, from shards merged in random order."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.monitoring.oracle.datasets import DATASETS, GOLDEN
from tests.monitoring.runs import Workplace

_SHARDS = 5
_OTHER = {"exact", "alert", "unrounded", "sampling_error_of_half_ties", "sampling_error_of_many"}
"""What a golden says besides: how the reference implementation would answer without its roundings."""


def of_half_ties(period: Mapping[str, Any]) -> None:
    """Puts errors and bands of areas for which the order of rows with one score does not count into a golden."""
    estimated = period["estimated"].get("roc_auc", {})
    exact, given = (estimated.get(f"sampling_error{which}") for which in ("_of_half_ties", ""))
    for area in [told["roc_auc"] for told in (period["estimated"], period["realized"]) if exact and "roc_auc" in told]:
        before, area["sampling_error"] = area["sampling_error"], area["sampling_error"] * exact / given
        wider = 3 * (area["sampling_error"] - before)
        area |= {side: area[side] + by for side, by in (("lower", -wider), ("upper", wider)) if side in area}


def numbers(told: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], float | None]]:
    for name, value in told.items():
        if isinstance(value, dict):
            if name not in _OTHER:
                yield from numbers(value, (*path, name))
        elif name not in _OTHER and not name.endswith("threshold") and not isinstance(value, str | list | bool):
            yield (*path, name), None if value is None or np.isnan(value) else value


def tolerance(path: tuple[str, ...]) -> float:
    if "average_precision" in path and path[-1] != "value":
        return 0.03  # the reference implementation draws fifty samples without a seed
    return 1e-9


@pytest.mark.parametrize("name", list(DATASETS))
def test_every_number_agrees_from_shards_merged_in_random_order(name: str, workplace: Workplace) -> None:
    data = DATASETS[name]()
    assert workplace.baseline(data.reference, **_plain(data.spec)).status == 0
    draw = random.Random(name)
    shard = np.random.default_rng(7).integers(0, _SHARDS, len(data.analysis))
    profiles = []
    for place in range(_SHARDS):
        path = workplace.write(f"shard{place}.parquet", data.analysis.filter(shard == place))
        profiles.append(f"profile{place}")
        assert workplace.profile(profiles[-1], [path]).status == 0
    if data.labels is not None:
        assert workplace.profile("labels", labels=[workplace.write("labels.parquet", data.labels)]).status == 0
        profiles.append("labels")
    draw.shuffle(profiles)
    report = workplace.report(*profiles)
    golden = json.loads((GOLDEN / f"{name}.json").read_text())
    assert list(report["periods"]) == list(golden["periods"])
    for period in golden["periods"].values():
        of_half_ties(period)
    ours = dict(numbers(report["periods"]))
    compared = 0
    for path, expected in numbers(golden["periods"]):
        if expected is None:
            assert ours.get(path) is None, path
        else:
            assert ours[path] == pytest.approx(expected, rel=0, abs=tolerance(path)), path
            compared += 1
    assert compared > 60 * len(golden["periods"])


def test_the_baseline_says_which_scores_need_calibration(workplace: Workplace, tmp_path: Path) -> None:
    data = DATASETS["credit"]()
    workplace.baseline(data.reference, **_plain(data.spec))
    baseline = json.loads((tmp_path / "baseline.json").read_text())
    calibrations = baseline["performance"]["calibrations"]
    found = {name: bool(each["scores"]) for name, each in zip(data.spec["score"], calibrations, strict=True)}
    golden = json.loads((GOLDEN / "credit.json").read_text())
    assert found == golden["fitted"]["needs_calibration"]


def _plain(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {"prediction": None, "score": None, "row_id": None, **spec}


def test_a_profile_is_read_by_other_programs_too(workplace: Workplace, tmp_path: Path) -> None:
    import io
    import zipfile

    from tests.monitoring.runs import table

    workplace.look(table())
    with zipfile.ZipFile(tmp_path / "profile") as archive:
        counts = pq.read_table(io.BytesIO(archive.read("counts.parquet")))
    assert counts.column_names == ["part", "period", "rounded", "key", "weight0", "weight1", "weight2", "weight3"]
