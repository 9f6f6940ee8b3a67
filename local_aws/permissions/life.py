"""The whole life of a project: everything that its roles are for, and the mishaps that some of their rights are for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from config import Model, load_models, load_project
from config.hosting import Dedicated
from config.naming import Names
from local_aws.account import Account
from local_aws.chaos.scenes import SEEN_BY_USERS, Scenes
from local_aws.chaos.served import Served
from local_aws.permissions.diary import Diary
from local_aws.permissions.people import People
from local_aws.permissions.pushes import Pushes, demand, resize, touch
from local_aws.rehearsal.commands import Commands
from local_aws.rehearsal.delivery import Delivery
from local_aws.rehearsal.failure import RehearsalError
from local_aws.rehearsal.story import Story
from local_aws.rehearsal.traffic import Production
from pipelines.by_hand.outputs import stack_output
from pipelines.stages.running import serving

SCENES = (
    *("first deployment", "platform pipeline", "release", "production", "watch"),  # those of the story
    *("batches in staging", "bad releases", "refused wave", "new image", "another instance type", "gate that refuses"),
    *("late release", "ways back", "rejected package", "mishaps"),
)
"""What a whole life consists of, before its end, in which no role of the stacks has a part."""

RATE = 30.0
"""Requests per second while releases go wrong: enough for the alarms of a canary to see a fault of rare rows."""

ROWS = 200
"""Of a batch."""

ALARMING, NOT_STARTING = SEEN_BY_USERS[0], "crashes at start"
"""A fault that the alarms of a canary find, and one that ends the server at once."""


class Life:
    """Plays it once, in scenes that the diary notes."""

    def __init__(self, account: Account, diary: Diary) -> None:
        self._account, self._diary = account, diary
        root = account.settings.checkout
        self._project = load_project(root)
        self._models = load_models(root, self._project)
        self._names = Names(self._project.name)
        self._commands, self._delivery = Commands(account), Delivery(account, diary)
        self._people = People(account)
        self._sagemaker = account.client("sagemaker")

    def live(self) -> None:
        """All scenes, also after one that ends as it must not; then that is raised as RehearsalError."""
        released = Story(self._account, self._diary).tell(full=True)
        failures: list[RehearsalError] = []
        for scene in (
            lambda: self._batches(released),
            self._bad_releases,
            self._pushes,
            self._late_release,
            self._ways_back,
            self._mishaps,
        ):
            try:
                scene()
            except RehearsalError as failure:
                self._diary.say(f"Failed: {failure}")
                failures.append(failure)
        self._destruction()
        if failures:
            raise failures[0]

    def _destruction(self) -> None:
        self._diary.begin("destruction")
        with self._diary.step("make destroy") as step:
            step.evidence = self._commands.make("destroy", f"CONFIRM={self._project.name}").strip().splitlines()[-1]

    def _batches(self, released: Mapping[str, str]) -> None:
        """Those of staging; the story has those of production."""
        self._diary.begin("batches in staging")
        bucket = stack_output(self._account.client("cloudformation"), self._names.stack("staging"), "RecordsBucketName")
        for model in self._models:
            with self._diary.step(f"{model.name}: batch in staging") as step:
                rows = Production(self._account, self._names, model).rows(released[model.name])
                body = rows.features.head(ROWS).to_csv(index=False, header=False).encode()
                key = f"batch/{model.team}/{model.name}/in/life/rows.csv"
                self._account.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
                step.evidence = self._expect(
                    self._people.start(self._names.batch(model.name, "staging"), "life", '{"run": "life"}'), "succeeded"
                )

    def _bad_releases(self) -> None:
        """One that the alarms of a canary take back, and one that does not start."""
        self._diary.begin("bad releases")
        for model in self._models:
            dedicated = isinstance(model.in_environment("production").hosting, Dedicated)
            served = Served(self._account, self._diary, self._project, model, self._package(model), RATE)
            with served.asked():
                faults = (ALARMING, NOT_STARTING) if dedicated else (NOT_STARTING,)
                Scenes(served, (), self._diary).bad_releases(served, faults)

    def _pushes(self) -> None:
        """An image that people refuse, one that they approve, larger instances, and a gate that refuses."""
        pushes, every = Pushes(self._account, self._names, self._delivery), len(self._models)
        self._diary.begin("refused wave")
        for run in pushes.push("A new image", touch("model_server/routes.py"), every):
            with self._diary.step(f"{run.pipeline}: a person says no") as step:
                step.evidence = self._expect(self._people.refuse(run).lower(), "failed")
        with self._diary.step(f"{self._names.wave}: stops") as step:
            step.evidence = self._expect(self._people.end(self._people.executions(self._names.wave)[0]), "failed")
        self._diary.begin("new image")
        list(self._delivery.follow(pushes.push("Another", touch("model_server/contract.py"), every), approve=True))
        self._diary.begin("another instance type")
        for model in self._models:
            hosting = model.in_environment("production").hosting
            if isinstance(hosting, Dedicated) and hosting.scaling:
                list(self._delivery.follow(pushes.push("Larger", resize(model), 1), approve=True))
        self._diary.begin("gate that refuses")
        with self._left_over():
            list(self._delivery.follow(pushes.push("Stricter", demand(self._models[0]), 1), approve=True))

    @contextmanager
    def _left_over(self) -> Iterator[None]:
        """A stack of a model that has no folder any more, of which Plan tells people."""
        cloudformation, gone = self._account.client("cloudformation"), self._names.stack("training", "long-gone")
        topic = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
        cloudformation.create_stack(StackName=gone, TemplateBody=json.dumps(topic))
        try:
            yield
        finally:
            cloudformation.delete_stack(StackName=gone)

    def _late_release(self) -> None:
        """One that is approved when a newer one has arrived: it is refused, and the owners hear why."""
        self._diary.begin("late release")
        model, pipeline = self._models[0], self._names.delivery_pipeline("release")
        start = partial(self._delivery.release, pipeline, model.name, self._package(model))
        late = start("life: approved late")
        self._people.asked(late)
        list(self._delivery.follow([start("life: newer")], approve=True))
        with self._diary.step(f"{model.name}: the older release is approved") as step:
            step.evidence = self._expect(self._delivery.end(late).status.lower(), "failed")

    def _ways_back(self) -> None:
        """By hand in each environment, and by a rejection in the registry."""
        self._diary.begin("ways back")
        for model in self._models:
            for environment in self._project.environments:
                with self._diary.step(f"{model.name}: make rollback in {environment}") as step:
                    words = [f"MODEL={model.name}", f"ENV={environment}", "YES=1", "REASON=life"]
                    step.evidence = self._commands.make("rollback", *words).strip().splitlines()[-1]
        self._diary.begin("rejected package")
        for model in self._models:
            with self._diary.step(f"{model.name}: its package is rejected") as step:
                machines = [self._names.rollback(environment) for environment in self._project.environments]
                known = [len(self._people.executions(machine)) for machine in machines]
                package = self._package(model)
                self._sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Rejected")
                begun = [self._people.begun(*each) for each in zip(machines, known, strict=True)]
                step.evidence = "; ".join(self._people.end(each) for each in begun)

    def _mishaps(self) -> None:
        """A batch of a run that is not there, and a way back to a package that is none."""
        self._diary.begin("mishaps")
        group = self._names.package_group(self._models[0].name)
        nowhere = {
            "model": self._models[0].name,
            "package": self._account.arn("sagemaker", f"model-package/{group}/999"),
            "reason": "life",
        }
        for environment in self._project.environments:
            for model in self._models:
                machine = self._names.batch(model.name, environment)
                with self._diary.step(f"{machine}: without rows") as step:
                    step.evidence = self._people.start(machine, "nothing", '{"run": "nothing"}')
            machine = self._names.rollback(environment)
            with self._diary.step(f"{machine}: to no package") as step:
                step.evidence = self._expect(self._people.start(machine, "nowhere", json.dumps(nowhere)), "failed")

    def _package(self, model: Model) -> str:
        """The ARN of what serves in production."""
        package = serving(self._sagemaker, self._names.endpoint(model.name, "production"))
        if package is None:
            raise RehearsalError(f"Nothing serves {model.name} in production.", self._account.settings.home)
        return package.arn

    def _expect(self, ended: str, status: str) -> str:
        if not ended.startswith(status):
            raise RehearsalError(f"It has {ended}, not {status}.", self._account.settings.home)
        return ended
