"""What is wrong with the data is said, or makes the light unknown or red; it is never a quiet green."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.monitoring.runs import Run, Workplace, only, table


def changed(rows: pa.Table, **columns: Any) -> pa.Table:
    for name, values in columns.items():
        place = rows.column_names.index(name)
        rows = rows.set_column(place, name, values if isinstance(values, pa.Array) else pa.array(values))
    return rows


def test_rows_like_the_reference_are_green(workplace: Workplace) -> None:
    report = workplace.look(table(seed=3))
    assert (report["tier"], report["problems"], report["not_monitored"]) == ("green", [], {})


@pytest.mark.parametrize("bad", ["empty", "truncated", "missing", "text"])
def test_a_file_that_cannot_be_read_is_a_sentence_and_leaves_nothing_behind(bad: str, workplace: Workplace) -> None:
    workplace.baseline()
    path = workplace.write("data.parquet", table(100))
    if bad == "missing":
        path.unlink()
    else:
        content = {"empty": b"", "truncated": path.read_bytes()[:-200], "text": b"PAR1 is not enough"}
        path.write_bytes(content[bad])
    done = workplace.profile("profile", [path])
    assert done.status == 2
    assert done.said.startswith("monitoring: ")
    assert "data.parquet" in done.said
    assert not (workplace.folder / "profile").exists()


def test_no_rows_at_all_are_unknown(workplace: Workplace) -> None:
    report = workplace.look(table(0))
    assert (report["tier"], report["periods"], report["latest"]) == ("unknown", {}, None)
    assert "no row" in report["why"][0]


def test_five_rows_are_unknown(workplace: Workplace) -> None:
    report = workplace.look(table(5))
    assert report["tier"] == "unknown"
    assert report["why"] == ["5 rows are too few to say anything; 100 are asked for"]


def test_a_column_that_is_missing_breaks_the_schema(workplace: Workplace) -> None:
    report = workplace.look(table().drop_columns(["income"]))
    assert report["tier"] == "red"
    assert report["why"][0] == "income has no column in 100% of rows: the schema is broken"
    measures = only(report)["features"]["income"]
    assert measures["jensen_shannon"] is None
    assert measures["missing_rate"] == 1.0


def test_a_column_of_another_type_breaks_the_schema(workplace: Workplace) -> None:
    report = workplace.look(changed(table(), age=["forty"] * 4_000))
    assert report["why"][0] == "age has values of another type in 100% of rows: the schema is broken"
    assert report["tier"] == "red"


@pytest.mark.parametrize("nothing", [None, float("nan")])
def test_a_column_of_nulls_is_not_green(nothing: float | None, workplace: Workplace) -> None:
    report = workplace.look(changed(table(), income=pa.array([nothing] * 4_000, pa.float64())))
    assert report["tier"] == "yellow"
    assert "income is missing in 100.0% of rows, normal is up to 0.0%" in report["why"]
    assert only(report)["features"]["income"]["wasserstein"] is None


def test_numbers_as_text_are_numbers(workplace: Workplace) -> None:
    rows = table(seed=3)
    plain = only(workplace.look(rows))["features"]
    assert only(workplace.look(changed(rows, age=rows["age"].cast(pa.string()))))["features"] == plain


def test_infinities_are_out_of_range_and_leave_no_wasserstein_distance(workplace: Workplace) -> None:
    income = table().column("income").to_numpy().copy()
    income[:40], income[40:60] = np.inf, -np.inf
    period = only(workplace.look(changed(table(), income=income)))
    assert period["features"]["income"]["out_of_range_rate"] == pytest.approx(60 / 4_000)
    assert period["features"]["income"]["wasserstein"] is None
    assert period["features"]["income"]["psi"] is not None
    assert "income is infinite in 60 rows: there is no Wasserstein distance" in period["problems"]


def test_one_class_only_is_not_green(workplace: Workplace) -> None:
    report = workplace.look(changed(table(), label=[1] * 4_000))
    assert report["tier"] != "green"
    assert only(report)["realized"]["roc_auc"]["value"] is None
    assert any("one class" in sentence for sentence in report["why"])


def test_a_reference_of_one_class_says_so_and_nothing_is_green(workplace: Workplace) -> None:
    done = workplace.baseline(changed(table(), label=[0] * 4_000))
    assert done.status == 0
    workplace.profile("profile", [workplace.write("data.parquet", table())])
    assert workplace.report("profile")["tier"] != "green"


def test_no_labels_are_unknown_even_where_all_else_is_quiet(workplace: Workplace) -> None:
    report = workplace.look(table(seed=3).drop_columns(["label"]))
    assert report["tier"] == "unknown"
    assert report["why"] == [
        "no labels have come: how good the answers were is not known, an estimate sees only a changed mix"
    ]
    assert only(report)["realized"] == {}
    assert only(report)["labels"] == {"n": 0, "coverage": 0.0}


def test_no_labels_are_green_where_the_owner_wrote_so(workplace: Workplace) -> None:
    rules = {"green_without_labels": True}
    assert workplace.look(table(seed=3).drop_columns(["label"]), rules=rules)["tier"] == "green"


def test_scores_that_are_no_probabilities_are_not_estimated_in_silence(workplace: Workplace) -> None:
    report = workplace.look(changed(table(), score=np.full(4_000, 7.0)))
    assert report["tier"] == "unknown"
    assert "4,000 values of score could not be read, or are not what they must be" in report["problems"]
    assert only(report)["estimated"] == {}


def test_ten_thousand_categories(workplace: Workplace) -> None:
    draw = np.random.default_rng(0)
    many = [f"r{place}" for place in draw.integers(0, 10_000, 4_000)]
    assert workplace.baseline(changed(table(months=6), region=many)).status == 0
    workplace.profile("profile", [workplace.write("data.parquet", changed(table(), region=many[::-1]))])
    region = only(workplace.report("profile"))["features"]["region"]
    assert region["unseen_rate"] == 0.0
    workplace.profile("profile", [workplace.write("data.parquet", table())])
    region = only(workplace.report("profile"))["features"]["region"]
    assert region["unseen_rate"] == 1.0
    assert sum(region["unseen"].values()) == 4_000


def test_rows_without_a_time_are_counted_and_told(workplace: Workplace) -> None:
    rows = table()
    at = pc.if_else(pa.array(np.arange(4_000) < 10), pa.scalar(None, rows["at"].type), rows["at"].combine_chunks())
    report = workplace.look(changed(rows, at=at.combine_chunks() if isinstance(at, pa.ChunkedArray) else at))
    assert only(report)["n"] == 3_990
    assert "10 rows without a readable at belong to no period and were left out" in report["problems"]


def test_a_column_that_the_spec_does_not_name_is_told(workplace: Workplace) -> None:
    report = workplace.look(table().append_column("height", pa.array(np.zeros(4_000))))
    assert report["not_monitored"] == {"height": "the spec does not name this column (double)"}


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pa.array(np.arange(4_000) % 90).cast(pa.int8()), "numeric"),
        (pa.array(np.arange(4_000) % 90).cast(pa.decimal128(21, 2)), "numeric"),
        (pa.array(range(4_000), pa.date32()), "numeric"),
        (pa.array(range(4_000), pa.timestamp("ns", "UTC")), "numeric"),
        (pa.array(np.arange(4_000) % 2 == 0), "numeric"),
        (pa.array(np.arange(4_000) % 2 == 0), "categorical"),
        (pa.array(np.arange(4_000) % 9), "categorical"),
        (pa.array((np.arange(4_000) % 9).astype(np.float32)), "categorical"),
        (pa.array([place % 9 for place in range(4_000)], pa.date32()), "categorical"),
        (pa.array([[place % 3] for place in range(4_000)]), "categorical"),
        (pa.array([{"a": place % 3} for place in range(4_000)]), "categorical"),
        (pa.array([b"x%d" % (place % 3) for place in range(4_000)]), "categorical"),
        (pa.array([f"x{place % 3}" for place in range(4_000)]).dictionary_encode(), "categorical"),
        (pa.array([f"x{place % 3}" for place in range(4_000)], pa.large_string()), "categorical"),
        (pa.array([place % 9 for place in range(4_000)], pa.duration("s")), "categorical"),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else value,
)
def test_every_type_of_column_is_monitored(values: pa.Array, kind: str, workplace: Workplace) -> None:
    features = {"age": "numeric", "region": "categorical", "thing": kind}
    rows = table().append_column("thing", values)
    assert workplace.baseline(rows, features=features).status == 0
    workplace.profile("profile", [workplace.write("data.parquet", rows)])
    report = workplace.report("profile")
    measures = only(report)["features"]["thing"]
    assert measures["psi"] == pytest.approx(0)
    assert measures["missing_rate"] == 0
    assert report["not_monitored"] == {"income": "the spec does not name this column (double)"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda spec: spec | {"task": "ranking"}, "task is 'ranking'; allowed are: binary, multiclass, regression"),
        (lambda spec: spec | {"period": "fortnight"}, "period is 'fortnight'; allowed are: hour"),
        (lambda spec: spec | {"scores": "score"}, "the spec says scores; known are: "),
        (
            lambda spec: spec | {"features": {"age": "number"}},
            "the kind of feature age is 'number'; allowed are: numeric",
        ),
        (lambda spec: spec | {"features": {}}, "features names no column"),
        (lambda spec: spec | {"score": None}, "score is None; a binary model has one column of probabilities"),
        (lambda spec: spec | {"label": "age"}, "age is a feature and also the label; drop one of the two"),
        (lambda spec: spec | {"sensitive": ["sex"]}, "sensitive names sex, which is no feature"),
        (lambda spec: spec | {"rules": {"psy": 1}}, "rules says psy; known are: min_rows"),
        (lambda spec: spec | {"rules": {"psi": "high"}}, "rules.psi is 'high'; write something like 0.1"),
        (
            lambda spec: spec | {"rules": {"metrics": ["mae"]}},
            "a metric of rules.metrics is 'mae'; allowed are: roc_auc",
        ),
        (lambda spec: {"features": spec["features"]}, "the spec has no task; add it"),
        (lambda spec: [spec], "the spec is a list; write a JSON object"),
        (lambda spec: spec | {"features": {"height": "numeric"}}, "the reference has no column height"),
        (lambda spec: spec | {"positive": "yes"}, "label has the values 0, 1, none of which is positive"),
    ],
)
def test_a_spec_that_cannot_be_meant_is_a_sentence(
    change: Callable[[dict[str, Any]], Any], words: str, workplace: Workplace
) -> None:
    import json

    from tests.monitoring.runs import SPEC

    spec, reference = workplace.folder / "spec.json", workplace.write("reference.parquet", table(500))
    spec.write_text(json.dumps(change(dict(SPEC))))
    out = workplace.folder / "baseline.json"
    done = workplace.run("baseline", "--spec", spec, "--reference", reference, "--out", out)
    assert (done.status, out.exists()) == (2, False)
    assert done.said.startswith(f"monitoring: {words}")


@pytest.mark.parametrize("rows", [1, 5, 19, 60, 299])
def test_a_small_reference_has_a_baseline_and_is_never_green(rows: int, workplace: Workplace) -> None:
    assert workplace.baseline(table(rows, months=6)).status == 0
    workplace.profile("profile", [workplace.write("data.parquet", table())])
    assert workplace.report("profile")["tier"] != "green"


def told(workplace: Workplace) -> Run:
    """What `report` says of the profile that is there."""
    baseline, profile, out = (workplace.folder / name for name in ("baseline.json", "profile", "other.json"))
    return workplace.run("report", "--baseline", baseline, "--profiles", profile, "--out", out)


def test_a_profile_of_another_baseline_is_refused(workplace: Workplace) -> None:
    workplace.look(table())
    workplace.baseline(table(seed=9))
    done = told(workplace)
    assert done.status == 2
    assert "was counted against another baseline" in done.said


def test_half_a_profile_is_refused(workplace: Workplace) -> None:
    workplace.look(table())
    whole = (workplace.folder / "profile").read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 1):
        (workplace.folder / "profile").write_bytes(whole[:size])
        done = told(workplace)
        assert done.status == 2
        assert "is no profile, or not a whole one" in done.said
