"""Several instances count their shards of the objects, another one adds up: the report is that of one pass."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from monitoring.drivers.processing import main
from tests.monitoring.runs import Workplace, table

INSTANCES = 3


def instance(home: Path, name: str, baseline: Path) -> Path:
    for folder in ("config", "processing/input/baseline", "processing/input/data", "processing/input/labels"):
        (home / folder).mkdir(parents=True)
    (home / "config/resourceconfig.json").write_text(json.dumps({"current_host": name}))
    shutil.copy(baseline, home / "processing/input/baseline/baseline.json")
    return home


def test_shards_and_a_report(workplace: Workplace, tmp_path: Path) -> None:
    rows = table(3_000, seed=4, months=2)
    expected = workplace.look(rows)
    homes = [
        instance(tmp_path / f"i{place}", f"algo-{place}", tmp_path / "baseline.json") for place in range(INSTANCES)
    ]
    reducer = instance(tmp_path / "reducer", "algo-1", tmp_path / "baseline.json")
    profiles = reducer / "processing/input/profiles"
    profiles.mkdir()
    # Two objects of rows and one of labels for three instances: one of them has no rows, as happens.
    data = rows.drop_columns(["label"])
    for place in range(2):
        pq.write_table(data.slice(place * 1_500, 1_500), homes[place] / f"processing/input/data/{place}.parquet")
    pq.write_table(rows.select(["id", "label"]), homes[2] / "processing/input/labels/labels.parquet")
    for home in homes:
        assert main(["count"], home) == 0
        for profile in (home / "processing/output/profiles").iterdir():
            shutil.copy(profile, profiles / profile.name)
    assert main(["report"], reducer) == 0
    report = json.loads((reducer / "processing/output/report/report.json").read_text())
    assert report["periods"].keys() == expected["periods"].keys()
    for name, period in report["periods"].items():
        assert period["realized"] == expected["periods"][name]["realized"]
        assert period["tier"] == expected["periods"][name]["tier"]
    assert (reducer / "processing/output/report/report.html").exists()


def test_an_instance_without_objects_writes_no_profile(workplace: Workplace, tmp_path: Path) -> None:
    workplace.baseline()
    home = instance(tmp_path / "idle", "algo-9", tmp_path / "baseline.json")
    assert main(["count"], home) == 0
    assert not list((home / "processing/output/profiles").iterdir())


def test_a_report_of_no_profiles_is_a_sentence(
    workplace: Workplace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workplace.baseline()
    home = instance(tmp_path / "early", "algo-1", tmp_path / "baseline.json")
    (home / "processing/input/profiles").mkdir()
    assert main(["report"], home) == 2
    assert "has no profile in it" in capsys.readouterr().err
    assert "has no profile in it" in (home / "output/message").read_text()
