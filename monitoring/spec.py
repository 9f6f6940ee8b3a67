"""What there is to watch: the columns of a model's data, and what each of them means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from monitoring.errors import MonitoringError
from monitoring.rules import Rules

Task = Literal["binary", "multiclass", "regression"]
Kind = Literal["numeric", "categorical"]
Period = Literal["hour", "day", "week", "month", "quarter", "year"]

METRICS: Mapping[str, tuple[str, ...]] = {
    "binary": ("roc_auc", "precision", "recall", "f1", "specificity", "accuracy", "average_precision"),
    "multiclass": ("roc_auc", "precision", "recall", "f1", "specificity", "accuracy", "average_precision"),
    "regression": ("mae", "rmse", "r2"),
}
"""The metrics of each task, estimated and realized alike."""


@dataclass(frozen=True)
class Spec:
    """The columns of a model's data by their meaning, and how its periods are judged.

    Every name is a column's name. `score` is for a binary model the column with the probability of the positive class,
    for a multiclass model a column for each class by the class's name, for a regression nothing.
    """

    task: Task
    features: Mapping[str, Kind]
    score: str | Mapping[str, str] | None = None
    prediction: str | None = None
    label: str | None = None
    timestamp: str | None = None
    row_id: str | None = None
    period: Period = "month"
    name: str | None = None
    positive: str | int | float | bool = 1
    """The value of label and prediction that the score is the probability of; binary only."""
    sensitive: tuple[str, ...] = ()
    """Features whose segments are watched one by one; numbers among them are known by their band alone."""
    masked_by: str | None = None
    """The id of the key that sensitive values are masked with in records, where there is one."""
    value: Mapping[str, float] = field(default_factory=dict)
    """What a true_positive, false_positive, true_negative and false_negative are worth; binary only."""
    rules: Rules = field(default_factory=Rules)
    """When a period is yellow, red or unknown."""

    def __post_init__(self) -> None:
        _check(self)

    @classmethod
    def parse(cls, body: Any) -> Spec:
        """The spec that a JSON object says; raises MonitoringError where it says something else."""
        if not isinstance(body, dict):
            raise MonitoringError(f"the spec is a {type(body).__name__}; write a JSON object")
        known = {each.name for each in fields(cls)}
        if strange := sorted(set(body) - known):
            raise MonitoringError(f"the spec says {', '.join(strange)}; known are: {', '.join(sorted(known))}")
        if missing := [name for name in ("task", "features") if name not in body]:
            raise MonitoringError(f"the spec has no {' and no '.join(missing)}; add it")
        given = {name: value for name, value in body.items() if value is not None}
        if "sensitive" in given:
            given["sensitive"] = tuple(given["sensitive"])
        if "rules" in given:
            given["rules"] = Rules.parse(given["rules"])
        return cls(**given)

    def body(self) -> dict[str, Any]:
        """The same as a JSON object."""
        said = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "rules"}
        return said | {"sensitive": list(self.sensitive), "rules": self.rules.body()}

    @property
    def numeric(self) -> tuple[str, ...]:
        """The numeric features, in the spec's order."""
        return tuple(name for name, kind in self.features.items() if kind == "numeric")

    @property
    def categorical(self) -> tuple[str, ...]:
        """The categorical features, in the spec's order."""
        return tuple(name for name, kind in self.features.items() if kind == "categorical")

    @property
    def scores(self) -> Mapping[str, str]:
        """The columns of probabilities by the class that each is the probability of."""
        if isinstance(self.score, str):
            return {str(self.positive): self.score}
        return self.score or {}

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is read, each once."""
        single = (self.prediction, self.label, self.timestamp, self.row_id)
        named = [*self.features, *self.scores.values(), *(name for name in single if name)]
        return tuple(dict.fromkeys(named))


def _check(spec: Spec) -> None:
    _one_of("task", spec.task, get_args(Task))
    _one_of("period", spec.period, get_args(Period))
    if not isinstance(spec.features, Mapping) or not spec.features:
        raise MonitoringError('features names no column; write {"column": "numeric"} or {"column": "categorical"}')
    for name, kind in spec.features.items():
        _one_of(f"the kind of feature {name}", kind, get_args(Kind))
    for name in ("prediction", "label", "timestamp", "row_id"):
        column = getattr(spec, name)
        if column is not None and not isinstance(column, str):
            raise MonitoringError(f"{name} is {column!r}; write the name of a column")
        if column in spec.features:
            raise MonitoringError(f"{column} is a feature and also the {name}; drop one of the two")
    _check_outputs(spec)
    if strange := set(spec.sensitive) - set(spec.features):
        raise MonitoringError(f"sensitive names {', '.join(sorted(strange))}, which is no feature")
    for metric in spec.rules.metrics:
        _one_of("a metric of rules.metrics", metric, METRICS[spec.task])
    outcomes = ("true_positive", "false_positive", "true_negative", "false_negative")
    for outcome in spec.value:
        _one_of("a key of value", outcome, outcomes)


def _check_outputs(spec: Spec) -> None:
    match spec.task:
        case "binary" if not isinstance(spec.score, str):
            raise MonitoringError(f"score is {spec.score!r}; a binary model has one column of probabilities")
        case "multiclass" if not isinstance(spec.score, Mapping) or len(spec.score) < 2:
            raise MonitoringError(f'score is {spec.score!r}; a multiclass model says {{"class": "column", ...}}')
        case "multiclass" if spec.prediction is None:
            raise MonitoringError("prediction is missing; name the column of the predicted class")
        case "regression" if spec.prediction is None:
            raise MonitoringError("prediction is missing; name the column of the predicted value")
        case _:
            pass


def _one_of(what: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise MonitoringError(f"{what} is {value!r}; allowed are: {', '.join(allowed)}")
