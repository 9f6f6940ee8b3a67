"""From an unpacked package to a contract that has proved itself."""

from __future__ import annotations

from pathlib import Path

from model_server.authored import import_file
from model_server.contract import Contract
from model_server.errors import PackageError
from model_server.exported import Exported
from model_server.golden import Golden
from model_server.routes import Request, Routes
from model_server.scoring import OnnxModel
from model_server.script import Scripted

SCRIPT = Path("code") / "inference.py"


def load(folder: Path) -> Contract:
    """Reads the package in *folder*; raises PackageError, also where it does not answer its first golden request."""
    script = folder / SCRIPT
    contract = Scripted(folder, import_file(script)) if script.exists() else Exported(OnnxModel.read(folder))
    golden = Golden.read(folder)
    if golden and golden.requests:
        _prove(contract, golden)
    return contract


def _prove(contract: Contract, golden: Golden) -> None:
    request = golden.requests[0]
    body = request.body.encode()
    response = Routes(contract).handle(Request("POST", "/invocations", request.content_type, request.accept, body))
    if response.status != 200:
        raise PackageError(
            f"the first golden request gets {response.status}: {response.cause or response.body.decode()}"
        )
    difference = golden.difference(request, response.body)
    if difference:
        raise PackageError(f"the first golden request is not answered as when the model was released: {difference}")
