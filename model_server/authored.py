"""Imports a file that a model's author wrote."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def import_file(file: Path) -> ModuleType:
    """The module in *file*, which finds its neighbours by their plain names, as on SageMaker."""
    sys.path.insert(0, str(file.parent))
    sys.dont_write_bytecode = True  # a container that starts again finds its package as it was signed
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
