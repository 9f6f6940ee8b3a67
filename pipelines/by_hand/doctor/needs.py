"""What the project asks of an account's quotas, under the names that Service Quotas has for them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from config import Model, Project
from config.hosting import Dedicated, Serverless
from config.rollout import Rolling

BUILDS = "Concurrently running builds for Linux/Medium environment"
CONCURRENCY = "Maximum total concurrency that can be allocated across all serverless endpoints"
SERVERLESS = "Maximum number of serverless endpoints"
TOTALS = {
    "endpoint": "Number of instances across active endpoints",
    "training job": "Number of instances across all training jobs",
    "processing job": "Number of instances across all processing jobs",
    "transform job": "Number of instances across all transform jobs",
}


@dataclass(frozen=True)
class Need:
    """A quota: *least* is what a release needs, *wanted* what the busiest hour does."""

    service: str
    quota: str
    least: int
    wanted: int


@dataclass(frozen=True)
class Use:
    """Instances of one thing that runs: an endpoint, a job."""

    kind: str
    instance: str
    least: int
    wanted: int


def quota_of(kind: str, instance: str) -> str:
    """The quota's name; SageMaker has one for each instance type and kind of use."""
    return f"{instance} for {kind} usage"


def needs(project: Project, models: Sequence[Model], places: Sequence[str]) -> list[Need]:
    """Every quota that matters to these places, which share an account and region."""
    found = [*_instances(list(_uses(project, models, places))), *_serverless(models, places)]
    if "tooling" in places:
        found.append(Need("codebuild", BUILDS, least=1, wanted=1 + len(models)))
    return found


def instance_types(project: Project, models: Sequence[Model], places: Sequence[str]) -> dict[str, set[str]]:
    """The instance types by what they are for."""
    found: dict[str, set[str]] = defaultdict(set)
    for use in _uses(project, models, places):
        found[use.kind].add(use.instance)
    return found


def _uses(project: Project, models: Sequence[Model], places: Sequence[str]) -> Iterator[Use]:
    for place in places:
        if place == "tooling":
            yield from (Use(kind, model.training.instance, 1, 1) for model in models for kind in _TRAINING)
            continue
        for model in (model.in_environment(place) for model in models):
            if isinstance(model.hosting, Dedicated):
                yield _endpoint(model, model.hosting)
            fleet = model.batch
            yield from (Use(kind, fleet.instance, fleet.instances, fleet.instances) for kind in _BATCH)
        if place == "production":  # where models are judged
            watches = [team.watch for team in project.teams.values()]
            yield from (Use("processing job", each.instance, each.instances, each.instances) for each in watches)


def _endpoint(model: Model, hosting: Dedicated) -> Use:
    """A release starts a second fleet beside the first, even in the busiest hour; a rolling one, a batch of it."""
    most = hosting.scaling.maximum if hosting.scaling else hosting.instances
    return Use(
        "endpoint", hosting.instance, hosting.instances + _beside(model, hosting.instances), most + _beside(model, most)
    )


def _beside(model: Model, instances: int) -> int:
    rollout = model.rollout
    return math.ceil(instances * rollout.percent / 100) if isinstance(rollout, Rolling) else instances


def _instances(uses: Sequence[Use]) -> Iterator[Need]:
    """All endpoints are there at the same time; jobs can come one after the other."""
    by_type: dict[tuple[str, str], list[Use]] = defaultdict(list)
    for use in uses:
        by_type[use.kind, use.instance].append(use)
    groups = [(kind, quota_of(kind, instance), same) for (kind, instance), same in by_type.items()]
    groups += [(kind, TOTALS[kind], [use for use in uses if use.kind == kind]) for kind in TOTALS]
    for kind, quota, same in groups:
        if same:
            least = (sum if kind == "endpoint" else max)(use.least for use in same)
            yield Need("sagemaker", quota, least, sum(use.wanted for use in same))


def _serverless(models: Sequence[Model], places: Sequence[str]) -> Iterator[Need]:
    found = [model.in_environment(place).hosting for place in places if place != "tooling" for model in models]
    asked = [hosting.concurrency for hosting in found if isinstance(hosting, Serverless)]
    if asked:
        yield Need("sagemaker", CONCURRENCY, sum(asked), 2 * sum(asked))
        yield Need("sagemaker", SERVERLESS, len(asked), 2 * len(asked))


_TRAINING = ("processing job", "training job")
_BATCH = ("processing job", "transform job")
