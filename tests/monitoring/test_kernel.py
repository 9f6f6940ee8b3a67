"""The kernel's parts against slower, plainer ways to the same numbers."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from monitoring import columns, periods
from monitoring.counting.grid import Grid
from monitoring.counting.tally import Groups, Tally
from monitoring.performance import curves
from monitoring.performance.trees import Trees

FLOATS = st.floats(-1e12, 1e12)


@settings(deadline=None)
@given(
    arrays.arrays(np.float64, st.integers(1, 300), elements=FLOATS),
    arrays.arrays(np.float64, st.integers(0, 200), elements=st.floats(allow_nan=False)),
)
def test_a_grid_places_values_as_a_search_does(edges: np.ndarray, values: np.ndarray) -> None:
    grid = Grid(edges)
    among = np.concatenate([values, edges, np.nextafter(edges, np.inf), np.nextafter(edges, -np.inf)])
    assert (grid.cells(among) == np.searchsorted(grid.edges, among, "right")).all()


@pytest.mark.parametrize("count", [1, 3, 400])
def test_a_tally_is_the_same_dense_and_sparse(count: int) -> None:
    draw = np.random.default_rng(count)
    tally, numbers, cells = Tally(50_000), draw.integers(0, count, 5_000), draw.integers(0, 50_000, 5_000)
    for part in np.array_split(np.arange(5_000), 7):
        tally.add(Groups(numbers[part]), cells[part])
    expected = np.zeros((count, 50_000), int)
    np.add.at(expected, (numbers, cells), 1)
    assert (tally.matrix(list(range(count))) == expected).all()


@settings(deadline=None, max_examples=50)
@given(arrays.arrays(np.int64, st.integers(5, 60), elements=st.integers(0, 8)), st.integers(0, 2**32 - 1))
def test_areas_with_labels_are_those_of_scikit_learn(scores: np.ndarray, seed: int) -> None:
    from sklearn.metrics import average_precision_score, roc_auc_score

    labels = np.random.default_rng(seed).integers(0, 2, len(scores))
    labels[:2] = 0, 1
    distinct, place = np.unique(scores, return_inverse=True)
    counts, positives = np.bincount(place).astype(float), np.bincount(place, labels, len(distinct))
    assert curves.roc_auc(counts, positives) == pytest.approx(roc_auc_score(labels, scores))
    assert curves.average_precision(counts, positives) == pytest.approx(average_precision_score(labels, scores))


def test_expected_areas_are_the_same_row_by_row_and_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(0)
    counts = draw.integers(1, 400, 500).astype(float)
    positives = counts * np.sort(draw.random(500))
    by_row = curves.expected_areas(counts, positives)
    monkeypatch.setattr(curves, "_STEP_BY_STEP", 0)
    assert curves.expected_areas(counts, positives) == pytest.approx(by_row, rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_trees_answer_as_lightgbm_does(seed: int) -> None:
    from lightgbm import LGBMRegressor

    draw = np.random.default_rng(seed)
    rows = np.column_stack([draw.normal(size=3_000), draw.integers(0, 30, 3_000), draw.lognormal(size=3_000)])
    rows[draw.random(3_000) < 0.1, 2] = np.nan
    target = np.sin(rows[:, 0]) + (rows[:, 1] % 3 == 0) * np.nan_to_num(rows[:, 2])
    fitted = LGBMRegressor(verbose=-1, num_leaves=8 + 8 * seed).fit(rows, target, categorical_feature=[1])
    asked = np.vstack([rows, np.full((5, 3), np.nan), [[np.inf, -1, -np.inf], [0, 99, 0]]])
    trees = Trees(fitted.booster_.model_to_string())
    assert (trees([np.ascontiguousarray(each) for each in asked.T]) == fitted.predict(asked)).all()


@pytest.mark.parametrize(
    ("period", "name"),
    [
        ("hour", "2026-11-25T13"),
        ("day", "2026-11-25"),
        ("week", "2026-W48"),
        ("month", "2026-11"),
        ("quarter", "2026-Q4"),
        ("year", "2026"),
    ],
)
@pytest.mark.parametrize(
    "said",
    [
        pa.array([np.datetime64("2026-11-25T13:59:59.999999")]),
        pa.array(["2026-11-25T13:30:00"]),
        pa.array(["2026-11-25 13:30:00"]).dictionary_encode(),
        pa.array(["2026-11-25T15:30:00+02:00"]),
        pa.array(["2026-11-25T13:30:00Z", "nonsense"]),
        pa.array([1_795_613_400]),
        pa.array([1_795_613_400.5]),
        pa.array([1_795_613_400], pa.timestamp("s", "Europe/Paris")),
    ],
    ids=lambda said: str(said.type) if isinstance(said, pa.Array) else said,
)
def test_periods_of_every_way_to_write_a_time(said: pa.Array, period: periods.Period, name: str) -> None:
    numbers = periods.numbers(said, period)
    assert periods.name(int(numbers[0]), period) == name
    assert (numbers[1:] == periods.NEVER).all()


@pytest.mark.parametrize("day", ["1969-12-28", "1970-01-01", "2020-12-31", "2021-01-01", "2024-12-30"])
def test_weeks_are_those_of_the_calendar(day: str) -> None:
    from datetime import date

    year, week, _ = date.fromisoformat(day).isocalendar()
    number = periods.numbers(pa.array([np.datetime64(day, "us")]), "week")[0]
    assert periods.name(int(number), "week") == f"{year}-W{week:02}"


def test_a_number_is_one_category_however_it_is_written() -> None:
    for array in (pa.array([3, None, 3]), pa.array([3.0, float("nan"), 3.0]), pa.array(["3", None, "3"])):
        distinct, codes = columns.text(array)
        assert (distinct, codes.tolist()) == (["3"], [0, -1, 0])


def test_text_that_is_no_number_is_counted() -> None:
    values, invalid = columns.number(pa.array(["1.5", " 2 ", "", "NaN", "n/a", "many", None, "1e3"]))
    assert invalid == 1
    assert values[[0, 1, 7]].tolist() == [1.5, 2.0, 1000.0]
    assert np.isnan(values[[2, 3, 4, 5, 6]]).all()
