"""What was written is what is read, whatever the format and the values."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.monitoring.reading.tables import (
    INTEGERS,
    NUMBERS,
    TEXTS,
    Columns,
    Writer,
    columns,
    read,
    same,
    write_arrow,
    write_arrow_stream,
    write_csv,
    write_json_lines,
    write_parquet,
    zipped,
)

QUICK = settings(max_examples=40, deadline=None)


@pytest.mark.parametrize(
    ("name", "write"),
    [("t.parquet", write_parquet), ("t.arrow", write_arrow), ("t.feather", write_arrow_stream)],
)
@QUICK
@given(content=columns(TEXTS, NUMBERS, INTEGERS, st.booleans()), rows=st.integers(1, 40))
def test_typed_formats_give_the_same_values_of_the_same_types(
    name: str, write: Writer, content: Columns, rows: int
) -> None:
    with TemporaryDirectory() as folder:
        assert same(read(write(Path(folder, name), content), content, rows=rows), content)


@QUICK
@given(content=columns(TEXTS, NUMBERS, INTEGERS, st.booleans()), rows=st.integers(1, 40))
def test_json_lines_give_the_same_values(content: Columns, rows: int) -> None:
    with TemporaryDirectory() as folder:
        path = write_json_lines(Path(folder, "t.jsonl"), content)

        assert same(read(path, content, rows=rows), content)
        assert same(read(zipped(path), content), content)


@pytest.mark.parametrize(("name", "delimiter"), [("t.csv", ","), ("t.tsv", "\t")])
@QUICK
@given(content=columns(TEXTS, NUMBERS, INTEGERS), rows=st.integers(1, 40))
def test_csv_gives_the_same_texts_and_null_for_an_empty_field(
    name: str, delimiter: str, content: Columns, rows: int
) -> None:
    texts = {
        name: [None if value is None or value == "" else str(value) for value in values]
        for name, values in content.items()
    }
    with TemporaryDirectory() as folder:
        path = write_csv(Path(folder, name), content, delimiter)

        assert read(path, content, rows=rows) == texts
        assert read(zipped(path), content) == texts


@QUICK
@given(content=columns(TEXTS), wanted=st.lists(st.integers(0, 3)))
def test_only_the_columns_that_are_asked_for_are_read(content: Columns, wanted: list[int]) -> None:
    names = [name for place, name in enumerate(content) if place in wanted]
    with TemporaryDirectory() as folder:
        for name, write in (("t.parquet", write_parquet), ("t.arrow", write_arrow), ("t.jsonl", write_json_lines)):
            expected = {name: content[name] for name in names}

            assert read(write(Path(folder, name), content), [*names, "what no file has"]) == {
                **expected,
                "what no file has": [None] * len(next(iter(content.values()))),
            }
