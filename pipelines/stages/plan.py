"""Finds the models that this commit affects, and starts their releases, so many at a time.

What production runs decides: a model whose training has changed since is trained, one whose image alone has changed is
released as it is in the new image. The stacks of a model whose folder is gone are told of, and stay. Leaves SUMMARY.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from config import Model
from config.naming import NOTHING
from pipelines.stages.affecting import GitHistory
from pipelines.stages.gone import gone
from pipelines.stages.registry import Package
from pipelines.stages.running import serving
from pipelines.stages.surroundings import Surroundings
from pipelines.stages.telling import number, tell

LONGEST_REASON = 200
"""Characters: the input of a wave may have 256 KiB, and a wave five hundred models."""
NAMED = 20
"""Models that SUMMARY names."""


@dataclass(frozen=True)
class Settings:
    """The environment of the build."""

    execution: str
    """Of the platform pipeline: a stage that is tried again starts no second wave, and another run starts its own."""
    revision: str
    revision_type: str
    wave: str
    """ARN of the state machine that starts the releases."""
    topic: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        names = ("EXECUTION", "REVISION", "REVISION_TYPE", "WAVE", "TOPIC")
        return cls(*(environment[name] for name in names))


@dataclass(frozen=True)
class Release:
    """One release of a wave, as its state machine reads it."""

    model: str
    reason: str
    package: str = NOTHING
    image: str = NOTHING


@dataclass(frozen=True)
class Unaffected:
    """A model that is not released, and why."""

    model: str
    why: str
    waits: bool = False
    """Whether a newer package of it has not come to production."""


def main() -> None:
    around, settings = Surroundings(), Settings.read(os.environ)
    history, images = GitHistory(around.root), newest_images(around)
    found = [planned(around, history, model, images[model.serving.image]) for model in around.models]
    for each in found:
        print(f"{each.model}: {each.reason if isinstance(each, Release) else each.why}")
    releases = [each for each in found if isinstance(each, Release)]
    if releases:
        print(start(around.client("stepfunctions"), settings, releases))
    left = gone(around)
    if left.models:
        tell(around.client("sns"), settings.topic, left.subject, left.text)
        print(left.text)
    waiting = [each.model for each in found if isinstance(each, Unaffected) and each.waits]
    around.leave(SUMMARY=" ".join(filter(None, [summary(releases, len(found), waiting), left.summary])))


def newest_images(around: Surroundings) -> dict[str, str]:
    """The newest image of each kind that the models are served with, as the Image stage has noted it."""
    parameters, names = around.client("ssm"), around.names
    targets = {model.serving.image for model in around.models}
    return {
        target: parameters.get_parameter(Name=names.image_parameter(target))["Parameter"]["Value"] for target in targets
    }


def planned(around: Surroundings, history: GitHistory, model: Model, image: str) -> Release | Unaffected:
    """Whether *model* is released now, and how; *image* is the newest that may serve it."""
    sagemaker, group = around.client("sagemaker"), around.names.package_group(model.name)
    serves = serving(sagemaker, around.names.endpoint(model.name, "production"))
    # With none in production, the release of the newest approved one is on its way, or somebody has stopped it.
    base, newest = serves or Package.newest_approved(sagemaker, group), Package.newest(sagemaker, group)
    if base is None or newest is None:
        return Release(model.name, "It has no package yet.")
    why = history.retraining(model.name, base.trained_commit)
    if why and newest.arn != base.arn and history.retraining(model.name, newest.trained_commit) is None:
        return _trained_already(model, newest, base, image)
    if why:
        return Release(model.name, shortened(why))
    if image in (NOTHING, base.image):
        return Unaffected(model.name, f"Not affected: {number(base.arn)} is of the same files and the same image.")
    if newest.is_patch(base, image):
        return _is_there(model, newest, base)
    return _in_newer_image(model, base)


def _trained_already(model: Model, newest: Package, base: Package, image: str) -> Release | Unaffected:
    """Trained from the very files of this commit, and not in production: training again would not change it."""
    if newest.status == "Approved" and image in (NOTHING, newest.image):
        return _is_there(model, newest, base)
    return _in_newer_image(model, newest)


def _in_newer_image(model: Model, package: Package) -> Release | Unaffected:
    called = number(package.arn)
    if package.status != "Approved":
        why = f"Not affected: {called} is of the same files, and {package.status}, so that it is not released again."
        return Unaffected(model.name, why)
    return Release(model.name, f"The image that serves {called} changed.", package=package.arn, image="newest")


def _is_there(model: Model, newest: Package, base: Package) -> Unaffected:
    why = (
        f"Not affected: {number(newest.arn)} is of the same files and the same image. It has not come to production, "
        f"which runs {number(base.arn)}: its release is on its way, was stopped, or was taken back. To release it "
        f"again, start the release pipeline with PACKAGE={newest.arn}"
    )
    return Unaffected(model.name, why, waits=True)


def shortened(text: str) -> str:
    return text if len(text) <= LONGEST_REASON else f"{text[: LONGEST_REASON - 3]}..."


def start(states: Any, settings: Settings, releases: Sequence[Release]) -> str:
    """Starts the wave, and does not wait for it; the sentence that says so."""
    given: dict[str, Any] = {
        "releases": [asdict(each) for each in releases],
        "revision": settings.revision,
        "revision_type": settings.revision_type,
    }
    name = f"plan-{settings.execution}"
    try:
        started = states.start_execution(stateMachineArn=settings.wave, name=name, input=json.dumps(given))
    except states.exceptions.ExecutionAlreadyExists:
        return f"An earlier try of this stage has started the wave {name}; it goes on as it was planned then."
    return f"Started {started['executionArn']}."


def summary(releases: Sequence[Release], of: int, waiting: Sequence[str] = ()) -> str:
    """What people see beside the stage."""
    names = [f"{each.model} (image only)" if each.image != NOTHING else each.model for each in releases]
    said = f"{len(names)} of {of} models to release: {_some(names) or 'none'}."
    if not waiting:
        return said
    return f"{said} A newer package waits to come to production, or was taken back: {_some(waiting)}."


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"


if __name__ == "__main__":
    main()
