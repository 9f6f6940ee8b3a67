"""From an unpacked package to a contract that has proved itself."""

from __future__ import annotations

from pathlib import Path

from model_server.authored import import_file
from model_server.contract import INVOCATIONS, Contract, Request
from model_server.errors import PackageError
from model_server.exported import Exported
from model_server.golden import Golden
from model_server.recording import masking
from model_server.routes import Response, Routes
from model_server.scoring import Model
from model_server.script import Scripted

SCRIPT = Path("code") / "inference.py"


def load(folder: Path, script: Path = SCRIPT) -> Contract:
    """Reads the package in *folder*; raises PackageError, also where it does not answer its first golden request."""
    file = folder / script
    if script != SCRIPT and not file.exists():
        raise PackageError(f"SAGEMAKER_PROGRAM names {script.name}, and {folder} has no {script}; add it or unset it")
    contract = Scripted(folder, import_file(file)) if file.exists() else Exported(Model.read(folder))
    golden = Golden.read(folder)
    if golden and golden.requests:
        _prove(contract, golden, quiet=(folder / masking.FILE).exists())
    return contract


def why(response: Response, *, quiet: bool) -> str:
    """What the server says to a row, less what may quote it."""
    if quiet and response.refusal:
        return response.frames or f"{response.refusal.code} {response.refusal.field or ''}".rstrip()
    return response.cause or response.body.decode()


def _prove(contract: Contract, golden: Golden, *, quiet: bool) -> None:
    request = golden.requests[0]
    body = request.body.encode()
    response = Routes(contract).handle(Request("POST", INVOCATIONS, request.content_type, request.accept, body))
    if response.status != 200:
        raise PackageError(f"the first golden request gets {response.status}: {why(response, quiet=quiet)}")
    difference = golden.difference(request, response.body)
    if difference:
        raise PackageError(f"the first golden request is not answered as when the model was released: {difference}")
