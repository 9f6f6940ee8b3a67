"""The whole way of a model, from an empty account to answers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from config import Model, load_models, load_project
from config.naming import NOTHING, Names
from local_aws.account import Account
from local_aws.rehearsal.commands import Commands
from local_aws.rehearsal.delivery import Delivery, Execution
from local_aws.rehearsal.failure import RehearsalError
from local_aws.rehearsal.lights import Lights
from local_aws.rehearsal.months import eve
from local_aws.rehearsal.report import Report
from local_aws.rehearsal.traffic import Production
from local_aws.rehearsal.unseen import without_rarest
from pipelines.by_hand.outputs import stack_output

BATCH_ROWS = 10_000
START_SECONDS, LOOK_SECONDS = 60, 0.25
"""How long the releases of a wave may take to start, and between two looks for them."""


class Story:
    """What a newcomer does on AWS, in the same order, with the same words."""

    def __init__(self, account: Account, report: Report) -> None:
        self._account, self._report = account, report
        self._root: Path = account.settings.checkout
        self._project = load_project(self._root)
        self._models = load_models(self._root, self._project)
        self._names = Names(self._project.name)
        self._commands = Commands(account)
        self._delivery = Delivery(account, report)

    def tell(self, *, full: bool = False) -> dict[str, str]:
        """Goes all the way, with *full* years of production too; gives the package that each model was released with.

        Raises RehearsalError where something is wrong.
        """
        self._by_hand(full=full)
        self._platform()
        released = {}
        for execution in self._followed(full=full):
            released[execution.model] = self._ask(execution)
        if full:
            self._let_years_pass(released)
        with self._report.step("templates") as step:
            step.evidence = self._as_synthesized()
        self.permissions()
        return released

    def begin(self, trained: Callable[[str, str], None]) -> None:
        """Goes as far as the first releases; tells *trained* each model and its package. Raises RehearsalError."""

        def heed(execution: Execution, action: str) -> None:
            if action == "Train":
                trained(execution.model, self._package(execution))

        self._by_hand(full=False)
        self._platform()
        for releases in self._releases():
            list(self._delivery.follow(releases, approve=True, heed=heed))

    def permissions(self) -> None:
        """Says how much IAM has decided; raises RehearsalError where it has denied anything."""
        with self._report.step("permissions") as step:
            step.evidence = self._decisions()

    def _by_hand(self, *, full: bool) -> None:
        with self._report.step("make synth") as step:
            self._commands.make("synth")
            step.evidence = f"{len(list((self._root / 'cdk.out').glob('*.template.json')))} templates, validated"
        with self._report.step("make bootstrap") as step:
            self._commands.make("bootstrap")
            step.evidence = "the CDK's own roles and buckets"
        with self._report.step("make foundation") as step:
            self._commands.make("foundation")
            step.evidence = self._deployed("tooling", "staging", "production")
        with self._report.step("make data") as step:
            step.evidence = " ".join(self._give_data(model, full=full) for model in self._models)
        with self._report.step("make delivery") as step:
            self._commands.make("delivery")
            step.evidence = self._deployed("delivery")

    def _give_data(self, model: Model, *, full: bool) -> str:
        folder = self._account.settings.home / "data" / model.name
        rare = without_rarest(model, self._root / "data" / model.data.prefix, folder) if full else None
        words = [f"MODEL={model.name}", *([f"FROM={folder}"] if rare else [])]
        said = self._commands.make("data", *words).strip()
        return f"{said} Left out of {model.name}'s first training: {rare}." if rare else said

    def _platform(self) -> None:
        pipeline = self._names.delivery_pipeline("platform")
        list(self._delivery.follow(self._delivery.executions(pipeline)[:1]))

    def _followed(self, *, full: bool) -> Iterator[Execution]:
        """The releases as they end; before years pass, each is approved when its model's first month begins."""
        for releases in self._releases():
            if not full:
                yield from self._delivery.follow(releases, approve=True)
                continue
            for execution in releases:
                self._account.calendar.set(eve(self._model(execution.model)))
                ended = list(self._delivery.follow([execution], approve=True))
                self._account.calendar.set(None)
                yield from ended

    def _model(self, name: str) -> Model:
        return next(model for model in self._models if model.name == name)

    def _releases(self) -> Iterator[list[Execution]]:
        """The runs of the wave that Plan has started, as many as go on at once, then the next ones."""
        missing = self._planned()
        while missing:
            wanted = min(self._project.waves.at_once, len(missing))
            deadline = time.monotonic() + START_SECONDS
            while len(found := [run for name, run in self._started().items() if name in missing]) < wanted:
                if time.monotonic() > deadline:
                    raise RehearsalError(
                        f"Of the wave's releases, {len(found)} have started within {START_SECONDS} seconds, not "
                        f"{wanted}; still to come: {', '.join(sorted(missing))}.",
                        self._account.settings.home,
                    )
                time.sleep(LOOK_SECONDS)
            missing -= {run.model for run in found}
            yield found

    def _planned(self) -> set[str]:
        """The models of the wave: every one, because none was released before."""
        states = self._account.client("stepfunctions")
        machine = self._account.arn("states", f"stateMachine:{self._names.wave}")
        waves = [each["executionArn"] for each in states.list_executions(stateMachineArn=machine)["executions"]]
        given = [json.loads(states.describe_execution(executionArn=wave)["input"]) for wave in waves]
        planned = {release["model"] for wave in given for release in wave["releases"]}
        if planned != {model.name for model in self._models}:
            raise RehearsalError(
                f"Plan has started {len(waves)} waves, with {len(planned)} releases for {len(self._models)} models.",
                self._account.settings.home,
            )
        return planned

    def _started(self) -> dict[str, Execution]:
        """The first release of each model; the run that the pipeline's creation started must have ended well."""
        started: dict[str, Execution] = {}
        for execution in self._delivery.executions(self._names.delivery_pipeline("release")):
            name = self._delivery.variables(execution)["MODEL"]
            if name != NOTHING:
                started.setdefault(name, replace(execution, model=name))
            else:
                self._delivery.settle(execution)
        return started

    def _let_years_pass(self, released: Mapping[str, str]) -> None:
        looks = []
        stack = self._names.stack("production")
        records = stack_output(self._account.client("cloudformation"), stack, "RecordsBucketName")
        for model in self._models:
            lights = Lights(self._account, self._report, self._names, self._delivery, model, records)
            lights.pass_by(released[model.name])
            looks += lights.looks
        self._account.calendar.set(None)
        (self._account.settings.home / "lights.json").write_text(json.dumps(looks, indent=1))

    def _ask(self, execution: Execution) -> str:
        """Asks the released model; gives its package."""
        name, package = execution.model, self._package(execution)
        production = Production(self._account, self._names, self._model(name))
        rows = production.rows(package)
        with self._report.step(f"{name}: answers") as step:
            step.evidence = production.ask(rows)
        with self._report.step(f"{name}: requests") as step:
            step.evidence = production.load(rows)
        with self._report.step(f"{name}: batch") as step:
            step.evidence = production.score_batch(rows, BATCH_ROWS)
        return package

    def _package(self, execution: Execution) -> str:
        """The package that a release has trained."""
        trained = self._delivery.outputs(execution, "Train")
        if trained["OUTCOME"] != "registered":
            said = f"{execution.model} was not released: {trained['SUMMARY']}"
            raise RehearsalError(said, self._account.settings.home / "logs")
        return trained["PACKAGE"]

    def _as_synthesized(self) -> str:
        """Every stack but the CDK's own has the template that `cdk synth` writes, unedited."""
        client = self._account.client("cloudformation")
        names = {stack["StackName"] for stack in client.describe_stacks()["Stacks"]} - {"CDKToolkit"}
        for name in names:
            synthesized = json.loads((self._root / "cdk.out" / f"{name}.template.json").read_text())
            if client.get_template(StackName=name)["TemplateBody"] != synthesized:
                raise RehearsalError(f"The template of {name} is not the one in cdk.out.", self._account.settings.home)
        return f"{len(names)} stacks deployed as synthesized"

    def _decisions(self) -> str:
        journal = self._account.journal
        journal.flush()
        if journal.denials:
            first = journal.denials[0]
            raise RehearsalError(
                f"{len(journal.denials)} calls were denied; the first: {first.caller} may not {first.action} "
                f"on {first.resource} ({first.decision}).",
                journal.path,
            )
        return f"{sum(journal.counts.values()):,} decisions by IAM, none denied"

    def _deployed(self, *stacks: str) -> str:
        resources = 0
        client = self._account.client("cloudformation")
        for stack in stacks:
            pages = client.get_paginator("list_stack_resources").paginate(StackName=self._names.stack(stack))
            resources += sum(len(page["StackResourceSummaries"]) for page in pages)
        return f"{len(stacks)} stack{'s' if len(stacks) > 1 else ''}, {resources} resources"
