"""What a file is: by its first bytes where they say it, else by its name."""

from __future__ import annotations

from gzip import GzipFile
from pathlib import Path
from typing import Any, Literal, NamedTuple

from monitoring.errors import DataError

Kind = Literal["parquet", "arrow", "csv", "tsv", "json"]

_HEAD = 64 * 1024
_BOM = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"
_ENDINGS: dict[str, Kind] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
}
_OTHERS = {
    b"FEA1": "a Feather file of version 1; write version 2",
    b"BZh": "compressed with bzip2; use gzip",
    b"\x28\xb5\x2f\xfd": "compressed with zstandard; use gzip",
    b"\xfd7zXZ\x00": "compressed with xz; use gzip",
    b"PK\x03\x04": "a ZIP archive; unpack it",
    b"Obj\x01": "an Avro file; write Parquet",
    b"ORC": "an ORC file; write Parquet",
    b"\xff\xfe": "text in UTF-16; write it again in UTF-8",
    b"\xfe\xff": "text in UTF-16; write it again in UTF-8",
}


class Source(NamedTuple):
    """A file, what it is, and its first bytes after decompression."""

    path: Path
    kind: Kind
    gzip: bool
    head: bytes

    def open(self) -> Any:
        """Its bytes from the beginning, decompressed."""
        return _open(self.path, gzip=self.gzip)


def recognise(path: Path) -> Source:
    """What the file is; raises DataError where it is empty or none of ours."""
    head = _head(path, gzip=False)
    gzip = head.startswith(_GZIP) or head == _GZIP[:1]
    if gzip:
        head = _head(path, gzip=True)
    if not head.removeprefix(_BOM).strip():
        raise DataError(f"{path} is empty; leave it out, or write it again")
    for magic, what in _OTHERS.items():
        if head.startswith(magic):
            raise DataError(f"{path} is {what}")
    kind = _kind(path, head)
    if gzip and kind in ("parquet", "arrow"):
        raise DataError(f"{path} is a compressed {kind.capitalize()} file, which cannot be read in pieces; unpack it")
    return Source(path, kind, gzip, head)


def _kind(path: Path, head: bytes) -> Kind:
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        return "arrow"
    name = path.name.lower().removesuffix(".gz")
    for ending, kind in _ENDINGS.items():
        if name.endswith(ending):
            return kind
    return "json" if head.removeprefix(_BOM).lstrip().startswith(b"{") else "csv"


def _head(path: Path, *, gzip: bool) -> bytes:
    with _open(path, gzip=gzip) as file:
        return file.read(_HEAD)


def _open(path: Path, *, gzip: bool) -> Any:
    return GzipFile(path) if gzip else path.open("rb")
