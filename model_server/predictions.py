"""What a model says about each row, and how it is written."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from typing import Any

import numpy as np
import orjson

from model_server import media
from model_server.signature import Label, Signature


@dataclass(frozen=True)
class Predictions:
    """The answers to a table of rows.

    `scores` has for a classifier the probability of each class (rows x classes), for a regression the value (rows).
    """

    signature: Signature
    scores: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)

    def values(self) -> list[Label]:
        """The predicted value or class of each row; on a tie the class that comes first."""
        if self.signature.task == "regression":
            return self.scores.tolist()
        return [self.signature.classes[place] for place in self.scores.argmax(axis=1).tolist()]

    def numbers(self) -> np.ndarray:
        """The numbers of each row's answer: one probability, that of each class, or the value; rows x numbers."""
        match self.signature.task:
            case "binary":
                return self.scores[:, 1:]
            case "multiclass":
                return self.scores
            case "regression":
                return self.scores.reshape(-1, 1)

    def fragments(self, kind: str) -> Iterator[bytes]:
        """Each row's part of a textual body of type *kind*: a JSON object, or a line of CSV."""
        numbers = self.numbers()
        flat = iter(orjson.dumps(numbers.astype(np.float64).ravel().tolist())[1:-1].split(b",") if len(self) else ())
        by_row = zip(*repeat(flat, numbers.shape[1]), strict=True)
        template, labels = _writing(self.signature, kind)
        if not labels:
            return (template % row for row in by_row)
        places = self.scores.argmax(axis=1).tolist()
        return (template % (*row, labels[place]) for row, place in zip(by_row, places, strict=True))


@lru_cache(maxsize=16)
def _templates(
    task: str, classes: tuple[Label, ...], types: tuple[type, ...], kind: str
) -> tuple[bytes, tuple[bytes, ...]]:
    del types  # True and 1 are one key to the cache, and two labels to a caller
    if kind == media.CSV:
        width = {"binary": 2, "multiclass": len(classes) + 1, "regression": 1}[task]
        return b",".join([b"%b"] * width), tuple(csv_line([label]) for label in classes)
    labels = tuple(orjson.dumps(label) for label in classes)
    match task:
        case "binary":
            return b'{"probability":%b,"prediction":%b}', labels
        case "multiclass":
            names = (orjson.dumps(str(label)).replace(b"%", b"%%") for label in classes)
            return b'{"probabilities":{' + b",".join(name + b":%b" for name in names) + b'},"prediction":%b}', labels
        case _:
            return b'{"prediction":%b}', labels


def _writing(signature: Signature, kind: str) -> tuple[bytes, tuple[bytes, ...]]:
    return _templates(signature.task, signature.classes, tuple(map(type, signature.classes)), kind)


def csv_line(values: Sequence[Any]) -> bytes:
    """A line of CSV, without its end."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(values)
    return text.getvalue().encode()


def body(fragments: Iterable[bytes], kind: str, identity: str = "") -> bytes:
    """A textual body of type *kind* from fragments of its rows, or of several rows already joined as it joins them.

    JSON alone has room for the answer's id.
    """
    if kind == media.JSON:
        end = b'],"id":' + orjson.dumps(identity) + b"}" if identity else b"]}"
        return b'{"predictions":[' + b",".join(fragments) + end
    return b"".join(fragment + b"\n" for fragment in fragments)
