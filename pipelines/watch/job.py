"""All models of a team in one run: one after the other, or as many at once as there are processors."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from pipelines.container import Container, StepError, unquoted
from pipelines.watch import figures
from pipelines.watch.around import Around
from pipelines.watch.figures import Judged
from pipelines.watch.places import Places
from pipelines.watch.settings import Settings
from pipelines.watch.watching import Watching

_WORTH_A_PROCESS = 4
"""Models for each process: starting one costs about a second."""


@dataclass(frozen=True)
class Outcome:
    """What became of a model, or the error that kept it from being judged."""

    model: str
    judged: Judged | None = None
    error: str = ""


def work(container: Container) -> None:
    """The program; raises StepError after all if a model could not be judged."""
    settings = Settings.read(container)
    around = Around(settings)
    models = list(discover(around))
    outcomes = _each(settings, models)
    if settings.only != "count":
        judged = [each.judged for each in outcomes if each.judged]
        figures.publish(around.client("cloudwatch"), settings, judged)
        for each in judged:
            print(f"{each.model}: {each.tier}", flush=True)
    failed = [each for each in outcomes if each.error]
    if failed:
        told = "; ".join(f"{each.model}: {each.error}" for each in failed)
        raise StepError(f"{len(failed)} of {len(models)} models could not be judged: {told}")


def discover(around: Around) -> Iterator[Places]:
    """The models of the team in this environment, by the parameters that their stacks have written."""
    settings = around.settings
    path = settings.names.model_parameter(settings.environment, settings.team)
    pages = around.client("ssm").get_paginator("get_parameters_by_path").paginate(Path=path)
    for page in pages:
        for parameter in page["Parameters"]:
            name = parameter["Name"].rsplit("/", 1)[1]
            yield Places(settings.team, name, json.loads(parameter["Value"])["endpoint"])


def watch(settings: Settings, places: Places) -> Outcome:
    """One model; its failure is its own."""
    try:
        return Outcome(places.model, Watching(Around(settings), places).run())
    except Exception as error:  # noqa: BLE001  the other models are to be judged
        traceback.print_tb(error.__traceback__, file=sys.stderr)
        # What libraries say about data may quote a row, and which of them are sensitive is not always known here.
        about_data = isinstance(error, ValueError | TypeError | LookupError | ArithmeticError)
        return Outcome(places.model, error=unquoted(error) if about_data else f"{type(error).__name__}: {error}")


def _each(settings: Settings, models: Sequence[Places]) -> list[Outcome]:
    processes = min(os.cpu_count() or 1, len(models) // _WORTH_A_PROCESS)
    if processes < 2:
        return [watch(settings, each) for each in models]
    # Forked processes would inherit threads and connections of the clients.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        return list(pool.map(watch, [settings] * len(models), models))
