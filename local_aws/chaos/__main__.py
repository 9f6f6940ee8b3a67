"""`make chaos`: the first releases of `make local`, then bad ones, a killed server and a way back under requests."""

from __future__ import annotations

from contextlib import ExitStack

from config import Model, load_models, load_project
from config.hosting import Dedicated
from config.rollout import Canary
from local_aws.account import Account
from local_aws.chaos.scenes import Scenes
from local_aws.chaos.served import Going, Served
from local_aws.rehearsal.failure import RehearsalError
from local_aws.rehearsal.report import Report
from local_aws.rehearsal.run import rehearse
from local_aws.rehearsal.story import Story

RATE = {True: 50.0, False: 5.0}
"""Requests per second, by whether the model has instances of its own; serverless answers few at a time."""


def _play(account: Account, report: Report) -> None:
    root = account.settings.checkout
    project = load_project(root)
    models = {model.name: model for model in load_models(root, project)}
    main = next((name for name, model in models.items() if _has_canary(model)), "")
    if not main:
        raise RehearsalError(
            f"No model of {', '.join(models)} has a canary in production, which is what chaos looks at; give one "
            "hosting of kind dedicated with two instances or more.",
            root,
        )
    served: dict[str, Served] = {}
    first_two: list[Going] = []

    def trained(name: str, package: str) -> None:
        """The first two releases start behind the one that has trained their package, while that goes on."""
        model = models[name]
        rate = RATE[isinstance(model.hosting, Dedicated)]
        served[name] = Served(account, report, project, model, package, rate)
        if name == main:
            first_two.extend(served[name].release(served[name].faults.same(), "chaos: two at once") for _ in range(2))

    story = Story(account, report)
    story.begin(trained)
    with ExitStack() as flowing:
        others = [flowing.enter_context(each.asked()) for name, each in served.items() if name != main]
        Scenes(flowing.enter_context(served[main].asked()), others, report).play(first_two)
    for each in served.values():
        with report.step(f"{each.name}: the whole time") as step:
            step.evidence = str(each.traffic.since(0))
    story.permissions()


def _has_canary(model: Model) -> bool:
    return isinstance(model.in_environment("production").rollout, Canary)


if __name__ == "__main__":
    rehearse(_play, minute=1)
