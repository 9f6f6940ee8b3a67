"""The public keys that the images trust, in the folder of the build that the Dockerfile copies."""

from __future__ import annotations

import base64
import shutil
import sys

from botocore.exceptions import ClientError

from pipelines.stages.surroundings import Surroundings

TRUSTED = "trusted_keys"


def trust(around: Surroundings) -> None:
    """Writes the public half of each of the project's signing keys; ends the stage if the one that signs is missing."""
    folder = around.root / TRUSTED
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    first, *others = around.project.signing_keys
    for name in (first, *others):
        public = _public_key(around, name)
        if public:
            (folder / f"{name}.pem").write_text(public)
        elif name == first:
            sys.exit(
                f"signing_keys in project.yaml begins with {name!r}, and the account has no key with the alias "
                f"{around.names.signing_key(name)}, so no image could trust what it signs. Deploy the foundation "
                "first; a new key goes to the end of the list until a push has deployed it (docs/operations.md)."
            )
        else:
            print(f"{name}: not trusted yet, because this push has still to deploy it")


def _public_key(around: Surroundings, name: str) -> str | None:
    """In PEM; None where there is no such key."""
    kms = around.client("kms")
    try:
        der = kms.get_public_key(KeyId=around.names.signing_key(name))["PublicKey"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "NotFoundException":
            return None
        raise
    return pem(der)


def pem(der: bytes) -> str:
    """A public key as people and programs pass it on."""
    return f"-----BEGIN PUBLIC KEY-----\n{base64.encodebytes(der).decode()}-----END PUBLIC KEY-----\n"
