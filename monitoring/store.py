"""Baselines and profiles as files."""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from monitoring.baseline import Baseline
from monitoring.counting.tally import Fact
from monitoring.errors import DataError, MonitoringError
from monitoring.profile import Profile

FORMAT = 1
_COUNTS, _UNSEEN, _ROWS, _LABELS, _ABOUT = (
    "counts.parquet",
    "unseen.parquet",
    "rows.parquet",
    "labels.parquet",
    "about.json",
)
_SCHEMA = pa.schema(
    [
        ("part", pa.dictionary(pa.int32(), pa.string())),
        ("period", pa.int64()),
        ("key", pa.float64()),
        ("a", pa.float64()),
        ("b", pa.float64()),
        ("c", pa.float64()),
    ]
)
"""One table for all that adds up: counts of cells, sums by their number, weights of values."""


def read_baseline(path: Path) -> Baseline:
    """The baseline of a JSON file; raises MonitoringError with a sentence where it is none."""
    return Baseline.parse(read_json(path))


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
    """Writes a profile whole or not at all: an archive of Parquet tables that other programs can read too."""
    with whole(path) as file, zipfile.ZipFile(file, "w") as archive:
        with archive.open(_COUNTS, "w") as entry:
            pq.write_table(_counts(profile), entry, compression="zstd")
        with archive.open(_UNSEEN, "w") as entry:
            pq.write_table(_unseen(profile), entry, compression="zstd")
        for name, batches in ((_ROWS, profile.records.rows), (_LABELS, profile.records.labels)):
            if batches:
                with (
                    archive.open(name, "w") as entry,
                    pq.ParquetWriter(entry, batches[0].schema, compression="zstd") as out,
                ):
                    for batch in batches:
                        out.write_batch(batch)
        about = {
            "format": FORMAT,
            "baseline": profile.baseline.fingerprint,
            "problems": profile.problems,
            "not_monitored": profile.not_monitored,
        }
        archive.writestr(_ABOUT, json.dumps(about))


def load(baseline: Baseline, path: Path) -> Profile:
    """The profile of a file; raises MonitoringError where it is none, or was counted against another baseline."""
    try:
        with zipfile.ZipFile(path) as archive:
            about = json.loads(archive.read(_ABOUT))
            if about["format"] != FORMAT:
                raise MonitoringError(f"{path} has format {about['format']}, this program reads {FORMAT}; count again")
            if about["baseline"] != baseline.fingerprint:
                raise MonitoringError(f"{path} was counted against another baseline; count again against this one")
            return _load(baseline, archive, about)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error}); give the path of a profile") from error
    except (zipfile.BadZipFile, KeyError, ValueError, pa.ArrowException) as error:
        if isinstance(error, MonitoringError):
            raise
        raise DataError(f"{path} is no profile, or not a whole one ({error}); count again") from error


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
    names = list(profile.parts())
    columns: list[list[np.ndarray]] = [[] for _ in range(6)]
    for place, part in enumerate(profile.parts().values()):
        for fact in part.facts():
            size = len(fact.keys)
            nothing = np.full(size, np.nan)
            row = (np.full(size, place, np.int32), fact.periods, fact.keys.astype(float), fact.a.astype(float))
            for column, each in zip(
                columns, (*row, *(nothing if x is None else x for x in (fact.b, fact.c))), strict=True
            ):
                column.append(each)
    part, period, *numbers = (np.concatenate(each) if each else np.zeros(0) for each in columns)
    parts = pa.DictionaryArray.from_arrays(pa.array(part.astype(np.int32)), pa.array(names, pa.string()))
    arrays = [
        parts,
        pa.array(period.astype(np.int64)),
        *(pa.array(each, pa.float64(), from_pandas=True) for each in numbers),
    ]
    return pa.Table.from_arrays(arrays, schema=_SCHEMA)


def _unseen(profile: Profile) -> pa.Table:
    rows = [
        {"feature": name, "period": period, "value": value, "n": n}
        for name, counted in profile.features.items()
        for period, counts in counted.unseen.by_period().items()
        for value, n in counts.items()
    ]
    schema = pa.schema([("feature", pa.string()), ("period", pa.int64()), ("value", pa.string()), ("n", pa.int64())])
    return pa.Table.from_pylist(rows, schema)


def _load(baseline: Baseline, archive: zipfile.ZipFile, about: dict[str, Any]) -> Profile:
    profile = Profile(baseline)
    parts = profile.parts()
    for name, fact in _facts(_table(archive, _COUNTS)):
        parts[name].take(fact)
    for row in _table(archive, _UNSEEN).to_pylist():
        profile.features[row["feature"]].unseen.take(row["period"], {row["value"]: row["n"]})
    kept = archive.namelist()
    for name, batches in ((_ROWS, profile.records.rows), (_LABELS, profile.records.labels)):
        if name in kept:
            batches.extend(_table(archive, name).to_batches())
    profile.problems, profile.not_monitored = dict(about["problems"]), dict(about["not_monitored"])
    return profile


def _table(archive: zipfile.ZipFile, name: str) -> pa.Table:
    return pq.read_table(pa.BufferReader(archive.read(name)))


def _facts(counts: pa.Table) -> Iterable[tuple[str, Fact]]:
    if not len(counts):
        return
    part = counts["part"].unify_dictionaries().combine_chunks()
    codes = part.indices.to_numpy()
    edges = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]])).tolist()
    columns = [counts[name].to_numpy() for name in ("period", "key", "a", "b", "c")]
    names: Sequence[str] = part.dictionary.to_pylist()
    for first, last in zip(edges, [*edges[1:], len(codes)], strict=True):
        yield names[codes[first]], Fact(*(column[first:last] for column in columns))
