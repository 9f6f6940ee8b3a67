from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from monitoring.errors import DataError
from tests.monitoring.reading.tables import read


def csv_file(folder: Path, text: str | bytes) -> Path:
    path = folder / "table.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_every_column_is_text_as_a_later_block_may_not_fit_an_inferred_type(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "a,b,c\n1,01.50,2026-01-01\n,true,x\n")

    assert read(path, "abc") == {"a": ["1", None], "b": ["01.50", "true"], "c": ["2026-01-01", "x"]}


def test_quotes_newlines_and_empty_fields(tmp_path: Path) -> None:
    path = csv_file(tmp_path, 'a,b\n"x ""y""\nz, ","1"\n"",\n5" pipe,\' \n')

    assert read(path, "ab") == {"a": ['x "y"\nz, ', None, '5" pipe'], "b": ["1", None, "' "]}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_byte_order_mark_any_end_of_line_and_no_end_of_the_last_line(tmp_path: Path, end: str) -> None:
    path = csv_file(tmp_path, "\ufeff" + end.join(["a,b", "1,2", "", "3,4"]))

    assert read(path, "ab") == {"a": ["1", "3"], "b": ["2", "4"]}


def test_an_empty_line_of_a_single_column_is_a_row(tmp_path: Path) -> None:
    assert read(csv_file(tmp_path, "a\n1\n\n3\n"), "a") == {"a": ["1", None, "3"]}


@pytest.mark.parametrize("text", ["a,b\n", "a,b", "a", '"a","b"\r\n'])
def test_a_header_alone_is_no_row(tmp_path: Path, text: str) -> None:
    assert read(csv_file(tmp_path, text), "ab") == {"a": [], "b": []}


def test_rows_are_counted_even_if_no_column_is_needed(tmp_path: Path) -> None:
    assert read(csv_file(tmp_path, "a,b\n1,2\n3,4\n"), "z") == {"z": [None, None]}


@pytest.mark.parametrize(("row", "fields"), [("1", 1), ("1,2,3", 3), ("1,2,", 3), (" ", 1)])
@pytest.mark.parametrize("compressed", [False, True])
def test_a_row_with_another_number_of_fields_is_told_with_its_line(
    tmp_path: Path, row: str, fields: int, *, compressed: bool
) -> None:
    path = csv_file(tmp_path, f'a,b\n"x\ny",2\n\n{row}\n5,6\n')
    if compressed:
        path.write_bytes(gzip.compress(path.read_bytes()))

    with pytest.raises(DataError, match=f"table.csv, line 5: the row has {fields} fields, the header 2"):
        read(path, "b")


def test_such_a_row_is_found_in_a_later_block_too(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "a,b\n" + "12345,12345\n" * 500_000 + "1\n")

    with pytest.raises(DataError, match="line 500002: the row has 1 fields, the header 2"):
        read(path, "b")


def test_a_file_of_many_blocks_has_all_its_rows(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "a,b\n" + "".join(f'{row},"{row}\n"\n' for row in range(600_000)))

    assert path.stat().st_size > 2 * 4 * 1024 * 1024
    assert read(path, "a", rows=1000)["a"] == [str(row) for row in range(600_000)]


@pytest.mark.parametrize("rest", ['"2', '2\n3,"4\n5,6\n', '2\n"3', '"'])
def test_a_quote_that_is_never_closed_swallows_no_row_in_silence(tmp_path: Path, rest: str) -> None:
    line = 2 + rest.partition('"')[0].count("\n")

    with pytest.raises(DataError, match=f"line {line}: .* quote"):
        read(csv_file(tmp_path, f"a,b\n1,{rest}"), "a")


def test_such_a_quote_may_swallow_more_than_a_block(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "a,b\n" + "3,4\n" * 2_000_000 + '1,"2\n' + "3,4\n" * 2_000_000)

    with pytest.raises(DataError, match="line 2000002: a quote opens and is never closed"):
        read(path, "a")


def test_a_text_may_be_larger_than_a_block_and_have_many_lines(tmp_path: Path) -> None:
    large = "line\n" * 2_000_000

    assert read(csv_file(tmp_path, f'a,b\n1,"{large}"\n2,y\n'), "ab") == {"a": ["1", "2"], "b": [large, "y"]}


def test_quotes_within_texts_hide_no_end_of_a_row_in_any_block(tmp_path: Path) -> None:
    rows = [f'5" pipe {row}' if row % 1000 == 7 else f"{row}" for row in range(200_000)]
    path = csv_file(tmp_path, "a,b\n" + "".join(f'{row},"long\n{"x" * 50}"\n' for row in rows))

    assert path.stat().st_size > 3 * 4 * 1024 * 1024
    assert read(path, "a")["a"] == rows


def test_bytes_that_are_no_utf_8_are_told_with_their_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 3: it is no UTF-8 text; write the file again in UTF-8"):
        read(csv_file(tmp_path, "a,b\n1,2\n3,é\n".encode("latin-1")), "ab")
    with pytest.raises(DataError, match="line 1: it is no UTF-8 text"):
        read(csv_file(tmp_path, "é,b\n1,2\n".encode("latin-1")), "b")


def test_a_needed_column_that_is_there_twice_is_told(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "a,b,b\n1,2,3\n")

    assert read(path, "a") == {"a": ["1"]}
    with pytest.raises(DataError, match="has 2 columns named b; rename all but one"):
        read(path, "ab")


def test_gzip_may_have_several_members_but_must_be_whole(tmp_path: Path) -> None:
    members = gzip.compress(b"a,b\n1,2\n") + gzip.compress(b"3,4\n")

    assert read(csv_file(tmp_path, members), "a") == {"a": ["1", "3"]}
    with pytest.raises(DataError, match="only the beginning of a gzip file"):
        read(csv_file(tmp_path, members[:-3]), "a")
    with pytest.raises(DataError, match="damaged gzip file"):
        read(csv_file(tmp_path, members[:-6] + b"x" + members[-5:]), "a")
