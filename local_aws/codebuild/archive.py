"""Artifacts as ZIP files, the way CodeBuild packs and unpacks them."""

from __future__ import annotations

import io
import stat
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path

from local_aws.errors import AwsError


def pack(files: Mapping[str, Path], *, symlinks: bool = False) -> bytes:
    """A ZIP of files by the names they get in it; permission bits are kept.

    Symbolic links are followed, unless `symlinks` (the buildspec's `enable-symlinks`): then they are stored as links.
    """
    buffer = io.BytesIO()
    # Level 1: an artifact is read once or twice, on this machine.
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, path in files.items():
            status = path.lstat() if symlinks else path.stat()
            entry = zipfile.ZipInfo(name, time.localtime(max(status.st_mtime, 315_532_800))[:6])  # ZIP begins in 1980
            entry.external_attr = status.st_mode << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            linked = stat.S_ISLNK(status.st_mode)
            archive.writestr(entry, str(path.readlink()) if linked else path.read_bytes(), compresslevel=1)
    return buffer.getvalue()


def unpack(content: bytes, folder: Path) -> None:
    """Unpack a ZIP into a folder, with permission bits and symbolic links; AwsError when it is not a ZIP."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile as error:
        raise AwsError("CLIENT_ERROR", "The artifact is not a ZIP file; give the source as one .zip object.") from error
    with archive:
        for entry in archive.infolist():
            _unpack_entry(archive, entry, folder)


def _unpack_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path) -> None:
    mode = entry.external_attr >> 16
    if stat.S_ISLNK(mode):
        target = folder / entry.filename
        if not (target.parent / archive.read(entry).decode()).resolve().is_relative_to(folder.resolve()):
            raise AwsError("CLIENT_ERROR", f"The link {entry.filename!r} of the artifact leads out of it.")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(archive.read(entry).decode())
        return
    path = Path(archive.extract(entry, folder))
    if stat.S_IMODE(mode) and not entry.is_dir():
        path.chmod(stat.S_IMODE(mode))
