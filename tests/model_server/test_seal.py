"""The seal of a package: what a server in an image loads, and what it refuses before it reads anything else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from model_server import seal
from model_server.errors import PackageError
from tests.model_server.serving import ROOT, serve
from tests.sealed import Key, program, trust

WITNESS = "raise SystemExit('the code of the package was run')"
SCRIPT = """
def model_fn(folder):
    return 2

def predict_fn(data, model):
    return data
"""


@pytest.fixture(scope="module")
def key() -> Key:
    return Key()


@pytest.fixture(scope="module")
def image(key: Key, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return program(tmp_path_factory.mktemp("image"), first=key, second=Key())


@pytest.fixture
def package(parcels: Path, key: Key, tmp_path: Path) -> Path:
    """A sealed package with code of its own."""
    folder = shutil.copytree(parcels, tmp_path / "package")
    (folder / "code").mkdir()
    (folder / "code" / "inference.py").write_text(SCRIPT)
    (folder / "code" / "beside.py").write_text("")
    return key.seal(folder)


def flip(file: Path) -> None:
    """One bit of the byte in the middle."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def other_manifest(folder: Path) -> None:
    """A manifest that fits the changed files, under the signature of the one before."""
    (folder / "code" / "beside.py").write_text(WITNESS)
    signature = (folder / seal.SIGNATURE).read_bytes()
    Key().seal(folder)
    (folder / seal.SIGNATURE).write_bytes(signature)


def link(folder: Path) -> None:
    content = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").unlink()
    (folder.parent / "elsewhere").write_bytes(content)
    (folder / "model.onnx").symlink_to(folder.parent / "elsewhere")


TAMPERED: dict[str, tuple[Callable[[Path], object], str]] = {
    "one byte of the model": (lambda it: flip(it / "model.onnx"), "model.onnx is not as it was signed"),
    "one byte of code": (lambda it: flip(it / "code" / "inference.py"), "code/inference.py is not as it was signed"),
    "a file more": (lambda it: (it / "code" / "os.py").write_text(WITNESS), "code/os.py is not listed"),
    "a file less": (lambda it: (it / "code" / "beside.py").unlink(), "code/beside.py is missing"),
    "a longer file": (lambda it: (it / "code" / "beside.py").write_text("#"), "it has 1 bytes"),
    "a link": (link, "model.onnx is a link or a device"),
    "a linked folder": (lambda it: (it / "more").symlink_to("code"), "more is a link or a device"),
    "a pipe": (lambda it: os.mkfifo(it / "pipe"), "pipe is a link or a device"),
    "one byte of the manifest": (lambda it: flip(it / seal.MANIFEST), "manifest.sig is no signature of manifest.json"),
    "another manifest": (other_manifest, "manifest.sig is no signature of manifest.json"),
    "another key": (lambda it: Key().seal(it), "by a key that this image trusts (first.pem, second.pem)"),
    "half a signature": (lambda it: (it / seal.SIGNATURE).write_bytes(b"0"), "manifest.sig is no signature"),
    "no signature": (lambda it: (it / seal.SIGNATURE).unlink(), "no file manifest.sig, so it is not signed"),
    "no manifest": (lambda it: (it / seal.MANIFEST).unlink(), "no file manifest.json, so it is not signed"),
    "a linked manifest": (
        lambda it: ((it / seal.MANIFEST).rename(it / "m"), (it / seal.MANIFEST).symlink_to("m")),
        "no file manifest.json",
    ),
}


def test_a_package_is_served_as_it_was_signed_also_when_its_container_starts_again(
    image: Path, package: Path, tmp_path: Path
) -> None:
    for _ in range(2):
        with serve(tmp_path / "ml", package, program=image, MODEL_NAME="parcels") as serving:
            assert serving.logs(1)[0]["sealed"] is True
            assert serving.ping() == 200


@pytest.mark.parametrize("change", TAMPERED)
def test_a_server_does_not_start_with(change: str, image: Path, package: Path, tmp_path: Path) -> None:
    (package / "code" / "inference.py").write_text(SCRIPT)
    change_it, sentence = TAMPERED[change]
    change_it(package)
    if change == "a pipe":
        (tmp_path / "ml").mkdir()
        package.rename(tmp_path / "ml" / "model")
        package = tmp_path / "ml" / "model"
    refused = refusal(image, package, tmp_path)
    assert sentence in refused
    assert "the code of the package was run" not in refused


def refusal(image: Path, package: Path, tmp_path: Path, **variables: str) -> str:
    """What a server says that never becomes healthy, in its one line."""
    given = package if package.name != "model" else tmp_path / "nothing"
    given.mkdir(exist_ok=True)
    with serve(tmp_path / "ml", given, wait=False, program=image, **variables) as serving:
        deadline = time.monotonic() + 20
        while serving.process.poll() is None:
            assert serving.ping() in (0, 503)
            assert time.monotonic() < deadline, f"it has neither started nor ended: {serving.lines}"
            time.sleep(0.02)
        assert serving.ended() == 1
        (line,) = serving.logged()
    assert line["event"] == "failed"
    return line["message"]


def test_a_package_of_another_model_is_refused(image: Path, package: Path, tmp_path: Path) -> None:
    assert "is of the model 'parcels', and 'letters' is to be served here" in refusal(
        image, package, tmp_path, MODEL_NAME="letters"
    )


def test_an_image_without_any_key_serves_nothing(package: Path, tmp_path: Path) -> None:
    bare = program(tmp_path / "image")
    assert "trusted_keys holds no public key" in refusal(bare, package, tmp_path)


def test_a_server_that_refuses_at_once_ends_each_time(tmp_path: Path) -> None:
    """The end of the child that says 503 meanwhile comes before it has begun."""
    image = program(tmp_path / "image")
    given = {**os.environ, "ML_ROOT": str(tmp_path), "BIND_HOST": "127.0.0.1", "SAGEMAKER_BIND_TO_PORT": "0"}
    for _ in range(10):
        ran = subprocess.run([sys.executable, "-m", "model_server"], cwd=image, env=given, timeout=20, check=False)
        assert ran.returncode == 1


def test_a_package_that_is_not_signed_is_refused(image: Path, parcels: Path, tmp_path: Path) -> None:
    assert "train the model again" in refusal(image, parcels, tmp_path)


def test_outside_of_an_image_there_is_nothing_to_check_and_the_log_says_so(parcels: Path, tmp_path: Path) -> None:
    with serve(tmp_path, parcels) as serving:
        assert serving.logs(1)[0]["sealed"] is False


def test_the_key_before_and_the_key_after_are_trusted_side_by_side(package: Path, key: Key, tmp_path: Path) -> None:
    later = Key()
    trusted = trust(tmp_path / "keys", first=key, second=later)
    seal.check(package, trusted=trusted)
    seal.check(later.seal(package), trusted=trusted)
    (trusted / "second.pem").unlink()
    with pytest.raises(PackageError, match="retired"):
        seal.check(package, trusted=trusted)


def test_a_manifest_says_what_was_packed(package: Path) -> None:
    manifest = json.loads((package / seal.MANIFEST).read_text())
    assert (manifest["format"], manifest["model"], manifest["team"]) == (1, "parcels", "post")
    assert {"model.onnx", "signature.json", "code/inference.py"} <= manifest["files"].keys()
    assert manifest["files"]["code/beside.py"]["bytes"] == 0
    assert not manifest["files"].keys() & {seal.MANIFEST, seal.SIGNATURE}


def test_a_file_that_is_no_key_is_said_to_be_none(package: Path, tmp_path: Path) -> None:
    trusted = trust(tmp_path / "keys")
    (trusted / "rsa.pem").write_text("-----BEGIN PUBLIC KEY-----\nMFww\n-----END PUBLIC KEY-----\n")
    with pytest.raises(PackageError, match=r"rsa\.pem is no public key on the curve P-256"):
        seal.check(package, trusted=trusted)


def test_a_manifest_that_would_fill_the_memory_is_not_read(package: Path, key: Key, tmp_path: Path) -> None:
    with (package / seal.MANIFEST).open("r+b") as file:
        file.truncate(2**40)
    with pytest.raises(PackageError, match="at most 16777216 are read"):
        seal.check(package, trusted=trust(tmp_path / "keys", first=key))


def test_what_a_server_needs_to_check_a_seal_is_quickly_imported(package: Path, key: Key, tmp_path: Path) -> None:
    """`cryptography`'s reader of keys takes 0.1 s of a start, for formats that nobody uses here."""
    trust(tmp_path / "keys", first=key)
    check = f"seal.check(pathlib.Path({str(package)!r}), trusted=pathlib.Path({str(tmp_path / 'keys')!r}))"
    code = f"import pathlib, sys; from model_server import seal; {check}; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert "cryptography.hazmat.primitives.asymmetric.ec" in ran.stdout.split()
    assert not {"cryptography.hazmat.primitives.serialization", "numpy"} & set(ran.stdout.split())
