"""The package that was released, as it lies in the artifacts bucket."""

from __future__ import annotations

import ast
import io
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_server.errors import PackageError
from model_server.golden import Golden
from model_server.loading import SCRIPT
from model_server.recording import masking
from model_server.signature import Signature
from pipelines.packaging.archive import extract
from pipelines.stages.registry import Package

_OWN = {"input_fn", "predict_fn", "output_fn"}


@dataclass(frozen=True)
class Released:
    """What of a package says how it must answer; `own_code` where its author reads or writes bodies.

    Where a feature is `sensitive`, a refusal may quote a value of a golden row.
    """

    golden: Golden
    signature: Signature
    own_code: bool = False
    sensitive: bool = False

    @classmethod
    def read(cls, s3: Any, package: Package) -> Released:
        """Downloads a package; raises PackageError where it does not hold what verifying needs."""
        content = package.content(s3)
        with tempfile.TemporaryDirectory() as folder, tarfile.open(fileobj=io.BytesIO(content)) as archive:
            extract(archive, Path(folder))
            return cls.of(Path(folder), package.arn)

    @classmethod
    def of(cls, folder: Path, name: str) -> Released:
        """An unpacked package; raises PackageError."""
        golden = Golden.read(folder)
        if golden is None or not golden.requests:
            raise PackageError(f"{name} holds no golden requests, so nothing can be verified; train it again.")
        script = folder / SCRIPT
        own = script.exists() and not _OWN.isdisjoint(_functions(script.read_text()))
        return cls(golden, Signature.read(folder), own, (folder / masking.FILE).exists())


def _functions(source: str) -> set[str]:
    """What a script defines or imports, without running it."""
    found: set[str] = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return found
