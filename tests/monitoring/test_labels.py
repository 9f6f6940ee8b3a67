"""Labels come late, twice, corrected, for rows that nobody knows; each row counts once, with its last label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.monitoring.runs import Workplace, only, table

ROWS = table(2_000, seed=5)
DATA = ROWS.drop_columns(["label"])
LABELS = ROWS.select(["id", "label"])


@pytest.fixture
def counted(workplace: Workplace) -> Workplace:
    """A workplace that has counted the rows, as `rows`."""
    workplace.baseline()
    assert workplace.profile("rows", [workplace.write("data.parquet", DATA)]).status == 0
    return workplace


def labels(workplace: Workplace, name: str, told: pa.Table) -> str:
    assert workplace.profile(name, labels=[workplace.write(f"{name}.parquet", told)]).status == 0
    return name


def realized(report: Mapping[str, Any]) -> dict[str, Any]:
    return only(report)["realized"]


def test_labels_beside_the_rows_and_labels_that_come_late_say_the_same(counted: Workplace) -> None:
    late = counted.report("rows", labels(counted, "late", LABELS))
    early = counted.look(ROWS)
    together = counted.profile("both", [counted.folder / "data.parquet"], [counted.folder / "late.parquet"])
    assert together.status == 0
    assert realized(early) == realized(late) == realized(counted.report("both"))
    assert only(late)["labels"] == {"n": 2_000, "coverage": 1.0}


def test_the_same_labels_twice_count_once(counted: Workplace) -> None:
    once = counted.report("rows", labels(counted, "late", LABELS))
    twice = counted.report("late", "rows", "late", labels(counted, "again", LABELS.slice(100, 900)))
    assert twice == once


def test_labels_for_ids_that_no_row_has_are_told_and_change_nothing(counted: Workplace) -> None:
    strangers = pa.table({"id": [f"stranger/{place}" for place in range(7)], "label": [1] * 7})
    report = counted.report("rows", labels(counted, "late", pa.concat_tables([LABELS, strangers])))
    assert report["problems"] == ["7 labels have an id that no row has"]
    assert realized(report) == realized(counted.report("rows", labels(counted, "known", LABELS)))


def test_a_corrected_label_counts_where_it_says_when_it_was_known(counted: Workplace) -> None:
    def at(day: int, told: pa.Table) -> pa.Table:
        return told.append_column("labelled_at", pa.array([np.datetime64(f"2026-03-{day:02}", "us")] * len(told)))

    wrong = LABELS.set_column(1, "label", pa.array(1 - LABELS["label"].to_numpy()))
    corrected = [labels(counted, "right", at(9, LABELS)), labels(counted, "wrong", at(2, wrong))]
    undated = labels(counted, "undated", wrong)
    expected = realized(counted.report("rows", labels(counted, "plain", LABELS)))
    assert realized(counted.report("rows", *corrected, undated)) == expected


def test_different_labels_of_the_same_time_count_as_none(counted: Workplace) -> None:
    wrong = pa.table({"id": LABELS["id"].slice(0, 5), "label": 1 - LABELS["label"].to_numpy()[:5]})
    report = counted.report(labels(counted, "wrong", wrong), "rows", labels(counted, "right", LABELS))
    assert report["problems"] == ["5 rows have different labels of the same time: they count as not labelled"]
    assert only(report)["labels"]["n"] == 1_995


def test_a_row_that_was_counted_twice_is_told_and_labelled_once(counted: Workplace) -> None:
    report = counted.report("rows", "rows", labels(counted, "late", LABELS))
    assert only(report)["n"] == 4_000
    assert only(report)["labels"]["n"] == 2_000
    assert report["problems"] == [
        "2,000 rows have an id that another row has too: their data count twice, their label once"
    ]


def test_rows_without_an_id_are_told(counted: Workplace) -> None:
    nothing = pa.array([None] * 3 + DATA["id"].to_pylist()[3:])
    assert counted.profile("rows", [counted.write("data.parquet", DATA.set_column(0, "id", nothing))]).status == 0
    report = counted.report("rows", labels(counted, "late", LABELS))
    assert report["problems"] == ["3 rows have no id, so no label finds them", "3 labels have an id that no row has"]
    assert only(report)["labels"]["n"] == 1_997


def test_few_labels_are_not_green_and_are_told(counted: Workplace) -> None:
    report = counted.report("rows", labels(counted, "late", LABELS.slice(0, 150)))
    assert report["tier"] == "unknown"
    assert report["why"][-1] == ("only 150 rows (8%) have a label; 100 and 50% are asked for before labels decide")


def test_labels_without_their_columns_are_a_sentence(counted: Workplace) -> None:
    path = counted.write("wrong.parquet", LABELS.rename_columns(["key", "label"]))
    done = counted.profile("late", labels=[path])
    assert done.status == 2
    assert done.said == "monitoring: labels have no column id, but label\n"


def test_labels_of_a_model_without_row_ids_are_a_sentence(workplace: Workplace) -> None:
    workplace.baseline(row_id=None)
    done = workplace.profile("late", labels=[workplace.write("labels.parquet", LABELS)])
    assert done.status == 2
    assert "the spec has no row_id" in done.said


def test_ids_may_be_numbers_in_one_file_and_text_in_the_other(workplace: Workplace) -> None:
    workplace.baseline()
    numbers = pa.array(np.arange(2_000))
    workplace.profile("rows", [workplace.write("data.parquet", DATA.set_column(0, "id", numbers))])
    told = LABELS.set_column(0, "id", numbers.cast(pa.string()))
    assert only(workplace.report("rows", labels(workplace, "late", told)))["labels"]["coverage"] == 1.0


def test_segments_are_judged_by_labels_too(workplace: Workplace) -> None:
    workplace.baseline(sensitive=["region", "age"])
    workplace.profile("rows", [workplace.write("data.parquet", DATA)])
    segments = only(workplace.report("rows", labels(workplace, "late", LABELS)))["segments"]
    assert list(segments["region"]) == ["north", "south", "west"]
    assert sum(each["n"] for each in segments["region"].values()) == 2_000
    assert len(segments["age"]) == 10
    north = ROWS.filter(pa.compute.equal(ROWS["region"], "north"))
    truth, said = north["label"].to_numpy(), north["prediction"].to_numpy()
    assert segments["region"]["north"]["realized"]["accuracy"] == pytest.approx((truth == said).mean(), abs=1e-12)
    assert 0.5 < segments["region"]["north"]["estimated"]["roc_auc"] < 1


def test_values_of_a_sensitive_feature_that_were_never_seen_are_not_shown(workplace: Workplace) -> None:
    strange = DATA.set_column(3, "region", pa.array(["secret"] * 2_000))
    for sensitive, shown in ((["region"], {}), ([], {"secret": 2_000})):
        report = workplace.look(strange, sensitive=sensitive)
        assert only(report)["features"]["region"]["unseen"] == shown
        assert ("secret" in (workplace.folder / "report.html").read_text()) == bool(shown)


def test_the_worth_of_a_confusion_matrix(workplace: Workplace) -> None:
    value = {"true_positive": 5, "false_positive": -2, "false_negative": -3}
    told = only(workplace.look(ROWS, value=value))["business_value"]
    truth, said = ROWS["label"].to_numpy(), ROWS["prediction"].to_numpy()
    worth = 5 * (truth & said).sum() - 2 * ((1 - truth) & said).sum() - 3 * (truth & (1 - said)).sum()
    assert told["realized"] == worth
    assert told["estimated"] == pytest.approx(worth, rel=0.2)


def test_many_rows_wait_on_disk_and_are_joined_in_parts(monkeypatch: pytest.MonkeyPatch, counted: Workplace) -> None:
    expected = counted.report("rows", labels(counted, "late", pa.concat_tables([LABELS, LABELS.slice(0, 500)])))
    monkeypatch.setattr("monitoring.spool.KEPT_ROWS", 300)
    monkeypatch.setattr("monitoring.records._JOINED_ROWS", 250)
    monkeypatch.setattr("monitoring.store._BATCH_ROWS", 128)
    assert counted.report("rows", "late") == expected
    counted.profile("rows", [counted.folder / "data.parquet"])
    assert counted.report("late", "rows") == expected
