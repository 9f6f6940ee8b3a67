"""A fitted model in a file that holds no code: skops, with the same bytes for the same model."""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import skops.io

from model_server import engines
from model_server.errors import PackageError
from model_server.signature import Signature
from pipelines.container import StepError

_SCHEMA = "schema.json"
_NAMED = re.compile(r'"__id__": (\d+)|"([\w-]+\.(?:npy|npz|bin))"')


def dump(fitted: Any) -> bytes:
    """The file's content; raises StepError where skops cannot hold the model."""
    try:
        written = skops.io.dumps(fitted)
    except Exception as error:
        raise StepError(f"the fitted model cannot be kept as it is: {type(error).__name__}: {error}") from error
    return _without_addresses(written)


def load(signature: Signature, content: bytes) -> engines.Native:
    """The engine that serving will make of the file; raises StepError."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, engines.NATIVE_FILE)
        file.write_bytes(content)
        try:
            return engines.Native(signature, file)
        except PackageError as error:
            raise StepError(f"the fitted model cannot be served as it is: {error}") from error


def _without_addresses(written: bytes) -> bytes:
    """The same archive, with its objects and files numbered as they come, not named after where memory had them."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(written)) as source, zipfile.ZipFile(packed, "w") as target:
        schema, names = _numbered(source.read(_SCHEMA).decode(), set(source.namelist()))
        contents = {_SCHEMA: schema.encode(), **{new: source.read(old) for old, new in names.items()}}
        for name, content in contents.items():
            target.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _numbered(schema: str, files: set[str]) -> tuple[str, dict[str, str]]:
    objects: dict[str, int] = {}
    names: dict[str, str] = {}

    def number(found: re.Match[str]) -> str:
        address, file = found.groups()
        if address:
            return f'"__id__": {objects.setdefault(address, len(objects))}'
        return f'"{names.setdefault(file, f"{len(names)}{Path(file).suffix}")}"' if file in files else found[0]

    return _NAMED.sub(number, schema), names
