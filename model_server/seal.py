"""A package's seal: `manifest.json` lists every file with its digest, `manifest.sig` is a signature of that list.

An image that the Image stage built has a folder of the public keys that it trusts, beside these programs. There nothing
of a model is read before its seal is whole. Elsewhere (a checkout, a test) is no such folder, and nothing to check.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from model_server.errors import PackageError

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
FORMAT = 1
TRUSTED = Path(__file__).resolve().parents[1] / "trusted_keys"
"""No variable of the container leads elsewhere: who may set one could choose the keys."""

_P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
"""What the DER of every public key on the curve P-256 begins with; the point follows (RFC 5480)."""

_LONGEST_MANIFEST = 16 * 1024 * 1024
_LONGEST_SIGNATURE = 1024


def is_required(trusted: Path = TRUSTED) -> bool:
    """Whether packages must be sealed here."""
    return trusted.exists()


def check(folder: Path, model: str = "", trusted: Path = TRUSTED) -> None:
    """Raises PackageError unless *folder* holds exactly what a trusted key has signed, for the model of that name.

    Without a name a package of any model will do.
    """
    content = _read(folder / MANIFEST, _LONGEST_MANIFEST)
    _check_signature(content, _read(folder / SIGNATURE, _LONGEST_SIGNATURE), trusted)
    manifest = json.loads(content)
    if manifest["format"] != FORMAT:
        raise PackageError(f"{MANIFEST} has format {manifest['format']}, and this image reads {FORMAT}; train again")
    if model and manifest["model"] != model:
        raise PackageError(f"the package is of the model {manifest['model']!r}, and {model!r} is to be served here")
    _check_files(folder, manifest["files"])


def entries(folder: Path) -> dict[str, dict[str, Any]]:
    """Size and digest of every file below *folder* but the seal, by path; raises PackageError at a link or a device."""
    return {name: _entry(folder / name) for name in sorted(_files(folder)) if name not in (MANIFEST, SIGNATURE)}


def _check_signature(content: bytes, signature: bytes, trusted: Path) -> None:
    # Only a sealed package needs it; with `serialization`, which would read the keys, its import takes thrice as long.
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

    points = {file.name: _point(file) for file in sorted(trusted.glob("*.pem"))}
    if not points:
        raise PackageError(
            f"{trusted} holds no public key (*.pem), so no package can be trusted; build the image again"
        )
    for point in points.values():
        try:
            ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point).verify(
                signature, content, ec.ECDSA(SHA256())
            )
        except InvalidSignature:
            continue
        return
    raise PackageError(
        f"{SIGNATURE} is no signature of {MANIFEST} by a key that this image trusts ({', '.join(points)}): the "
        "manifest was changed, or its key is retired or another project's; release a package that this one has signed"
    )


def _point(file: Path) -> bytes:
    lines = [line for line in file.read_text().splitlines() if not line.startswith("-----")]
    der = base64.b64decode("".join(lines))
    if not der.startswith(_P256) or len(der) != len(_P256) + 65:
        raise PackageError(f"{file} is no public key on the curve P-256; build the image again")
    return der[len(_P256) :]


def _check_files(folder: Path, listed: Mapping[str, Mapping[str, Any]]) -> None:
    found = {name for name in _files(folder) if name not in (MANIFEST, SIGNATURE)}
    if missing := sorted(listed.keys() - found):
        raise PackageError(f"{missing[0]} is missing: {MANIFEST} lists it{_more(missing)}; release the package again")
    if added := sorted(found - listed.keys()):
        raise PackageError(f"{added[0]} is not listed in {MANIFEST}{_more(added)}; nothing may be added to a package")
    for name, expected in listed.items():
        entry = _entry(folder / name)
        if entry != expected:
            raise PackageError(
                f"{name} is not as it was signed: it has {entry['bytes']} bytes and the SHA-256 {entry['sha256']}, "
                f"expected are {expected['bytes']} and {expected['sha256']}; release the package again"
            )


def _files(folder: Path, below: str = "") -> Iterator[str]:
    with os.scandir(folder / below) as found:
        for each in found:
            name = f"{below}{each.name}"
            if each.is_dir(follow_symlinks=False):
                yield from _files(folder, f"{name}/")
            elif each.is_file(follow_symlinks=False):
                yield name
            else:
                raise PackageError(f"{name} is a link or a device; a package holds plain files only")


def _entry(file: Path) -> dict[str, Any]:
    with file.open("rb") as content:
        return {"bytes": file.stat().st_size, "sha256": hashlib.file_digest(content, "sha256").hexdigest()}


def _read(file: Path, longest: int) -> bytes:
    if file.is_symlink() or not file.is_file():
        raise PackageError(
            f"the package has no file {file.name}, so it is not signed; this image serves only packages that the "
            "project's training pipeline has signed: train the model again"
        )
    if file.stat().st_size > longest:
        raise PackageError(f"{file.name} has {file.stat().st_size} bytes, and at most {longest} are read")
    return file.read_bytes()


def _more(names: list[str]) -> str:
    return f", and {len(names) - 1} more" if len(names) > 1 else ""
