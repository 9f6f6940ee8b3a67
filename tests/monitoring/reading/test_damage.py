"""A damaged file gives rows or a sentence: no other exception, and no rows lost without a word."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.errors import DataError
from monitoring.reading import Problems, batches, schema
from tests.monitoring.reading.events import BINARY, event, write_events
from tests.monitoring.reading.tables import (
    write_arrow,
    write_arrow_stream,
    write_csv,
    write_json_lines,
    write_parquet,
    zipped,
)

CONTENT = {"age": list(range(40)), "job": ["clerk", "a\n\"b'", None, "é漢"] * 10, "x": [0.5, None, 1e300, -0.0] * 10}
NAMES = list(CONTENT)


def written_capture(path: Path) -> Path:
    row = {"instances": [{"age": 1, "job": "x"}]}
    return write_events(
        path,
        [
            event("1,x\n2,y", "0.5,1\n,", "text/csv"),
            event(row, {"predictions": [{"probability": 0.5, "prediction": 1}]}, inferenceId="i"),
            event('job,age\n"x","3"\n', "0.5\n", "text/csv", "application/jsonlines"),
        ],
    )


WRITERS: dict[str, Callable[[Path], Path]] = {
    "t.parquet": lambda path: write_parquet(path, CONTENT, write_page_checksum=True, row_group_size=16),
    "plain.parquet": lambda path: write_parquet(path, CONTENT, compression="none", use_dictionary=False),
    "file.arrow": lambda path: write_arrow(path, CONTENT),
    "stream.arrow": lambda path: write_arrow_stream(path, CONTENT),
    "t.csv": lambda path: write_csv(path, CONTENT),
    "zipped.csv": lambda path: zipped(write_csv(path, CONTENT)),
    "t.jsonl": lambda path: write_json_lines(path, CONTENT),
    "capture.jsonl": written_capture,
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("whole")
    return {name: write(folder / name) for name, write in WRITERS.items()}


def attempt(path: Path) -> list[Any] | None:
    """The batches that are read, None for a sentence that names the file; anything else is raised."""
    with suppress(DataError):
        schema([path], capture=BINARY)
    try:
        return list(batches([path], [*NAMES, "p", "id"], capture=BINARY, problems=Problems(), rows=7))
    except DataError as error:
        sentence = str(error)
    assert path.name in sentence
    assert len(sentence) < 500
    return None


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_cut_off_anywhere(name: str, whole: dict[str, Path], tmp_path: Path) -> None:
    content = whole[name].read_bytes()
    everything = rows(attempt(whole[name]))
    path = tmp_path / whole[name].name
    for end in range(1, len(content), max(1, len(content) // 150)):
        path.write_bytes(content[:end])
        found = attempt(path)
        if found is None or name == "capture.jsonl":
            continue
        # Lines may end anywhere without a trace, but only the last can be another than it was.
        assert name in ("t.csv", "t.jsonl")
        before = rows(found)[:-1]
        assert before == everything[: len(before)]


def rows(found: list[Any] | None) -> list[dict[str, Any]]:
    assert found is not None
    return [row for batch in found for row in batch.to_pylist()]


@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=50, deadline=None)
@given(flips=st.lists(st.tuples(st.integers(0), st.integers(1, 255)), min_size=1, max_size=4))
def test_a_file_with_other_bytes_anywhere(name: str, flips: list[tuple[int, int]], whole: dict[str, Path]) -> None:
    content = bytearray(whole[name].read_bytes())
    for place, change in flips:
        content[place % len(content)] ^= change
    with TemporaryDirectory() as folder:
        path = Path(folder, whole[name].name)
        path.write_bytes(content)
        attempt(path)


@settings(max_examples=50, deadline=None)
@given(content=st.binary(min_size=1, max_size=200), name=st.sampled_from([*WRITERS, "t.tsv", "t.gz", "t.feather", "t"]))
def test_a_file_of_any_bytes(content: bytes, name: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        attempt(path)
        path.write_bytes(gzip.compress(content))
        attempt(path)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["0.5", "1,x", "age"]),
    lambda each: (
        st.lists(each, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["age", "job", "instances", "inputs", "columns", "data", "predictions", "probabilities", "error"]
            ),
            each,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=120, deadline=None)
@given(
    request=JSON | st.text(max_size=10),
    answer=JSON | st.text(max_size=10),
    kind=st.sampled_from(["text/csv", "application/json", "", "x"]),
)
def test_bodies_of_any_json(request: object, answer: object, kind: str) -> None:
    with TemporaryDirectory() as folder:
        path = write_events(Path(folder, "capture.jsonl"), [event(request, answer, kind)] * 2)
        assert attempt(path) is not None


@settings(max_examples=60, deadline=None)
@given(event=JSON, side=JSON, metadata=JSON)
def test_events_of_any_json(event: object, side: object, metadata: object) -> None:
    events = [
        {"captureData": event, "eventMetadata": metadata},
        {"captureData": {"endpointInput": side, "endpointOutput": event}, "eventMetadata": {"inferenceId": metadata}},
        {"captureData": {"endpointInput": {"data": "1,x", "encoding": side, "observedContentType": metadata}}},
    ]
    with TemporaryDirectory() as folder:
        assert attempt(write_events(Path(folder, "capture.jsonl"), events)) is not None


@settings(max_examples=60, deadline=None)
@given(records=st.lists(st.dictionaries(st.sampled_from(NAMES), JSON), min_size=1, max_size=5))
def test_records_of_any_json(records: list[dict[str, object]]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "t.jsonl")
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
        assert sum(batch.num_rows for batch in batches([path], NAMES)) == len(records)
