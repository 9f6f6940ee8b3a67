"""What a captured answer says about each row, in the forms of our model server and of common others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from monitoring.reading.bodies import Body, Unreadable
from monitoring.reading.tabular import table

Answer = Sequence[Any]
"""A score for each class, then the prediction."""

_FORM = "an answer has no predictions in a form that is known"
_ERROR = "an answer is an error"
_PREDICTION = ("prediction", "predicted_label", "label")
_SCORE = ("probability", "score")


class Answers:
    """Reads answers; every row is the score of each of *classes*, and the prediction."""

    def __init__(self, classes: Sequence[str]) -> None:
        self._classes = list(classes)
        self.none: Answer = (None,) * (len(self._classes) + 1)

    def read(self, body: Body, expected: int) -> tuple[Sequence[Answer], str | None]:
        """The answers to *expected* rows, in their order, and the id that all have, if any; raises Unreadable."""
        document = body.document() if body.form == "json" else None
        identity = document.get("id") if isinstance(document, dict) else None
        return self._rows(body, document, expected), identity if isinstance(identity, str) else None

    def _rows(self, body: Body, document: Any, expected: int) -> Sequence[Answer]:
        match body.form:
            case "csv":
                answers = self._csv(body.fields(single=not self._classes), expected)
            case "json":
                answers = self._document(document, expected)
            case "lines":
                answers = [self._one(value) for value in body.document()]
            case _:
                names, rows = table(body)
                answers = [
                    self._named(dict(zip(names, row, strict=True))) if names else self._list(row) for row in rows
                ]
        if len(answers) != expected:
            raise Unreadable("an answer has another number of rows than its request")
        if not all(map(self._has_numbers, answers)):
            raise Unreadable("an answer has a score that is no number")
        return answers

    def _has_numbers(self, answer: Answer) -> bool:
        try:
            for value in answer[:-1] if self._classes else answer:
                if value is not None:
                    float(value)
        except (TypeError, ValueError):
            return False
        return True

    def _csv(self, rows: list[list[str | None]], expected: int) -> Sequence[Answer]:
        if len(rows) == expected + 1 and set(rows[0]) & {*_PREDICTION, *_SCORE}:
            rows = rows[1:]
        if len(rows) == 1 and len(rows[0]) == expected > 1:
            rows = [[field] for field in rows[0]]  # SageMaker's own XGBoost writes all in a line
        return [self._line(row) for row in rows]

    def _line(self, fields: Sequence[Any]) -> Answer:
        """As our server writes it: the scores, then the prediction, either of them alone too."""
        count = len(self._classes)
        match len(fields):
            case width if width == count + 1:
                return fields
            case width if width == count:
                return (*fields, None)
            case 1:
                return self._label(fields[0])
        raise Unreadable("an answer has a row with another number of values than there are scores and a prediction")

    def _document(self, content: Any, expected: int) -> Sequence[Answer]:
        if isinstance(content, dict):
            if "predictions" not in content:
                if "error" in content:
                    raise Unreadable(_ERROR)
                return [self._object(content)]
            content = content["predictions"]
        if not isinstance(content, list):
            return [self._one(content)]
        if expected == 1 and len(content) > 1 and not isinstance(content[0], dict | list):
            return [self._list(content)]
        return [self._one(value) for value in content]

    def _one(self, value: Any) -> Answer:
        if isinstance(value, dict):
            return self._object(value)
        if isinstance(value, list):
            return self._list(value)
        if isinstance(value, float | int) and not isinstance(value, bool):
            return self._line([value])
        return self._label(value)

    def _label(self, value: Any) -> Answer:
        if len(self._classes) > 1 and value is not None and str(value) not in self._classes:
            raise Unreadable("an answer is a class that is not known")
        return (*self.none[1:], value)

    def _list(self, values: list[Any]) -> Answer:
        if len(self._classes) == 1 and len(values) == 2:
            return values[1], None  # the probabilities of both classes, as predict_proba returns them
        return self._line(values)

    def _object(self, value: Mapping[str, Any]) -> Answer:
        prediction = _first(value, _PREDICTION)
        score = _first(value, _SCORE)
        many = value.get("probabilities")
        if isinstance(many, dict):
            return (*(many.get(name) for name in self._classes), prediction)
        if isinstance(many, list) and len(many) == len(self._classes):
            return (*many, prediction)
        if score is not None and len(self._classes) == 1:
            return score, prediction
        if any(name in value for name in _PREDICTION):
            return (*self.none[1:], prediction)
        if score is not None and not self._classes:
            return (score,)
        if "error" in value:
            return self.none  # the row was left out
        raise Unreadable(_ERROR if {"code", "message", "detail"} & set(value) else _FORM)

    def _named(self, row: Mapping[str, Any]) -> Answer:
        scores = [row.get(f"probability_{name}") for name in self._classes]
        if len(scores) == 1:
            scores = [row.get("probability", scores[0])]
        return (*scores, row.get("prediction"))


def _first(value: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((value[name] for name in names if name in value), None)
