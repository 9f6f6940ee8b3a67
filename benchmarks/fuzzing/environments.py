"""The environment of the two tools, made below `.benchmarks/` as those of the servers are."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

from benchmarks.serving import environments as shared

NAME = "fuzzing"
_OURS = ("numpy", "onnxruntime", "orjson", "pyarrow", "psutil")
PACKAGES = {
    NAME: (
        "atheris==3.0.0 schemathesis==4.32.5 "
        + " ".join(f"{package}=={importlib.metadata.version(package)}" for package in _OURS),
    )
}
"""atheris runs the server's own decoders there, with the same versions of what they use."""


def make() -> None:
    """Makes the environment unless it is there."""
    shared.make(NAME, PACKAGES)


def python() -> str:
    """Its interpreter."""
    return shared.python(NAME, PACKAGES)


def schemathesis() -> str:
    """The tool that reads the server's own OpenAPI document."""
    return str(Path(python()).with_name("schemathesis"))
