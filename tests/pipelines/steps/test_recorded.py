"""A retraining, from rows that production recorded to the gate, on real data: the month in which answers got worse."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from config import load_model
from model_server.testing import Client, broken_promises
from pipelines.container import Container
from pipelines.packaging import package
from pipelines.stages.train import sentence
from pipelines.steps.prepare import prepare
from tests.pipelines import jobs
from tests.pipelines.conftest import at

MODEL = load_model(jobs.CODE)
MONTH = "2017-12"


def december() -> pa.Table:
    """The last twelfth of 2017 in the order of the ids, with labels; that is when the rows changed."""
    table = pq.read_table(jobs.DATA / "employment_MA_analysis.pq")
    labels = pq.read_table(jobs.DATA / "employment_MA_analysis_target.pq")
    table = table.filter(pc.equal(table["year"], 2017)).sort_by("id")
    table = table.slice(len(table) * 11 // 12)
    target = labels["employed"].take(pc.index_in(table["id"], labels["id"])).cast(pa.float64())
    features = [feature.name for feature in MODEL.features]
    kept = {"id": table["id"].cast(pa.string()), "year": [MONTH] * len(table), MODEL.target: target}
    return pa.table(kept | {name: table[name] for name in features})


@pytest.fixture(scope="module")
def retrained(release: jobs.Release, bucket: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, jobs.Job]:
    root = tmp_path_factory.mktemp("retrained")
    shutil.copytree(release.data, root / "data")
    folder = root / "data/recorded/employment"
    folder.mkdir(parents=True)
    rows = december()
    ages = pc.if_else(pa.array(np.arange(len(rows)) < 3), 140.0, rows["AGEP"])  # what production got, training refuses
    pq.write_table(rows.set_column(rows.column_names.index("AGEP"), "AGEP", ages), folder / f"{MONTH}.parquet")
    code = shutil.copytree(jobs.CODE, root / "code")  # a job knows its model's folder under this name
    prepared = jobs.checked(jobs.prepare(root / "prepare", root / "data", code), "prepare", "--model", MODEL.name)
    trained = jobs.checked(jobs.train(root / "train", prepared.output("train"), code), "train")
    evaluated = jobs.evaluate(root / "evaluate", prepared, trained, code)
    given = ("--model", MODEL.name, "--champion", "s3://models/released/model.tar.gz")
    jobs.checked(evaluated, "evaluate", *given, **at(bucket))
    return {"prepared": prepared, "evaluated": evaluated}


def evaluation(job: jobs.Job) -> dict[str, Any]:
    return json.loads((job.output("evaluation") / "evaluation.json").read_text())


def manifest(job: jobs.Job) -> dict[str, Any]:
    return json.loads((job.output("manifest") / "manifest.json").read_text())


def test_recorded_rows_train_and_some_are_held_out(retrained: dict[str, jobs.Job], release: jobs.Release) -> None:
    job, before = retrained["prepared"], release.prepared
    rows, recent = len(december()) - 3, len(pq.read_table(job.output("test") / "recent.parquet"))
    assert abs(recent / rows - MODEL.data.holdout) < 0.02
    trained = [len(pq.read_table(each.output("train"))) for each in (before, job)]
    assert trained[1] - trained[0] == rows - recent
    assert (job.output("test") / "holdout.parquet").read_bytes() == (
        before.output("test") / "holdout.parquet"
    ).read_bytes()


def test_a_row_of_a_later_period_that_was_recorded_measures_no_more(retrained: dict[str, jobs.Job]) -> None:
    later = pq.read_table(retrained["prepared"].output("test") / "2017.parquet")
    assert not set(later["id"].to_pylist()) & set(december()["id"].to_pylist()[3:])


def test_the_version_of_the_data_includes_what_was_recorded(
    retrained: dict[str, jobs.Job], release: jobs.Release
) -> None:
    found = manifest(retrained["prepared"])
    assert found["inputs"][-1]["path"] == f"recorded/employment/{MONTH}.parquet"
    assert found["recorded"] == {MONTH: len(december())}
    assert found["data_version"] != manifest(release.prepared)["data_version"]
    assert "recorded" not in manifest(release.prepared)


def test_both_models_are_measured_on_the_recent_rows(retrained: dict[str, jobs.Job]) -> None:
    found = evaluation(retrained["evaluated"])
    promotion, champion = found["promotion"], found["champion"]
    assert champion["rows"] == "recent"
    assert promotion["compared"] == found["recent"]["metrics"]["roc_auc"]["value"]
    assert promotion["compared"] > champion["value"] + 0.02, "the month's own rows teach"
    assert champion["bar"] == pytest.approx(champion["value"] + MODEL.promotion.margin)
    assert champion["metrics"]["roc_auc"]["value"] == champion["value"]
    assert found["recent"]["rows"] == len(pq.read_table(retrained["prepared"].output("test") / "recent.parquet"))
    assert "recent" not in found["periods"]


def test_the_bound_is_held_against_all_held_out_rows(retrained: dict[str, jobs.Job]) -> None:
    promotion = evaluation(retrained["evaluated"])["promotion"]
    assert promotion["bar"] == promotion["at_least"] == MODEL.promotion.bound
    assert promotion["value"] > promotion["bar"]
    assert promotion["value"] != promotion["compared"]


def test_people_read_both_numbers(retrained: dict[str, jobs.Job]) -> None:
    found = evaluation(retrained["evaluated"])
    said = sentence(found, is_error=False)
    assert said == (
        f"roc_auc {found['promotion']['value']:.4f} (needs 0.8800); on {found['recent']['rows']:,} recent rows "
        f"{found['promotion']['compared']:.4f}, the champion {found['champion']['value']:.4f} "
        f"(needs {found['champion']['bar']:.4f})"
    )


def test_the_package_knows_the_recent_rows(retrained: dict[str, jobs.Job], tmp_path: Path) -> None:
    folder = package.unpack(retrained["evaluated"].output("package") / package.ARCHIVE, tmp_path / "package")
    card, baseline = (json.loads((folder / name).read_text()) for name in ("card.json", "baseline.json"))
    found = evaluation(retrained["evaluated"])
    assert {name: card[name] for name in ("recent", "champion")} == {
        name: found[name] for name in ("recent", "champion")
    }
    tests = retrained["prepared"].output("test")
    assert baseline["n"] == sum(len(pq.read_table(tests / f"{name}.parquet")) for name in ("holdout", "recent"))
    assert baseline["spec"]["name"] == MODEL.name
    assert broken_promises(Client(folder)) == []


def test_where_recent_rows_do_not_define_the_metric_the_hold_out_compares(
    release: jobs.Release, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(release.data, data)
    folder = data / "recorded/employment"
    folder.mkdir(parents=True)
    rows = december()
    pq.write_table(rows.filter(pc.equal(rows[MODEL.target], 1)).slice(0, 40), folder / f"{MONTH}.parquet")
    job = jobs.prepare(tmp_path / "prepare", data)
    prepare(Container(job.root))
    evaluated = jobs.evaluate(tmp_path / "evaluate", job, release.trained)
    jobs.checked(evaluated, "evaluate")
    found = evaluation(evaluated)
    assert found["champion"]["rows"] == "holdout"
    assert found["promotion"]["compared"] == found["promotion"]["value"]
    assert "roc_auc" not in found["recent"]["metrics"]
