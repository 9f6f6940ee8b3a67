"""What a packaged model reads and answers: the file `signature.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from model_server.errors import PackageError

FILE = "signature.json"
FORMAT = 1

Label = bool | int | float | str


@dataclass(frozen=True)
class Number:
    """A real number, read as a 32-bit float."""

    name: str
    nullable: bool = False
    minimum: float | None = None
    maximum: float | None = None
    type: Literal["number"] = "number"


@dataclass(frozen=True)
class Category:
    """One of a closed list of texts; `seen` are those that occurred in training."""

    name: str
    values: tuple[str, ...]
    nullable: bool = False
    seen: tuple[str, ...] = ()
    type: Literal["category"] = "category"

    @cached_property
    def allowed(self) -> frozenset[str]:
        """Every text that a column may hold, "" for null."""
        return frozenset((*self.values, "") if self.nullable else self.values)


Feature = Number | Category


@dataclass(frozen=True)
class Signature:
    """The model's task, its features in the order of a CSV request, and for a classifier its classes.

    `engine` names what computes the answers; `parity` and `versions` record how the export was checked and made.
    """

    task: Literal["binary", "multiclass", "regression"]
    target: str
    features: tuple[Feature, ...]
    classes: tuple[Label, ...] = ()
    engine: Literal["onnx"] = "onnx"
    parity: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names, in order."""
        return tuple(feature.name for feature in self.features)

    @property
    def outputs(self) -> tuple[str, ...]:
        """What a CSV answer has in each line, in order."""
        match self.task:
            case "binary":
                return ("probability", "prediction")
            case "multiclass":
                return (*(f"probability_{label}" for label in self.classes), "prediction")
            case "regression":
                return ("prediction",)

    def to_json(self) -> dict[str, Any]:
        """The content of `signature.json`."""
        return {"format": FORMAT, "outputs": self.outputs, **asdict(self)}

    @classmethod
    def read(cls, folder: Path) -> Signature:
        """Reads the `signature.json` of an unpacked package; raises PackageError."""
        try:
            content = json.loads((folder / FILE).read_bytes())
        except FileNotFoundError as error:
            raise PackageError(f"{folder} has no {FILE}; unpack a released model.tar.gz there") from error
        if content.pop("format", None) != FORMAT:
            raise PackageError(f"{FILE} is not of format {FORMAT}; serve it with the image that it was released with")
        del content["outputs"]
        features = tuple(_feature(members) for members in content.pop("features"))
        return cls(features=features, classes=tuple(content.pop("classes")), **content)


def _feature(members: dict[str, Any]) -> Feature:
    if members["type"] == "number":
        return Number(**members)
    return Category(**members | {"values": tuple(members["values"]), "seen": tuple(members["seen"])})
