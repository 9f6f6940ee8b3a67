"""What the author of a model gives: the functions in its folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from model_server.authored import import_file
from pipelines.container import StepError

_NOT_SERVED = ("train.py", "model.yaml", "__pycache__", ".*")


def fit_function(folder: Path) -> Callable[..., Any]:
    """The `fit` of the folder's train.py, which finds its neighbours by their plain names."""
    file = folder / "train.py"
    if not file.exists():
        raise StepError(f"{folder} has no train.py; give it `def fit(frame, **hyperparameters)`")
    module = import_file(file)
    if not hasattr(module, "fit"):
        raise StepError("train.py has no function fit; write `def fit(frame, **hyperparameters)`")
    return module.fit


def copy_serving_code(folder: Path, package: Path) -> None:
    """Puts inference.py and what lies beside it into the package, where the model has one."""
    if (folder / "inference.py").exists():
        shutil.copytree(folder, package / "code", ignore=shutil.ignore_patterns(*_NOT_SERVED), dirs_exist_ok=True)
