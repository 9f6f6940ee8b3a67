"""Tables of any content, and each format written by other hands than those that read it."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from monitoring.reading import Capture, Problems, batches

Columns = Mapping[str, Sequence[Any]]

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ['"', "a,b", "line\nline", "\r\n", "é漢🙂", " ", "null", "NaN", "1", "\t", "'", "\\", "\ufeff", "\x00"]
)
NUMBERS = st.floats() | st.sampled_from([0.0, -0.0, 1e308, 5e-324])
INTEGERS = st.integers(-(2**63), 2**63 - 1)


@st.composite
def columns(draw: st.DrawFn, *kinds: st.SearchStrategy[Any]) -> Columns:
    """One to four columns of equal length, each of one kind, with nulls."""
    count = draw(st.integers(1, 30))
    names = draw(st.lists(st.text(st.characters(codec="ascii", min_codepoint=33), min_size=1), min_size=1, unique=True))
    chosen = st.sampled_from(kinds)
    return {name: draw(st.lists(draw(chosen) | st.none(), min_size=count, max_size=count)) for name in names[:4]}


def read(path: Path | Sequence[Path], names: Iterable[str], **options: Any) -> dict[str, list[Any]]:
    """All values of each column, None for rows whose batch has not got it."""
    names = list(names)
    found: dict[str, list[Any]] = {name: [] for name in names}
    for batch in batches([path] if isinstance(path, Path) else path, names, **options):
        assert set(batch.schema.names) <= set(names)
        assert batch.num_rows > 0
        given = batch.to_pydict()
        for name in names:
            found[name] += given.get(name, [None] * batch.num_rows)
    return found


def read_events(path: Path, capture: Capture) -> tuple[dict[str, list[Any]], dict[str, int]]:
    """The columns of captured events, and what was wrong how often."""
    problems = Problems()
    found = read(path, capture.columns, capture=capture, problems=problems)
    return found, dict(problems.counts)


def write_csv(path: Path, content: Columns, delimiter: str = ",") -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL)
        writer.writerow(content)
        writer.writerows(zip(*content.values(), strict=True))
    return path


def write_json_lines(path: Path, content: Columns) -> Path:
    rows = [dict(zip(content, row, strict=True)) for row in zip(*content.values(), strict=True)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def write_parquet(path: Path, content: Columns, **options: Any) -> Path:
    pq.write_table(pa.table(dict(content)), path, **options)
    return path


def write_arrow(path: Path, content: Columns) -> Path:
    table = pa.table(dict(content))
    with pa.ipc.new_file(path, table.schema) as file:
        file.write_table(table)
    return path


def write_arrow_stream(path: Path, content: Columns) -> Path:
    table = pa.table(dict(content))
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return path


def zipped(path: Path) -> Path:
    other = path.with_name(path.name + ".gz")
    other.write_bytes(gzip.compress(path.read_bytes()))
    return other


def same(one: Columns, other: Columns) -> bool:
    """Whether two tables have the same values, NaN like NaN, 1 like 1.0."""
    return {name: [_told(value) for value in values] for name, values in one.items()} == {
        name: [_told(value) for value in values] for name, values in other.items()
    }


def _told(value: Any) -> Any:
    return "not a number" if isinstance(value, float) and value != value else value  # noqa: PLR0124


Writer = Callable[[Path, Columns], Path]
