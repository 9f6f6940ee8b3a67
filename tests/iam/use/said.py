"""What each kind of role is for, in a sentence."""

from __future__ import annotations

import fnmatch

from tests.iam.account import Account
from tests.iam.use.kinds import Kind, Words

SAID = {
    "*/Batch/Machine/Role": "The state machine that runs a batch: screen, score, reconcile.",
    "*/Batch/Machine/EventsRole": "EventBridge: starts the batch's machine when an endpoint serves another package.",
    "*-rollback-*/Machine/Role": "The state machine that takes a model back to an earlier package.",
    "*-rollback-*/Machine/EventsRole": "EventBridge: starts the way back when a package is rejected.",
    "*/Judging-*/Machine/Role": "The state machine that runs the job that judges a team's models.",
    "*Schedule's role": "EventBridge Scheduler: starts the judging of a team's models.",
    "*/Recorder/Machine/Role": "The state machine that writes a package down as the registry describes it.",
    "*/Recorder/Machine/EventsRole": "EventBridge: starts the recorder when a package is registered or changes.",
    "*/Wave/Machine/Role": "The state machine that starts the releases of one commit, so many at a time.",
    "*/Release/Pipeline/Role": "CodePipeline: runs the release pipeline.",
    "*/Platform/Pipeline/Role": "CodePipeline: runs the platform pipeline.",
    "*/Pipeline/EventsRole": "EventBridge: starts the platform pipeline when the source changes.",
    "*/Project/Role": "A build of a delivery pipeline; what it runs is `pipelines/stages`.",
}
"""By the form of the role's path, where the template does not describe it."""


def what_is(kind: Kind, account: Account) -> str:
    """The sentence of a kind: that of the template, or one of these."""
    described = next(
        (
            str(properties["Description"])
            for path, _, properties in account.resources("AWS::IAM::Role")
            if path == kind.roles[0].path and "Description" in properties
        ),
        "",
    )
    said = next((text for form, text in SAID.items() if fnmatch.fnmatchcase(kind.form, form)), "")
    return Words(account).path(described) or said or f"Write a sentence for {kind.form} in tests/iam/use/said.py."
