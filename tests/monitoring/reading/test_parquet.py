from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.errors import DataError
from monitoring.reading import batches, schema
from tests.monitoring.reading.tables import read, write_arrow, write_arrow_stream, write_parquet


def types(path: Path, *names: str) -> list[str]:
    (batch,) = batches([path], names)
    return [str(kind) for kind in batch.schema.types]


def test_texts_that_repeat_come_as_a_dictionary_others_as_texts(tmp_path: Path) -> None:
    content = {"few": ["red", "green", None] * 20_000, "many": [f"row {row}" for row in range(60_000)]}
    path = write_parquet(tmp_path / "t.parquet", content)

    assert types(path, "few", "many") == ["dictionary<values=string, indices=int32, ordered=0>", "string"]
    assert read(path, content) == content


def test_a_dictionary_that_the_writer_gave_up_is_read_all_the_same(tmp_path: Path) -> None:
    content = {"a": ["x"] * 50_000 + [f"row {row}" for row in range(50_000)] + ["y"] * 500_000}
    path = write_parquet(tmp_path / "t.parquet", content, dictionary_pagesize_limit=1000, row_group_size=120_000)

    assert read(path, content) == content


def test_small_row_groups_with_dictionaries_of_their_own(tmp_path: Path) -> None:
    content = {"a": [f"group {row // 1000}" if row % 3 else None for row in range(20_000)]}
    path = write_parquet(tmp_path / "t.parquet", content, row_group_size=1000)

    assert read(path, content) == content
    assert types(path, "a") == ["dictionary<values=string, indices=int32, ordered=0>"]


def test_what_pandas_writes_with_its_index(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1.5, None], "b": pd.Categorical(["x", "y"])}, index=pd.Index([7, 9], name="id"))
    frame.to_parquet(tmp_path / "named.parquet")
    frame.reset_index(drop=True).loc[[1, 0]].to_parquet(tmp_path / "unnamed.parquet")

    assert read(tmp_path / "named.parquet", ["id", "a", "b"]) == {"id": [7, 9], "a": [1.5, None], "b": ["x", "y"]}
    assert read(tmp_path / "unnamed.parquet", ["a"]) == {"a": [None, 1.5]}
    assert schema([tmp_path / "unnamed.parquet"]).names == ["a", "b"]


def test_timestamps_as_old_spark_writes_them(tmp_path: Path) -> None:
    content = {"t": [dt.datetime(2026, 1, 1, 12, 30), dt.datetime(9999, 12, 31), dt.datetime(1, 1, 1), None]}  # noqa: DTZ001
    path = tmp_path / "t.parquet"
    pq.write_table(
        pa.table({"t": pa.array(content["t"], pa.timestamp("us"))}), path, use_deprecated_int96_timestamps=True
    )

    assert read(path, "t") == content


def test_texts_of_other_types_are_texts(tmp_path: Path) -> None:
    texts = ["x", None, "é"] * 10
    identities = [uuid.UUID(int=1), None, uuid.UUID(int=2)] * 10
    table = pa.table(
        {
            "large": pa.array(texts, pa.large_string()),
            "view": pa.array(texts, pa.string_view()),
            "coded": pa.array(texts, pa.large_string()).dictionary_encode(),
            "uuid": pa.array(identities, pa.uuid()),
            "json": pa.array(texts, pa.json_()),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    with pa.ipc.new_file(tmp_path / "t.arrow", table.schema) as file:
        file.write_table(table)

    for name in ("t.parquet", "t.arrow"):
        found = read(tmp_path / name, table.column_names)
        kinds = set(types(tmp_path / name, *table.column_names))
        assert found.pop("uuid") == [value and str(value) for value in identities]
        assert found == dict.fromkeys(["large", "view", "coded", "json"], texts)
        assert kinds <= {"string", "dictionary<values=string, indices=int32, ordered=0>"}


def test_dates_decimals_and_nested_columns_pass_as_they_are(tmp_path: Path) -> None:
    content: dict[str, list[Any]] = {
        "date": [dt.date(2026, 1, 1)],
        "decimal": [Decimal("1.50")],
        "struct": [{"x": 1, "y": ["a"]}],
        "list": [[1, None]],
        "bytes": [b"\xff"],
    }

    assert read(write_parquet(tmp_path / "t.parquet", content), content) == content


@pytest.mark.parametrize("write", [write_parquet, write_arrow, write_arrow_stream])
def test_names_with_dots_and_their_beginnings(tmp_path: Path, write: Any) -> None:
    path = write(tmp_path / "t.parquet", {"a": [1], "a.b": [2], "s": [{"b": 3}], "a.b.c": ["4"]})

    assert read(path, ["a"]) == {"a": [1]}
    assert read(path, ["a.b", "s"]) == {"a.b": [2], "s": [{"b": 3}]}
    assert read(path, ["a.b.c", "s.b"]) == {"a.b.c": ["4"], "s.b": [None]}


@pytest.mark.parametrize("write", [write_parquet, write_arrow, write_arrow_stream])
def test_rows_are_counted_even_if_no_column_is_needed(tmp_path: Path, write: Any) -> None:
    path = write(tmp_path / "t.arrow", {"a": range(10)})

    assert [batch.num_rows for batch in batches([path], [], rows=4)] == [4, 4, 2]


def test_no_rows_are_no_batches(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), tmp_path / "t.parquet")

    assert list(batches([tmp_path / "t.parquet"], ["a"])) == []


def test_a_needed_column_that_is_there_twice_is_told(tmp_path: Path) -> None:
    table = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    pq.write_table(table, tmp_path / "t.parquet")

    with pytest.raises(DataError, match="has 2 columns named a"):
        read(tmp_path / "t.parquet", "a")


def test_another_file_that_is_called_parquet_is_told(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    for content in (b"PAR1", b"PAR1 and no end", b"a,b\n1,2\n", b"PAR1" + b"\xff" * 4 + b"PAR1"):
        path.write_bytes(content)
        with pytest.raises(
            DataError, match=r"t\.parquet (is no Parquet file|cannot be read to its end).*; write it again"
        ):
            read(path, "a")


def test_a_page_that_does_not_fit_its_checksum_is_told(tmp_path: Path) -> None:
    path = write_parquet(
        tmp_path / "t.parquet",
        {"a": [float(value) for value in range(1000)]},
        write_page_checksum=True,
        compression="none",
        use_dictionary=False,
    )
    content = bytearray(path.read_bytes())
    content[2000] ^= 1
    path.write_bytes(content)

    with pytest.raises(DataError, match="CRC"):
        read(path, "a")


def test_texts_that_are_no_utf_8_are_told(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "t.parquet", {"a": ["#### é"] * 3}, compression="none")
    path.write_bytes(path.read_bytes().replace("#### é".encode(), b"#### \xff\xff"))

    with pytest.raises(DataError, match=r"t\.parquet .*UTF.?8"):
        read(path, "a")


def test_an_arrow_stream_without_its_end_is_told(tmp_path: Path) -> None:
    path = write_arrow_stream(tmp_path / "t.arrow", {"a": range(10)})
    path.write_bytes(path.read_bytes()[:-8])

    with pytest.raises(DataError, match="only the beginning"):
        read(path, "a")
