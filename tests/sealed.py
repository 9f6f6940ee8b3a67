"""Keys and seals for tests: what AWS KMS does, with a key of this process."""

from __future__ import annotations

import shutil
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pipelines.packaging import sealing

ROOT = Path(__file__).parents[1]
MADE = {"team": "post", "commit": "abc", "data_version": "d1"}


class Key:
    """A key that signs, and its public half."""

    def __init__(self) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())
        self.pem = self._private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def sign(self, digest: bytes) -> bytes:
        return self._private.sign(digest, ec.ECDSA(utils.Prehashed(SHA256())))

    def seal(self, folder: Path, model: str = "parcels") -> Path:
        sealing.seal(folder, {"model": model, **MADE}, self.sign)
        return folder


def trust(folder: Path, **keys: Key) -> Path:
    """The folder of the public keys of an image."""
    folder.mkdir(exist_ok=True)
    for name, key in keys.items():
        (folder / f"{name}.pem").write_text(key.pem)
    return folder


def program(folder: Path, **keys: Key) -> Path:
    """The model server as an image has it: beside the keys that it trusts."""
    shutil.copytree(ROOT / "model_server", folder / "model_server", ignore=shutil.ignore_patterns("__pycache__"))
    trust(folder / "trusted_keys", **keys)
    return folder
