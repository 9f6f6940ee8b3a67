"""A package is sealed as the last thing that happens to it, and opened only as it was sealed."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from model_server import seal
from model_server.errors import PackageError
from pipelines.container import StepError
from pipelines.packaging import champion, package, sealing
from tests.sealed import MADE, Key, trust


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "package"
    (made / "code").mkdir(parents=True)
    (made / "model.onnx").write_bytes(b"model")
    (made / "code" / "inference.py").write_text("def model_fn(folder): ...")
    return made


def archived(folder: Path) -> Path:
    package.pack(folder, folder.with_suffix(".tar.gz"))
    return folder.with_suffix(".tar.gz")


def in_an_image(monkeypatch: pytest.MonkeyPatch, trusted: Path) -> None:
    """As if the programs ran in an image with these keys."""
    check = seal.check
    monkeypatch.setattr(seal, "is_required", lambda: True)
    monkeypatch.setattr(seal, "check", lambda folder, model="": check(folder, model, trusted))


def test_a_sealed_package_survives_packing(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = Key()
    in_an_image(monkeypatch, trust(tmp_path / "keys", first=key))
    unpacked = sealing.unpack(archived(key.seal(folder)), tmp_path / "unpacked")
    assert (unpacked / "model.onnx").read_bytes() == b"model"


@pytest.mark.parametrize("place", ["model.onnx", "code/inference.py", "manifest.json"])
def test_every_byte_counts(place: str, folder: Path, tmp_path: Path) -> None:
    key = Key()
    trusted = trust(tmp_path / "keys", first=key)
    content = (key.seal(folder) / place).read_bytes()
    seal.check(folder, trusted=trusted)
    for at in range(len(content)):
        (folder / place).write_bytes(content[:at] + bytes([content[at] ^ 128]) + content[at + 1 :])
        with pytest.raises(PackageError):
            seal.check(folder, trusted=trusted)


def test_programs_in_an_image_open_nothing_that_is_not_signed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_an_image(monkeypatch, trust(tmp_path / "keys", first=Key()))
    with pytest.raises(PackageError, match="it is not signed"):
        sealing.unpack(archived(folder), tmp_path / "unpacked")


def test_a_champion_that_is_not_trusted_is_no_rival_and_the_evaluation_says_why(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_an_image(monkeypatch, trust(tmp_path / "keys", first=Key()))
    archive = archived(Key().seal(folder))
    monkeypatch.setattr(champion, "_download", lambda _uri, _folder: archive)
    found = champion.fetch("s3://bucket/model.tar.gz", tmp_path / "champion")
    assert isinstance(found, str)
    assert found.startswith("the champion's package is not trusted: manifest.sig is no signature of manifest.json")


def test_a_package_with_a_link_is_not_signed(folder: Path) -> None:
    (folder / "code" / "more.py").symlink_to("/etc/passwd")
    with pytest.raises(StepError, match=r"code/more\.py is a link or a device"):
        Key().seal(folder)


def test_sealing_again_replaces_the_seal(folder: Path, tmp_path: Path) -> None:
    key = Key()
    first = json.loads((key.seal(folder) / seal.MANIFEST).read_text())
    assert json.loads((key.seal(folder) / seal.MANIFEST).read_text()) == first
    seal.check(folder, trusted=trust(tmp_path / "keys", first=key))
    assert first == {"format": 1, "model": "parcels", **MADE, "files": first["files"]}


@pytest.mark.parametrize("key", ["alias/greenlight-signing-first", "", "arn:aws:kms"])
def test_a_key_without_a_region_is_refused_with_what_to_give(key: str) -> None:
    with pytest.raises(StepError, match="give the ARN of a KMS key or of its alias"):
        sealing.by_kms(key)


def test_nothing_that_is_no_archive_is_opened(tmp_path: Path) -> None:
    (tmp_path / "model.tar.gz").write_bytes(b"no archive")
    with pytest.raises(StepError, match="is not a model package"):
        sealing.unpack(tmp_path / "model.tar.gz", tmp_path / "unpacked")
    with tarfile.open(tmp_path / "out.tar.gz", "w:gz") as tar:
        entry = tarfile.TarInfo("../outside")
        tar.addfile(entry)
    with pytest.raises(StepError, match="leads out of the folder"):
        sealing.unpack(tmp_path / "out.tar.gz", tmp_path / "unpacked")
