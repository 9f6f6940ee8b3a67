"""`make chaos`: the first releases of `make local`, then bad ones, a killed server and a way back under requests."""

from __future__ import annotations

from config import load_models, load_project
from config.hosting import Dedicated
from local_aws.account import Account
from local_aws.chaos.scenes import Scenes
from local_aws.chaos.served import Served
from local_aws.rehearsal.report import Report
from local_aws.rehearsal.run import rehearse
from local_aws.rehearsal.story import Story

RATE = {True: 50.0, False: 5.0}
"""Requests per second, by whether the model has instances of its own; serverless answers few at a time."""


def _play(account: Account, report: Report) -> None:
    story = Story(account, report)
    released = story.begin()
    root = account.settings.checkout
    project = load_project(root)
    models = load_models(root, project)
    served = [
        Served(
            account,
            report,
            project,
            model,
            released[model.name],
            RATE[isinstance(model.hosting, Dedicated)],
        )
        for model in sorted(models, key=lambda model: not isinstance(model.hosting, Dedicated))
    ]
    try:
        Scenes(served).play()
    finally:
        for each in served:
            each.traffic.stop()
    for each in served:
        with report.step(f"{each.name}: the whole time") as step:
            step.evidence = str(each.traffic.since(0))
    story.permissions()


if __name__ == "__main__":
    rehearse(_play, minute=1)
