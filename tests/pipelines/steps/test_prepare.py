"""prepare, as a process, on real data."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from config import load_model
from pipelines.container import Container
from pipelines.steps.prepare import prepare
from tests.pipelines import jobs

MODEL = load_model(jobs.CODE)


def prepared(root: Path, data: Path, code: Path = jobs.CODE) -> jobs.Job:
    """A job that has run in this process, which is quicker."""
    job = jobs.prepare(root, data, code)
    prepare(Container(root))
    return job


def splits(job: jobs.Job) -> dict[str, pa.Table]:
    train = {"train": pq.read_table(job.output("train"))}
    return train | {file.stem: pq.read_table(file) for file in job.output("test").glob("*.parquet")}


def small(folder: Path, release: jobs.Release, rows: int = 3000) -> Path:
    """A folder with the first rows of each file."""
    folder.mkdir()
    for file in release.data.iterdir():
        table = pq.read_table(file)
        pq.write_table(table if "target" in file.name else table.slice(0, rows), folder / file.name)
    return folder


def test_every_period_has_its_file_and_every_row_one_place(release: jobs.Release) -> None:
    found = splits(release.prepared)
    assert found.keys() == {"train", "holdout", "2016", "2017", "2018"}
    ids = pa.concat_tables(found.values())["id"]
    assert len(ids) == pc.count_distinct(ids).as_py()
    source = pq.read_table(release.data / "employment_MA_reference.pq")
    assert len(found["train"]) + len(found["holdout"]) == len(source)


def test_nothing_of_another_model_gets_through(release: jobs.Release) -> None:
    expected = {"id", "year", "employed", *(feature.name for feature in MODEL.features)}
    for rows in splits(release.prepared).values():
        assert set(rows.column_names) == expected


def test_labels_that_came_in_a_file_of_their_own_are_joined_by_id(release: jobs.Release) -> None:
    labels = pq.read_table(release.data / "employment_MA_analysis_target.pq").to_pydict()
    truth = dict(zip(labels["id"], labels["employed"], strict=True))
    rows = splits(release.prepared)["2017"]
    assert rows["employed"].to_pylist() == [truth[int(identity)] for identity in rows["id"].to_pylist()]


def test_about_the_asked_share_is_held_out(release: jobs.Release) -> None:
    found = splits(release.prepared)
    share = len(found["holdout"]) / (len(found["train"]) + len(found["holdout"]))
    assert abs(share - MODEL.data.holdout) < 0.02


def test_a_row_stays_on_its_side_when_the_data_changes(release: jobs.Release, tmp_path: Path) -> None:
    job = prepared(tmp_path / "job", small(tmp_path / "data", release))
    fewer, more = splits(job), splits(release.prepared)
    assert len(fewer["holdout"]) < len(more["holdout"])
    for name in ("train", "holdout"):
        assert set(fewer[name]["id"].to_pylist()) <= set(more[name]["id"].to_pylist())


def test_the_manifest_says_what_was_read_and_written(release: jobs.Release) -> None:
    manifest = json.loads((release.prepared.output("manifest") / "manifest.json").read_text())
    for source in manifest["inputs"]:
        content = (release.data / source["path"]).read_bytes()
        assert source["sha256"] == hashlib.sha256(content).hexdigest()
        assert source["bytes"] == len(content)
    for name, rows in splits(release.prepared).items():
        described = manifest["splits"][name]
        assert described["rows"] == len(rows)
        assert described["classes"]["1"] == pc.sum(rows["employed"]).as_py()
    assert manifest["columns"][:3] == ["id", "year", "employed"]


def test_the_same_data_has_the_same_version_and_other_data_another(release: jobs.Release, tmp_path: Path) -> None:
    def version(job: jobs.Job) -> str:
        return json.loads((job.output("manifest") / "manifest.json").read_text())["data_version"]

    again = prepared(tmp_path / "again", release.data)
    other = prepared(tmp_path / "other", small(tmp_path / "data", release))
    assert version(again) == version(release.prepared)
    assert version(other) != version(again)


def test_csv_gives_the_same_rows_as_parquet(release: jobs.Release, tmp_path: Path) -> None:
    parquet = small(tmp_path / "parquet", release)
    text = tmp_path / "csv"
    text.mkdir()
    for file in parquet.iterdir():
        table = pq.read_table(file)
        plain = pa.table(
            {
                name: column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
                for name, column in zip(table.column_names, table.columns, strict=True)
            }
        )
        pyarrow.csv.write_csv(plain, text / f"{file.stem}.csv")
    code = tmp_path / "code"
    code.mkdir()
    (code / "model.yaml").write_text((jobs.CODE / "model.yaml").read_text().replace(".pq", ".csv"))
    one = prepared(tmp_path / "one", parquet)
    two = prepared(tmp_path / "two", text, code)
    assert splits(one) == splits(two)


def test_data_that_breaks_the_schema_fails_the_job_with_every_reason(release: jobs.Release, tmp_path: Path) -> None:
    folder = small(tmp_path / "data", release)
    file = folder / "employment_MA_reference.pq"
    rows = pq.read_table(file)
    ages = pa.array([-1.0, None, *rows["AGEP"].to_pylist()[2:]])
    codes = pa.array(["77", *rows["MAR"].to_pylist()[1:]])
    rows = rows.set_column(rows.column_names.index("AGEP"), "AGEP", ages)
    pq.write_table(rows.set_column(rows.column_names.index("MAR"), "MAR", codes), file)
    job = jobs.prepare(tmp_path / "job", folder)
    result = job.run("prepare")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "AGEP: 1 rows are empty" in job.failure
    assert "AGEP: 1 rows are outside 0 to 120, first the one with id 0 (-1.0)" in job.failure
    assert "MAR: 1 rows have a value that model.yaml does not list: '77'" in job.failure
    assert (job.root / "output" / "message").read_text() == job.failure
