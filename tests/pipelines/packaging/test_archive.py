from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from pipelines.packaging.archive import ArchiveError, extract


def archive_of(*members: tuple[tarfile.TarInfo, bytes]) -> tarfile.TarFile:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    packed.seek(0)
    return tarfile.open(fileobj=packed)


def link(name: str, target: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, target
    return member


def test_files_come_out_where_they_were(tmp_path: Path) -> None:
    extract(
        archive_of((tarfile.TarInfo("model.onnx"), b"one"), (tarfile.TarInfo("code/inference.py"), b"two")), tmp_path
    )
    assert (tmp_path / "model.onnx").read_bytes() == b"one"
    assert (tmp_path / "code/inference.py").read_bytes() == b"two"


@pytest.mark.parametrize("name", ["../outside", "/etc/outside", "code/../../outside"])
def test_a_path_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ArchiveError, match="leads out"):
        extract(archive_of((tarfile.TarInfo(name), b"x")), tmp_path / "folder")
    assert not (tmp_path / "outside").exists()


def test_a_link_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="no plain file"):
        extract(archive_of((link("model.onnx", "/etc/passwd"), b"")), tmp_path)
