"""What a released model is: one model.tar.gz.

- `model.onnx`: the exported model, unless the library that fitted it answers
- `model.skops`: the fitted model, where that library answers, always or from a number of rows on
- `signature.json`: what it reads and answers, and how its export was checked
- `golden.json`: requests with their answers
- `baseline.json`: what is normal for it
- `masks.json`: what hides sensitive features in its records, where it has any
- `card.json`: metrics, data version, commit, hyperparameters
- `code/`: inference.py and its neighbours, where the model has them
"""

from __future__ import annotations

import gzip
import importlib.metadata
import platform
import sys
import tarfile
from pathlib import Path

from config.features import Category, Feature
from config.model import Model
from model_server import signature
from model_server.scoring import Columns
from model_server.signature import Label, Signature
from pipelines.container import StepError
from pipelines.packaging.archive import extract

ARCHIVE = "model.tar.gz"
CARD = "card.json"

_VERSIONED = ("scikit-learn", "skl2onnx", "skops", "onnx", "onnxruntime", "numpy", "pandas")
_BOOSTERS = ("lightgbm", "xgboost")


def pack(folder: Path, archive: Path) -> None:
    """Writes *folder* as *archive*; the same content gives the same bytes."""
    with (
        archive.open("wb") as raw,
        gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            tar.add(file, arcname=file.relative_to(folder).as_posix(), filter=_anonymous)


def unpack(archive: Path, folder: Path) -> Path:
    """Unpacks *archive* into *folder*; raises StepError."""
    try:
        with tarfile.open(archive) as tar:
            extract(tar, folder)
    except (FileNotFoundError, tarfile.TarError) as error:
        raise StepError(f"{archive} is not a model package: {error}") from error
    return folder


def versions() -> dict[str, str]:
    """What the model was made with."""
    boosters = {name: sys.modules[name].__version__ for name in _BOOSTERS if name in sys.modules}
    installed = {name: importlib.metadata.version(name) for name in _VERSIONED}
    return {"python": platform.python_version(), **installed, **boosters}


def describe(model: Model, columns: Columns, classes: tuple[Label, ...]) -> Signature:
    """The signature of a model that was trained on *columns*; its engine is still to be chosen."""
    features = tuple(_feature(feature, columns) for feature in model.features)
    policy = signature.Policy(model.serving.invalid, model.serving.unseen)
    return Signature(model.task, model.target, features, classes, policy, versions=versions())


def _feature(feature: Feature, columns: Columns) -> signature.Feature:
    if isinstance(feature, Category):
        present = set(columns[feature.name][:, 0].tolist())
        seen = tuple(value for value in feature.values if value in present)
        return signature.Category(feature.name, feature.values, feature.nullable, seen)
    return signature.Number(feature.name, feature.nullable, feature.minimum, feature.maximum)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = 0
    member.mode = 0o644
    return member
