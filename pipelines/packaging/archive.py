"""Unpacking an archive that somebody else has written."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

MOST_MEMBERS = 100_000


class ArchiveError(tarfile.TarError):
    """An archive that holds what it must not, such as a link or a path that leads out of it."""


def extract(archive: tarfile.TarFile, folder: Path) -> None:
    """Writes the files of *archive* below *folder*; raises ArchiveError at anything but plain files and folders.

    So it does before the archive has filled the disk: what it packs may be a thousand times its own size.
    `TarFile.extractall(filter="data")` would do part of it, but the first releases of Python 3.11 do not have it.
    """
    root = folder.resolve()
    root.mkdir(parents=True, exist_ok=True)
    left = shutil.disk_usage(root).free
    for count, member in enumerate(archive, 1):
        target = (root / member.name).resolve()
        left -= member.size
        if not target.is_relative_to(root):
            raise ArchiveError(f"the archive holds {member.name!r}, which leads out of the folder it is unpacked to")
        if left < 0 or count > MOST_MEMBERS:
            raise ArchiveError(
                f"the archive holds more than fits: at {member.name!r} it is at {count:,} files of at most "
                f"{MOST_MEMBERS:,}, and {max(0, -left):,} bytes over what is free on the disk"
            )
        content = archive.extractfile(member) if member.isfile() else None
        if content:
            target.parent.mkdir(parents=True, exist_ok=True)
            with content, target.open("wb") as file:
                shutil.copyfileobj(content, file)
        elif not member.isdir():
            raise ArchiveError(f"the archive holds {member.name!r}, which is no plain file; pack files only")


def read(archive: tarfile.TarFile, name: str, most: int) -> bytes:
    """One file of *archive*; raises ArchiveError if it is missing, no plain file, or has more than *most* bytes."""
    member = next((each for each in archive if each.name == name), None)
    content = archive.extractfile(member) if member and member.isfile() else None
    if member is None or content is None:
        raise ArchiveError(f"the archive holds no file {name!r}")
    if member.size > most:
        raise ArchiveError(f"{name!r} has {member.size:,} bytes in the archive, and at most {most:,} are read")
    with content:
        return content.read()
