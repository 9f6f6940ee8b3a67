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
FORMAT = 3

Label = bool | int | float | str
Action = Literal["flag", "refuse", "quarantine"]
Engine = Literal["onnx", "native"]


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

    @cached_property
    def known(self) -> frozenset[str]:
        """Every text that the model has learnt from, "" for null."""
        return self.allowed.intersection((*self.seen, ""))


Feature = Number | Category


@dataclass(frozen=True)
class Policy:
    """What happens to a row that breaks the schema, and to one with a category that training never saw.

    A flagged row is answered and marked, if the model can answer it; a quarantined one is left out, with its reason in
    its place; a refused one refuses the whole request.
    """

    invalid: Action = "refuse"
    unseen: Action = "flag"


@dataclass(frozen=True)
class Signature:
    """The model's task, its features in the order of a CSV request, and for a classifier its classes.

    `engine` names what computes the answers, and `batch_engine` what does from `batch_from` rows on, where that is
    another; `parity` and `versions` record how the export was checked and made.
    """

    task: Literal["binary", "multiclass", "regression"]
    target: str
    features: tuple[Feature, ...]
    classes: tuple[Label, ...] = ()
    policy: Policy = Policy()
    engine: Engine = "onnx"
    batch_engine: Literal["forest", "native"] | None = None
    batch_from: int | None = None
    parity: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names, in order."""
        return tuple(feature.name for feature in self.features)

    @property
    def numbers(self) -> tuple[Number, ...]:
        """The features that are numbers, in order."""
        return tuple(feature for feature in self.features if isinstance(feature, Number))

    @property
    def categories(self) -> tuple[Category, ...]:
        """The features that are categories, in order."""
        return tuple(feature for feature in self.features if isinstance(feature, Category))

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
        policy = Policy(**content.pop("policy"))
        return cls(features=features, classes=tuple(content.pop("classes")), policy=policy, **content)


def _feature(members: dict[str, Any]) -> Feature:
    if members["type"] == "number":
        return Number(**members)
    return Category(**members | {"values": tuple(members["values"]), "seen": tuple(members["seen"])})
