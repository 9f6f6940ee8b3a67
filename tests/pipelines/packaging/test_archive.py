from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from pipelines.packaging import archive as archives
from pipelines.packaging.archive import ArchiveError, extract, read


def archive_of(*members: tuple[tarfile.TarInfo, bytes]) -> tarfile.TarFile:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    packed.seek(0)
    return tarfile.open(fileobj=packed)


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
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


@pytest.mark.parametrize("kind", [tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_whatever_is_no_plain_file_is_never_made(tmp_path: Path, kind: bytes) -> None:
    """A hard link to a file of the archive itself is a plain file to tarfile, and comes out as a copy."""
    inside, outside = tmp_path / "folder", tmp_path / "outside"
    outside.write_bytes(b"of somebody else")
    with pytest.raises((ArchiveError, KeyError)):
        extract(archive_of((link("model.onnx", "../outside", kind), b"")), inside)
    assert not (inside / "model.onnx").exists()


def test_a_folder_that_is_a_link_leads_nowhere(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="no plain file"):
        extract(archive_of((link("code", str(tmp_path)), b""), (tarfile.TarInfo("code/x"), b"x")), tmp_path / "folder")
    assert not (tmp_path / "x").exists()


def test_an_archive_that_says_it_is_huge_is_refused_before_a_byte_is_written(tmp_path: Path) -> None:
    member = tarfile.TarInfo("model.onnx")
    member.size = 2**60
    packed = io.BytesIO(member.tobuf(tarfile.GNU_FORMAT) + b"\0" * 1024)
    with tarfile.open(fileobj=packed) as archive, pytest.raises(ArchiveError, match="holds more than fits: at"):
        extract(archive, tmp_path / "folder")
    assert not list((tmp_path / "folder").iterdir())


def test_an_archive_of_too_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_MEMBERS", 2)
    extract(archive_of(*((tarfile.TarInfo(name), b"") for name in "ab")), tmp_path)
    with pytest.raises(ArchiveError, match="at 3 files of at most 2"):
        extract(archive_of(*((tarfile.TarInfo(name), b"") for name in "abc")), tmp_path)


def test_one_file_is_read_where_it_is_plain_and_small_enough() -> None:
    members = [(tarfile.TarInfo("card.json"), b"{}"), (link("signature.json", "/etc/passwd"), b"")]
    assert read(archive_of(*members), "card.json", 2) == b"{}"
    for name, most, sentence in (
        ("card.json", 1, "has 2 bytes in the archive, and at most 1"),
        ("signature.json", 9, "no file 'signature.json'"),
        ("golden.json", 9, "no file 'golden.json'"),
    ):
        with pytest.raises(ArchiveError, match=sentence):
            read(archive_of(*members), name, most)
