"""Whatever rows come, there is a report of finite numbers, and no quiet green."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitoring import baseline
from monitoring.errors import MonitoringError
from monitoring.page import page
from monitoring.profile import Profile
from monitoring.report import report
from monitoring.spec import Spec
from tests.monitoring.runs import SPEC, table

MULTICLASS = {"score": {"0": "score", "1": "other"}}
REGRESSION = {
    "score": None,
    "prediction": "score",
    "label": "income",
    "features": {"age": "numeric", "region": "categorical"},
}
SPECS: dict[str, dict[str, Any]] = {
    "binary": {**SPEC, "sensitive": ["region", "age"]},
    "multiclass": SPEC | MULTICLASS,
    "regression": SPEC | REGRESSION,
}
ROWS = table(1_500, months=6)
ROWS = ROWS.append_column("other", pa.array(1 - ROWS["score"].to_numpy()))
BASELINES = {task: baseline.fit(Spec.parse({**spec, "task": task}), ROWS.to_batches()) for task, spec in SPECS.items()}

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(width=64),
    st.sampled_from(["north", "south", "", "NaN", "1e400", "-0", "2026-01-05", "x" * 300, "\x00", "é"]),
)


@st.composite
def column(draw: st.DrawFn, rows: int) -> pa.Array:
    """A column of one type, or of texts where the values have several."""
    values = draw(st.lists(ANYTHING, min_size=rows, max_size=rows))
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if value is None else str(value) for value in values])


@st.composite
def batches(draw: st.DrawFn) -> list[pa.RecordBatch]:
    found = []
    for _ in range(draw(st.integers(1, 3))):
        rows = draw(st.integers(0, 12))
        names = draw(
            st.lists(st.sampled_from([*SPEC["features"], "score", "other", "prediction", "label", "id"]), unique=True)
        )
        columns: dict[str, Any] = {name: draw(column(rows)) for name in names}
        days = draw(
            st.lists(
                st.sampled_from(["2026-01-05", "2026-02-01T10:00:00Z", "never", None]), min_size=rows, max_size=rows
            )
        )
        columns["at"] = pa.array(days, pa.string())
        found.append(pa.RecordBatch.from_pydict(columns))
    return found


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.sampled_from(list(SPECS)), batches())
def test_any_rows_have_a_report(task: str, rows: list[pa.RecordBatch]) -> None:
    counted = Profile(BASELINES[task])
    for batch in rows:
        counted.add(batch)
    told = report(counted)
    json.dumps(told, allow_nan=False)
    assert told["tier"] == "unknown"
    assert "<html" in page(told).lower()
    dated = sum(
        day in ("2026-01-05", "2026-02-01T10:00:00Z") for batch in rows for day in batch.column("at").to_pylist()
    )
    assert sum(period["n"] for period in told["periods"].values()) == dated


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_any_reference_has_a_baseline_or_a_sentence(data: st.DataObject) -> None:
    task = data.draw(st.sampled_from(list(SPECS)))
    rows = data.draw(st.integers(1, 15))
    columns = {
        name: data.draw(column(rows)) for name in ("age", "income", "region", "score", "other", "prediction", "label")
    }
    try:
        spec = Spec.parse({**SPECS[task], "task": task, "timestamp": None, "row_id": None})
        fitted = baseline.fit(spec, [pa.RecordBatch.from_pydict(columns)])
    except MonitoringError:
        return
    again = baseline.Baseline.parse(json.loads(json.dumps(fitted.body(), allow_nan=False)))
    counted = Profile(again)
    for batch in ROWS.slice(0, 300).to_batches():
        counted.add(batch)
    json.dumps(report(counted), allow_nan=False)
