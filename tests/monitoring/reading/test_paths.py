from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.errors import DataError
from monitoring.reading import batches, schema
from tests.monitoring.reading.tables import read, write_arrow, write_csv, write_json_lines, write_parquet, zipped


def test_a_folder_is_read_file_by_file_in_order_whatever_the_kinds(tmp_path: Path) -> None:
    (tmp_path / "later").mkdir()
    write_parquet(tmp_path / "1.parquet", {"a": ["one"]})
    write_csv(tmp_path / "2.csv", {"b": [0], "a": ["two"]})
    write_json_lines(tmp_path / "3", {"a": ["three"]})
    zipped(write_csv(tmp_path / "4", {"a": ["four"]})).rename(tmp_path / "4")
    write_arrow(tmp_path / "later" / "1.feather", {"a": ["five"]})

    assert read(tmp_path, ["a"]) == {"a": ["one", "two", "three", "four", "five"]}


def test_what_spark_leaves_beside_data_is_ignored(tmp_path: Path) -> None:
    write_csv(tmp_path / "part-0.csv", {"a": ["1"]})
    for name in ("_SUCCESS", ".part-0.csv.crc", "folder_$folder$", "_temporary/0/part-1.csv", ".hidden/part-2.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("" if "$" in name else "no\ndata,\n")

    assert read(tmp_path, ["a"]) == {"a": ["1"]}
    assert read(tmp_path / "*", ["a"]) == {"a": ["1"]}


def test_a_pattern_names_files_and_folders(tmp_path: Path) -> None:
    for day in ("01", "02", "03"):
        (tmp_path / day).mkdir()
        write_csv(tmp_path / day / "a.csv", {"a": [day]})

    assert read(tmp_path / "0[12]", ["a"]) == {"a": ["01", "02"]}
    assert read(tmp_path / "**" / "*.csv", ["a"]) == {"a": ["01", "02", "03"]}
    assert read(tmp_path / "**", ["a"]) == {"a": ["01", "02", "03"]}


def test_a_name_that_looks_like_a_pattern_may_be_a_file(tmp_path: Path) -> None:
    assert read(write_csv(tmp_path / "a[1].csv", {"a": ["1"]}), ["a"]) == {"a": ["1"]}


def test_a_file_that_several_paths_name_is_read_once(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", {"a": ["1"]})

    assert read([path, tmp_path, tmp_path / "*.csv", tmp_path / ".." / tmp_path.name], ["a"]) == {"a": ["1"]}


@pytest.mark.parametrize("name", ["missing.csv", "missing/", "*.csv", "empty", "[", "\0"])
def test_a_path_that_names_no_data_is_a_sentence_before_anything_is_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "marker").touch()

    with pytest.raises(DataError, match=r"name (a file|another)"):
        batches([f"{tmp_path}/{name}"], ["a"])


def test_one_path_needs_no_list(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", {"a": ["1"]})

    assert [batch.to_pydict() for batch in batches(str(path), ["a"])] == [{"a": ["1"]}]
    assert schema(path).names == ["a"]


def test_no_path_is_a_sentence() -> None:
    for nothing in ([], [""]):
        with pytest.raises(DataError, match="name a file, a folder or a pattern"):
            batches(nothing, ["a"])


def test_an_empty_file_that_is_named_is_a_sentence(tmp_path: Path) -> None:
    for name in ("a.csv", "a.parquet", "a.jsonl", "a.arrow", "a"):
        (tmp_path / name).touch()
        with pytest.raises(DataError, match=f"{name} is empty; leave it out"):
            read(tmp_path / name, ["a"])


@pytest.mark.parametrize(
    ("beginning", "told"),
    [
        (b"FEA1", "Feather file of version 1; write version 2"),
        (b"PK\x03\x04", "ZIP archive; unpack it"),
        (b"\x28\xb5\x2f\xfd", "zstandard; use gzip"),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16; write it again in UTF-8"),
    ],
)
def test_a_format_that_is_not_read_is_named(tmp_path: Path, beginning: bytes, told: str) -> None:
    (tmp_path / "a.csv").write_bytes(beginning + b"\x00" * 10)

    with pytest.raises(DataError, match=told):
        read(tmp_path / "a.csv", ["a"])


def test_a_schema_names_every_column_of_every_file(tmp_path: Path) -> None:
    write_parquet(tmp_path / "1.parquet", {"a": [1], "b": ["x"]})
    write_csv(tmp_path / "2.csv", {"c": [0], "a": ["two"]})
    write_json_lines(tmp_path / "3.jsonl", {"d": [1.5], "e": [{"f": 1}]})
    write_arrow(tmp_path / "4.arrow", {"g": [True]})

    found = schema([tmp_path])

    assert dict(zip(found.names, map(str, found.types), strict=True)) == {
        "a": "int64",
        "b": "string",
        "c": "string",
        "d": "double",
        "e": "string",
        "g": "bool",
    }
