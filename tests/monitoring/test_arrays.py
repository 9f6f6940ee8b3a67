"""What goes through Arrow's buffers comes out as it went in, also from the middle of an array."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring import arrays

START = st.integers(0, 5)


@given(st.lists(st.booleans(), max_size=40), START)
def test_flags(values: list[bool], start: int) -> None:
    array = arrays.from_flags(np.array(values, bool))
    assert array.to_pylist() == values
    assert arrays.flags_of(array[start:]).tolist() == values[start:]


@given(st.lists(st.text(max_size=4), max_size=20), START)
def test_texts(values: list[str], start: int) -> None:
    assert arrays.from_texts(values)[start:].to_pylist() == values[start:]


@pytest.mark.parametrize("kind", ["int8", "int32", "int64", "uint16", "float32", "float64"])
def test_numbers(kind: str) -> None:
    array = arrays.from_numbers(np.arange(9).astype(kind))
    assert array.to_pylist() == list(range(9))
    assert arrays.numbers_of(array[3:7]).tolist() == [3, 4, 5, 6]
    assert arrays.numbers_of(pa.chunked_array([array, array[:2]])).tolist() == [*range(9), 0, 1]


def test_times() -> None:
    times = np.array(["2026-11-25T12:00", "NaT"], "datetime64[us]")
    assert arrays.from_numbers(times).equals(pa.array(times))


@given(st.lists(st.one_of(st.none(), st.sampled_from("abc")), max_size=20), START)
def test_nulls_and_places(values: list[str | None], start: int) -> None:
    array = pa.array(values, pa.string())[start:]
    assert arrays.nulls(array).tolist() == [value is None for value in values[start:]]
    encoded = array.dictionary_encode()
    named = [*encoded.dictionary.to_pylist(), None]
    assert [named[place] for place in arrays.places(encoded)] == values[start:]


def test_counting_imports_no_pandas(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from monitoring.__main__ import execute
execute(["profile", "--baseline", "baseline.json", "--data", "data.parquet", "--out", "profile"])
execute(["report", "--baseline", "baseline.json", "--profiles", "profile", "--out", "report.json"])
assert "pandas" not in sys.modules and "lightgbm" not in sys.modules and "sklearn" not in sys.modules
"""
    import json

    import pyarrow.parquet as pq

    from monitoring.__main__ import main
    from tests.monitoring.runs import SPEC, table

    (tmp_path / "spec.json").write_text(json.dumps(SPEC))
    pq.write_table(table(months=6), tmp_path / "data.parquet")
    spec, data, out = (str(tmp_path / name) for name in ("spec.json", "data.parquet", "baseline.json"))
    assert main(["baseline", "--spec", spec, "--reference", data, "--out", out]) == 0
    root = str(Path(__file__).parents[2])
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, env={"PYTHONPATH": root})
