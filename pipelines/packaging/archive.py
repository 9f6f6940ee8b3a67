"""Unpacking an archive that somebody else has written."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path


class ArchiveError(tarfile.TarError):
    """An archive that holds what it must not, such as a link or a path that leads out of it."""


def extract(archive: tarfile.TarFile, folder: Path) -> None:
    """Writes the files of *archive* below *folder*; raises ArchiveError at anything but plain files and folders.

    `TarFile.extractall(filter="data")` would do, but the first releases of Python 3.11 do not have it.
    """
    root = folder.resolve()
    for member in archive:
        target = (root / member.name).resolve()
        if not target.is_relative_to(root):
            raise ArchiveError(f"the archive holds {member.name!r}, which leads out of the folder it is unpacked to")
        content = archive.extractfile(member) if member.isfile() else None
        if content:
            target.parent.mkdir(parents=True, exist_ok=True)
            with content, target.open("wb") as file:
                shutil.copyfileobj(content, file)
        elif not member.isdir():
            raise ArchiveError(f"the archive holds {member.name!r}, which is no plain file; pack files only")
