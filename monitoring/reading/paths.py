"""From what the caller names to files: a file, a folder with all below it, or a pattern."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path

from monitoring.errors import DataError

_BESIDE = (".", "_")


def found(paths: Sequence[str | Path] | str | Path) -> list[Path]:
    """Every file that *paths* name, each once; raises DataError where one names none.

    Below a folder and for a pattern, what Spark and SageMaker leave beside data is ignored: names that begin with `.`
    or `_`, and files without any bytes.
    """
    if isinstance(paths, str | Path):
        paths = [paths]
    if not paths:
        raise DataError("no path is given; name a file, a folder or a pattern")
    return list({file.resolve(): file for path in paths for file in _files(path)}.values())


def _files(named: str | Path) -> list[Path]:
    path = Path(named)
    try:
        if not str(named):
            raise DataError("a path is empty; name a file, a folder or a pattern")
        if path.is_file():
            return [path]
        if path.is_dir():
            return _some(list(_below(path)), f"{path} has no file with data below it")
        if glob.has_magic(str(path)):
            return _some(list(_matching(path)), f"no file with data matches {path}")
    except OSError as error:
        raise DataError(f"{path} cannot be listed: {error.strerror}; check its name and permissions") from error
    if path.exists():
        raise DataError(f"{path} is neither a file nor a folder; name one of them")
    raise DataError(f"{path} is not there; name a file, a folder or a pattern that is")


def _some(found: list[Path], otherwise: str) -> list[Path]:
    if not found:
        raise DataError(f"{otherwise}; name another, or write the data first")
    return found


def _matching(pattern: Path) -> Iterator[Path]:
    said = len(list(takewhile(lambda part: not glob.has_magic(part), pattern.parts)))
    for name in sorted(glob.glob(str(pattern), recursive=True)):  # noqa: PTH207  Path.glob takes no absolute pattern
        path = Path(name)
        if any(part.startswith(_BESIDE) for part in path.parts[said:]):
            continue
        if path.is_dir():
            yield from _below(path)
        elif _is_data(path):
            yield path


def _below(folder: Path) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise error

    for parent, folders, names in os.walk(folder, onerror=fail):
        folders[:] = sorted(name for name in folders if not name.startswith(_BESIDE))
        yield from (path for name in sorted(names) if _is_data(path := Path(parent, name)))


def _is_data(path: Path) -> bool:
    return not path.name.startswith(_BESIDE) and path.is_file() and path.stat().st_size > 0
