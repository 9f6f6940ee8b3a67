from __future__ import annotations

import json
from pathlib import Path

import pytest

from monitoring.errors import DataError
from monitoring.reading import batches
from tests.monitoring.reading.tables import read, same


def lines(folder: Path, *records: object) -> Path:
    path = folder / "table.jsonl"
    path.write_text("".join((each if isinstance(each, str) else json.dumps(each)) + "\n" for each in records))
    return path


def test_a_column_has_the_narrowest_type_that_holds_all_its_values(tmp_path: Path) -> None:
    values = {
        "int": [1, None],
        "float": [1, 2.5],
        "bool": [True, False],
        "text": ["1", "2026-01-01"],
        "null": [None] * 2,
    }
    path = lines(tmp_path, *({name: values[name][row] for name in values} for row in (0, 1)))

    (batch,) = batches([path], list(values))

    assert [str(kind) for kind in batch.schema.types] == ["int64", "double", "bool", "string", "null"]
    assert batch.to_pydict() == values


def test_values_of_several_types_become_text(tmp_path: Path) -> None:
    values = [1, 1.5, "x", True, None, [1, "y"], {"z": None}, float("nan")]

    assert read(lines(tmp_path, *({"a": value} for value in values)), "a") == {
        "a": ["1", "1.5", "x", "true", None, '[1, "y"]', '{"z": null}', "NaN"]
    }


def test_an_integer_keeps_its_digits_however_large(tmp_path: Path) -> None:
    large = [2**53 + 1, 2**63 - 1, -(2**63)]

    assert read(lines(tmp_path, *({"a": value} for value in large)), "a") == {"a": large}
    assert read(lines(tmp_path, {"a": 2**64 - 1}, {"a": 1}), "a") == {"a": [str(2**64 - 1), "1"]}
    assert read(lines(tmp_path, {"a": 2**53 + 1}, {"a": 0.5}), "a") == {"a": [str(2**53 + 1), "0.5"]}


def test_literals_that_are_no_json_but_often_written(tmp_path: Path) -> None:
    found = read(lines(tmp_path, '{"a": NaN}', '{"a": -Infinity}', '{"a": 1e999}', '{"a": 2}'), "a")

    assert same(found, {"a": [float("nan"), float("-inf"), float("inf"), 2.0]})


def test_columns_that_come_late_or_not_in_every_line(tmp_path: Path) -> None:
    late = [{"a": 1}] * 200 + [{"b": "x"}, {"a": 2, "c": {}}]

    assert read(lines(tmp_path, *late), "abz") == {
        "a": [1] * 200 + [None, 2],
        "b": [None] * 200 + ["x", None],
        "z": [None] * 202,
    }


def test_types_may_change_between_blocks(tmp_path: Path) -> None:
    rows = [*range(50_000), *(f"text {row}" for row in range(50_000)), *(row + 0.5 for row in range(50_000))]
    path = lines(tmp_path, *({"a": row, "pad": "x" * 80} for row in rows))

    found = read(path, "a")["a"]

    assert path.stat().st_size > 3 * 4 * 1024 * 1024
    assert [str(value) for value in found] == [str(row) for row in rows]


def test_a_column_whose_value_was_null_for_long_is_not_lost(tmp_path: Path) -> None:
    rows = [{"a": None, "pad": "x" * 50}] * 100_000 + [{"a": 1.5}]

    assert read(lines(tmp_path, *rows), "a")["a"] == [None] * 100_000 + [1.5]


def test_empty_lines_a_byte_order_mark_carriage_returns_and_no_last_end(tmp_path: Path) -> None:
    path = tmp_path / "table.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n\r\n  {"a": 2} \n\n{"a": 3}')

    assert read(path, "a") == {"a": [1, 2, 3]}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("[1]", "it is a list, not an object"),
        ("null", "it is a NoneType, not an object"),
        ("7", "it is a int, not an object"),
        ('{"a": 1', "it is no JSON"),
        ('{"a": 1}{"a": 2}', "it is no JSON"),
        ('{"a": 1}, {"a": 2}', "it is no JSON"),
        ('{"a": "\\ud800"}', "it has half of a surrogate pair"),
        ('{"a": ' + "9" * 5000 + "}", "it is no JSON"),
        ('{"a": ' + "[" * 5000 + "]" * 5000 + "}", "it is nested too deep"),
    ],
)
@pytest.mark.parametrize("before", [1, 300])
def test_a_line_that_is_no_object_is_told_with_its_number(tmp_path: Path, line: str, told: str, before: int) -> None:
    path = lines(tmp_path, *[{"a": 1}] * before, line, {"a": 2})

    with pytest.raises(DataError, match=rf"table.jsonl, line {before + 1}: .*{told}"):
        read(path, "a")


def test_objects_over_several_lines_are_no_json_lines(tmp_path: Path) -> None:
    path = lines(tmp_path, *[{"a": 1}] * 200, '{"a": 1}{"a":', "2}")

    with pytest.raises(DataError, match="line 201"):
        read(path, "a")


def test_an_array_of_records_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is one JSON array; write JSON Lines"):
        read(lines(tmp_path, [{"a": 1}]), "a")


def test_nesting_that_no_text_can_hold_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nested too deep"):
        read(lines(tmp_path, '{"a": ' + "[" * 1020 + "]" * 1020 + "}"), "a")


def test_bytes_that_are_no_utf_8_are_told_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "table.jsonl"
    path.write_bytes(b'{"a": "x"}\n' * 300 + b'{"a": "\xe9"}\n')

    with pytest.raises(DataError, match=r"line 301: it is no JSON \(it is no UTF-8 text\)"):
        read(path, "a")
