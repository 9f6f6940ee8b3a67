"""What `model_code/<model>/model.yaml` may say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from config.closed import Closed, Email, InstanceType, Slug
from config.features import Feature
from config.hosting import Batch, Hosting
from config.light import Light
from config.release import Approval, ByPerson, Load
from config.rollout import Rollout, default, refusal
from config.serving import Serving

Scalar = bool | int | float | str
Task = Literal["binary", "multiclass", "regression"]
Tier = Literal["green", "yellow", "red", "unknown"]

METRICS: Mapping[str, tuple[str, ...]] = {
    "binary": ("roc_auc", "f1", "precision", "recall", "accuracy"),
    "multiclass": ("roc_auc", "f1", "accuracy"),
    "regression": ("r2", "root_mean_squared_error", "mean_absolute_error"),
}
"""The metrics that a gate may ask for, by task."""

ERRORS = ("root_mean_squared_error", "mean_absolute_error")
"""Those of them of which lower is better."""


class Data(Closed):
    """Where the model's data is, and how it is split."""

    prefix: str
    """The folder in the project's data bucket."""
    rows: tuple[str, ...] = Field(min_length=1)
    """File patterns below the prefix that hold rows (Parquet or CSV)."""
    labels: tuple[str, ...] = ()
    """File patterns of labels that arrive in files of their own, joined to the rows by id."""
    id: str
    """The column that identifies a row; never a feature."""
    period: str
    """The column that says which period a row belongs to; evaluation reports each held-out period by itself."""
    period_unit: Literal["day", "month", "year"] | None = None
    """The part of a date in that column (2016-04-30) that names the period; empty where the column holds the name."""
    train_periods: tuple[int | str, ...] = Field(min_length=1)
    """The periods to train on, where 2016 includes 2016-04 and 2016-04-30; all later ones are held out."""
    holdout: float = Field(default=0.2, gt=0, lt=0.9)
    """The share of the training periods' rows that the gate is measured on, chosen by a hash of the id."""


class Training(Closed):
    """The machines of the training pipeline's jobs."""

    instance: InstanceType = "ml.m5.large"
    """The instance type of the prepare, train and evaluate jobs."""
    volume_gb: int = Field(default=30, ge=1, le=1024)
    """Disk of each job, in GB."""
    max_minutes: int = Field(default=60, ge=1, le=60 * 24 * 5)
    """A job that runs longer is stopped, and its release fails."""


class Promotion(Closed):
    """What a challenger must show on the held-out rows before it is registered."""

    metric: str
    """The metric that decides."""
    at_least: float | None = None
    """The lowest value that is good enough, whatever the champion does; not for an error."""
    at_most: float | None = None
    """The highest value of an error that is good enough, whatever the champion does."""
    margin: float = 0.0
    """How much better than the champion on the same rows; negative tolerates a small loss."""

    @model_validator(mode="after")
    def _bounded(self) -> Promotion:
        if not any(self.metric in allowed for allowed in METRICS.values()):
            return self  # the model, which knows its task, says what is allowed
        asked, other = ("at_most", "at_least") if self.is_error else ("at_least", "at_most")
        if getattr(self, asked) is None or getattr(self, other) is not None:
            better = "lower" if self.is_error else "higher"
            raise ValueError(f"{better} is better for {self.metric}; write {asked}, and no {other}")
        return self

    @property
    def is_error(self) -> bool:
        """Whether lower is better."""
        return self.metric in ERRORS

    @property
    def bound(self) -> float:
        """The worst value that is good enough."""
        bound = self.at_most if self.is_error else self.at_least
        assert bound is not None
        return bound

    def bar(self, champion: float) -> float:
        """What a challenger must reach on the rows where the champion reaches this."""
        return champion - self.margin if self.is_error else champion + self.margin


class Alarms(Closed):
    """When the endpoint's alarms go off."""

    errors_5xx_percent: float = Field(default=1.0, gt=0, le=100)
    """Share of invocations that failed through our fault."""
    errors_4xx_percent: float = Field(default=20.0, gt=0, le=100)
    """Share of invocations that the model refused; a jump tells of a broken caller or a changed schema."""
    latency_p99_ms: int = Field(default=200, ge=1, le=60_000)
    """The container's time for one request, 99th percentile."""
    overhead_p99_ms: int = Field(default=500, ge=1, le=60_000)
    """SageMaker's own time around it, 99th percentile."""
    utilization_percent: float = Field(default=85.0, gt=0, le=100)
    """CPU, memory and disk of an instance; dedicated hosting only."""
    expect_traffic: bool = False
    """Whether an hour without a single invocation is an incident."""


class Retraining(Closed):
    """When a red light starts a release by itself; in every other case a person is asked."""

    automatic: bool = True
    """Whether it may at all."""
    min_labels: int = Field(default=500, ge=1)
    """The labelled rows that the red period must have; an estimate alone never retrains."""
    cooldown_days: int = Field(default=7, ge=0)
    """Days between two retrainings."""
    per_month: int = Field(default=2, ge=1)
    """The budget: retrainings within any 30 days."""
    periods: int = Field(default=12, ge=1)
    """How many of the newest periods' labelled rows are added to the training data."""
    rows: int = Field(default=500_000, ge=1)
    """The most rows that are added; of more, the newest."""


class Monitoring(Closed):
    """How the model is watched, or the written decision that it is not."""

    alarms: Alarms | None = None
    """When the endpoint's alarms go off."""
    capture_percent: int = Field(default=100, ge=1, le=100)
    """The share of requests that is kept with their answers, to be judged later."""
    period: Literal["hour", "day", "week", "month", "quarter", "year"] = "month"
    """How long a window of production data is that gets a light of its own."""
    light: Light = Light()
    """When that light is yellow, red or unknown."""
    capture_as_sent: Annotated[str, Field(min_length=20)] | None = None
    """Why records may hold sensitive features as they were sent; a sentence, without which they are masked."""
    capture_coverage: float = Field(default=0.9, ge=0, le=1)
    """The share of a period's answers that must have been kept; with less the period is not green, but unknown."""
    label_delay: int = Field(default=1, ge=0)
    """How many periods labels may need; the light waits so long on an older one, then it is unknown."""
    history: int = Field(default=24, ge=2, le=120)
    """How many periods a report shows, and late labels still count for."""
    tell: tuple[Tier, ...] = ("green", "yellow", "red", "unknown")
    """The lights of which the owners are told when the model's light changes to them."""
    retraining: Retraining = Retraining()
    """When red starts a release."""
    none: Annotated[str, Field(min_length=20)] | None = None
    """Why nobody needs to know when this model fails; a sentence, for the next reader."""

    @model_validator(mode="after")
    def _decided(self) -> Monitoring:
        if (self.alarms is None) == (self.none is None):
            raise ValueError("write either `alarms: {}` (with limits of your own, if you like) or `none: <the reason>`")
        return self


class Overrides(Closed):
    """What one environment does differently; fields left out stay as they are."""

    hosting: Hosting | None = None
    """Replaces the model's hosting."""
    rollout: Rollout | None = None
    """Replaces the model's roll-out."""
    batch: Batch | None = None
    """Replaces the model's batch fleet."""
    monitoring: Monitoring | None = None
    """Replaces the model's monitoring."""


def _without_name(schema: dict[str, Any]) -> None:
    schema["properties"].pop("name")
    schema["required"].remove("name")


class Model(Closed, json_schema_extra=_without_name):
    """One model: a folder of data and two functions."""

    name: Slug
    """The folder's name; never written in the file."""
    description: str
    """What the model predicts and for whom, in a sentence."""
    team: Slug
    """The team of project.yaml that it belongs to: its roles, alerts and costs."""
    owners: tuple[Email, ...] = Field(min_length=1)
    """Who answers for the model."""
    task: Task
    """What kind of prediction it makes."""
    target: str
    """The column that holds the label."""
    data: Data
    """Where its data is, and how it is split."""
    features: tuple[Feature, ...] = Field(min_length=1)
    """The columns it reads, in the order of a CSV request."""
    hyperparameters: Mapping[str, Scalar] = {}
    """Passed to `fit` in train.py by name."""
    training: Training = Training()
    """The machines that train it."""
    promotion: Promotion
    """What a challenger must show."""
    serving: Serving = Serving()
    """How it answers."""
    hosting: Hosting
    """Where it answers in real time."""
    rollout: Rollout | None = None
    """How a release takes over; left out: a canary in production where there are two instances or more."""
    load: Load = Load()
    """The load that a release must bear in staging."""
    approval: Approval = ByPerson()
    """Who lets a release into production."""
    batch: Batch = Batch()
    """Where it scores batches."""
    monitoring: Monitoring
    """How it is watched, or the written reason why it is not."""
    environments: Mapping[str, Overrides] = {}
    """What an environment does differently, by its name."""

    @model_validator(mode="after")
    def _coherent(self) -> Model:
        names = [feature.name for feature in self.features]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"features lists {', '.join(repeated)} more than once; list each column once")
        taken = {self.target, self.data.id, self.data.period} & set(names)
        if taken:
            raise ValueError(
                f"{', '.join(sorted(taken))} is a feature and also the target, id or period; drop the feature"
            )
        allowed = METRICS[self.task]
        if self.promotion.metric not in allowed:
            raise ValueError(
                f"promotion.metric is {self.promotion.metric!r}; a {self.task} model allows: {', '.join(allowed)}"
            )
        return self

    @model_validator(mode="after")
    def _rolled_out(self) -> Model:
        for environment in {"production", *self.environments}:
            found = self.in_environment(environment)
            assert found.rollout
            if why := refusal(found.rollout, found.hosting):
                raise ValueError(f"in {environment}, {why}")
            if found.monitoring.capture_as_sent and not self.sensitive:
                raise ValueError(
                    f"in {environment}, monitoring.capture_as_sent says why sensitive features are not masked, and no "
                    "feature is sensitive; drop it, or write `sensitive: true` where it belongs"
                )
        return self

    @property
    def sensitive(self) -> tuple[str, ...]:
        """The features that tell something about a person."""
        return tuple(feature.name for feature in self.features if feature.sensitive)

    @property
    def masks(self) -> bool:
        """Whether its records hide the values of sensitive features."""
        return bool(self.sensitive) and self.monitoring.capture_as_sent is None

    def in_environment(self, environment: str) -> Model:
        """The same model with the overrides of *environment* applied."""
        overrides = self.environments.get(environment, Overrides())
        changed = {field: value for field, value in overrides if value is not None}
        found = self.model_copy(update=changed)
        return found.model_copy(update={"rollout": found.rollout or default(found.hosting, environment)})
