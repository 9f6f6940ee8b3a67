"""Baselines and profiles as files."""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, pairwise
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from monitoring.arrays import flags_of, from_flags, from_numbers, from_texts, numbers_of
from monitoring.baseline import Baseline
from monitoring.counting.tally import Fact
from monitoring.errors import DataError, MonitoringError
from monitoring.profile import Profile
from monitoring.spool import Spool

FORMAT = 1
_COUNTS, _UNSEEN, _ROWS, _LABELS, _ABOUT = (
    "counts.parquet",
    "unseen.parquet",
    "rows.parquet",
    "labels.parquet",
    "about.json",
)
_WEIGHTS, _BATCH_ROWS = 4, 1 << 17
_SCHEMA = pa.schema(
    [
        ("part", pa.dictionary(pa.int32(), pa.string())),
        ("period", pa.int64()),
        ("rounded", pa.bool_()),
        ("key", pa.float64()),
        *((f"weight{place}", pa.float64()) for place in range(_WEIGHTS)),
    ]
)
"""One table for all that adds up: counts of cells, sums by their number, weights of values."""


def read_baseline(path: Path) -> Baseline:
    """The baseline of a JSON file; raises MonitoringError with a sentence where it is none."""
    body = read_json(path)
    try:
        return Baseline.parse(body)
    except (KeyError, TypeError, AttributeError) as error:
        raise MonitoringError(f"{path} is no whole baseline ({error!r}); make it again") from error


def read_json(path: Path) -> Any:
    """What a JSON file says; raises DataError where it cannot be read."""
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); give the path of a JSON file") from error
    except ValueError as error:
        raise DataError(f"{path} is no JSON ({error})") from error


def write_json(path: Path, body: Any) -> None:
    """Writes JSON whole or not at all."""
    with whole(path) as file:
        file.write(json.dumps(body, allow_nan=False).encode())


def save(profile: Profile, path: Path) -> None:
    """Writes a profile whole or not at all."""
    with whole(path) as file:
        dump(profile, file)


def dump(profile: Profile, file: IO[bytes]) -> None:
    """Writes a profile: an archive of Parquet tables that other programs can read too."""
    about = {
        "format": FORMAT,
        "baseline": profile.baseline.fingerprint,
        "problems": profile.problems,
        "not_monitored": profile.not_monitored,
    }
    with zipfile.ZipFile(file, "w") as archive:
        for name, table in ((_COUNTS, _counts(profile)), (_UNSEEN, _unseen(profile))):
            with archive.open(name, "w") as entry:
                _write(table, entry)
        for name, spool in ((_ROWS, profile.records.rows), (_LABELS, profile.records.labels)):
            if spool.rows:
                with archive.open(name, "w") as entry:
                    _write_all(spool, entry)
        archive.writestr(_ABOUT, json.dumps(about))


def load(baseline: Baseline, path: Path) -> Profile:
    """The profile of a file; raises MonitoringError where it is none, or was counted against another baseline."""
    try:
        with path.open("rb") as file:
            return parse(baseline, file, str(path))
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); give the path of a profile") from error


def profiles(paths: Iterable[Path]) -> list[Path]:
    """The files of *paths*, of which folders stand for all files in them; raises DataError where a folder is empty."""
    found: list[Path] = []
    for path in paths:
        files = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
        if not files:
            raise DataError(f"{path} has no profile in it; give the folder that `profile` wrote to")
        found += files
    return found


def parse(baseline: Baseline, file: IO[bytes], name: str) -> Profile:
    """As `load`, from what `dump` wrote; *name* is what errors call it."""
    try:
        with zipfile.ZipFile(file) as archive:
            about = json.loads(archive.read(_ABOUT))
            fits = about["format"] == FORMAT and about["baseline"] == baseline.fingerprint
            if fits:
                return _load(baseline, archive, about)
    except (zipfile.BadZipFile, KeyError, ValueError, pa.ArrowException) as error:
        raise DataError(f"{name} is no profile, or not a whole one ({error}); count again") from error
    if about["format"] != FORMAT:
        raise MonitoringError(f"{name} has format {about['format']}, this program reads {FORMAT}; count again")
    raise MonitoringError(f"{name} was counted against another baseline; count again against this one")


@contextmanager
def whole(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes the place of *path* when all is written, and leaves no trace where something fails."""
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise MonitoringError(
            f"{path} cannot be written ({error.strerror}); name a file in a folder that is there"
        ) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _counts(profile: Profile) -> pa.Table:
    parts = profile.parts()
    numbers = [(place, fact) for place, part in enumerate(parts.values()) for fact in part.facts()]
    size = [len(fact.keys) for _, fact in numbers]

    def column(kind: type, each: Iterable[Any]) -> np.ndarray:
        return np.concatenate([*each, np.zeros(0)]).astype(kind, copy=False)

    places = np.repeat(np.array([place for place, _ in numbers], np.int32), size)
    columns = [
        pa.DictionaryArray.from_arrays(from_numbers(places), from_texts(list(parts))),
        from_numbers(column(np.int64, (fact.periods for _, fact in numbers))),
        from_flags(np.repeat(np.array([fact.rounded for _, fact in numbers], bool), size)),
        from_numbers(column(np.float64, (fact.keys for _, fact in numbers))),
    ]
    for place in range(_WEIGHTS):
        weights = (
            fact.weights[place] if place < len(fact.weights) else np.zeros(len(fact.keys)) for _, fact in numbers
        )
        columns.append(from_numbers(column(np.float64, weights)))
    return pa.Table.from_arrays(columns, schema=_SCHEMA)


def _write(table: pa.Table, entry: IO[bytes]) -> None:
    numbers = [field.name for field in table.schema if pa.types.is_floating(field.type)]
    others = [field.name for field in table.schema if field.name not in numbers]
    pq.write_table(table, entry, compression="lz4", use_dictionary=others, use_byte_stream_split=numbers)


def _write_all(spool: Spool, entry: IO[bytes]) -> None:
    batches = iter(spool)
    first = next(batches)
    with pq.ParquetWriter(entry, first.schema, compression="lz4") as writer:
        for batch in chain([first], batches):
            writer.write_batch(batch)


def _unseen(profile: Profile) -> pa.Table:
    rows = [
        (name, period, value, n)
        for name, counted in profile.features.items()
        for period, counts in counted.unseen.by_period().items()
        for value, n in counts.items()
    ]
    columns = {
        "feature": from_texts([name for name, _, _, _ in rows]),
        "period": from_numbers(np.array([period for _, period, _, _ in rows], np.int64)),
        "value": from_texts([value for _, _, value, _ in rows]),
        "n": from_numbers(np.array([n for _, _, _, n in rows], np.int64)),
    }
    return pa.Table.from_arrays(list(columns.values()), list(columns))


def _load(baseline: Baseline, archive: zipfile.ZipFile, about: dict[str, Any]) -> Profile:
    profile = Profile(baseline)
    parts = profile.parts()
    for name, fact in _facts(_table(archive, _COUNTS)):
        parts[name].take(fact)
    for row in _table(archive, _UNSEEN).to_pylist():
        profile.features[row["feature"]].unseen.take(row["period"], {row["value"]: row["n"]})
    kept = archive.namelist()
    for name, spool in ((_ROWS, profile.records.rows), (_LABELS, profile.records.labels)):
        if name in kept:
            with archive.open(name) as entry:
                for batch in pq.ParquetFile(entry).iter_batches(_BATCH_ROWS):
                    spool.append(batch)
    profile.problems, profile.not_monitored = dict(about["problems"]), dict(about["not_monitored"])
    return profile


def _table(archive: zipfile.ZipFile, name: str) -> pa.Table:
    return pq.ParquetFile(pa.BufferReader(archive.read(name))).read()


def _facts(counts: pa.Table) -> Iterable[tuple[str, Fact]]:
    if not len(counts):
        return
    part = counts["part"].unify_dictionaries().combine_chunks()
    names: Sequence[str] = part.dictionary.to_pylist()
    codes, rounded = numbers_of(part.indices), flags_of(counts["rounded"])
    edges = np.flatnonzero((codes[1:] != codes[:-1]) | (rounded[1:] != rounded[:-1])) + 1
    periods, keys, *weights = (
        numbers_of(counts[name]) for name in counts.column_names if name not in ("part", "rounded")
    )
    for first, last in pairwise([0, *edges.tolist(), len(codes)]):
        some = np.array([each[first:last] for each in weights])
        yield names[codes[first]], Fact(periods[first:last], keys[first:last], some, bool(rounded[first]))
