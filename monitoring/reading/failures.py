"""What libraries raise about a file, as sentences."""

from __future__ import annotations

import csv
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from gzip import BadGzipFile
from pathlib import Path

import pyarrow as pa

from monitoring.errors import DataError

_KNOWN = {
    "Parquet magic bytes not found": "is no Parquet file, or only the beginning of one",
    "Parquet file size is": "is no Parquet file, or only the beginning of one",
    "File is too small": "is no Arrow file, or only the beginning of one",
    "Not an Arrow file": "is no Arrow file, or only the beginning of one",
}
_QUOTED = re.compile(r"(invalid value|Row #\d+: .*? got \d+|got \d+):? .*")
"""Where Arrow begins to quote the row that it cannot read, which may say something about a person."""


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Raises a DataError that names *path* for whatever pyarrow and the system raise about it."""
    try:
        yield
    except EOFError as error:
        raise DataError(f"{path} is only the beginning of a gzip file; write it again, or leave it out") from error
    except (BadGzipFile, zlib.error) as error:
        raise DataError(f"{path} is a damaged gzip file; write it again, or leave it out") from error
    except PermissionError as error:
        raise DataError(f"{path} may not be read by this user; change its permissions") from error
    except UnicodeError as error:
        raise DataError(f"{path} has bytes that are no UTF-8 text ({error}); write it again in UTF-8") from error
    except RecursionError as error:
        raise DataError(f"{path} has a value in a column that is read with lists nested too deep; drop it") from error
    except (pa.ArrowException, OSError, MemoryError, csv.Error) as error:
        raise DataError(f"{path} {_sentence(error)}; write it again, or leave it out") from error


def _sentence(error: BaseException) -> str:
    text = " ".join(str(error).split())
    for beginning, sentence in _KNOWN.items():
        if beginning in text:
            return sentence
    text = _QUOTED.sub(r"\1", text)
    return f"cannot be read to its end: {text[:200] or type(error).__name__}"
