from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from pipelines.container import StepError
from pipelines.packaging import package


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model" / "code").mkdir(parents=True)
    (tmp_path / "model" / "model.onnx").write_bytes(b"\x00\x01")
    (tmp_path / "model" / "code" / "inference.py").write_text("")
    return tmp_path / "model"


def test_what_is_packed_is_unpacked(folder: Path, tmp_path: Path) -> None:
    package.pack(folder, tmp_path / "a.tar.gz")
    unpacked = package.unpack(tmp_path / "a.tar.gz", tmp_path / "unpacked")
    assert (unpacked / "model.onnx").read_bytes() == b"\x00\x01"
    assert (unpacked / "code" / "inference.py").exists()


def test_the_same_content_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    package.pack(folder, tmp_path / "a.tar.gz")
    os.utime(folder / "model.onnx", (1, 1))
    (folder / "model.onnx").chmod(0o600)
    package.pack(folder, tmp_path / "b.tar.gz")
    assert (tmp_path / "a.tar.gz").read_bytes() == (tmp_path / "b.tar.gz").read_bytes()


def test_an_archive_cannot_write_outside_its_folder(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    with tarfile.open(tmp_path / "bad.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "x", arcname="../outside")
    with pytest.raises(StepError, match="is not a model package"):
        package.unpack(tmp_path / "bad.tar.gz", tmp_path / "unpacked")
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize("content", [None, b"no archive"])
def test_something_else_is_said(tmp_path: Path, content: bytes | None) -> None:
    if content:
        (tmp_path / "model.tar.gz").write_bytes(content)
    with pytest.raises(StepError, match=r"model\.tar\.gz is not a model package"):
        package.unpack(tmp_path / "model.tar.gz", tmp_path / "unpacked")
