"""What the states of a way back have in common: they read AWS, refuse with a sentence, and tell the team."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from stacks.jsonata import call, of, text, when

READ_AGAIN = 4
LONGEST_SUBJECT = 100


@dataclass(frozen=True)
class Arns:
    """What the machine may name, of one environment."""

    stacks: str
    endpoints: str
    configs: str
    models: str
    packages: str


@dataclass(frozen=True)
class People:
    """The team of each model, by the model's part of a stack's name, and the topic of each team."""

    teams: Mapping[str, str]
    topics: Mapping[str, str]


class States:
    """Makes states below a construct; those that end it tell the team of the model what `$said` says."""

    def __init__(self, scope: Construct, environment: str, people: People) -> None:
        self.scope, self._environment, self._people = scope, environment, people
        self.well = self._tell("Tell", "goes back", sfn.Succeed(scope, "Gone back"))
        fail = sfn.Fail.jsonata(scope, "Not gone back", error="NotRolledBack", cause=of("$said"))
        self.failed = self._tell("Tell why not", "does not go back", fail)

    def read(
        self, name: str, action: str, parameters: Mapping[str, object], *, on: str, assign: Mapping[str, object]
    ) -> tasks.CallAwsService:
        """A state that asks AWS, again where AWS is busy; where that fails, the way back ends."""
        state = call(self.scope, name, action, parameters, on=[on], assign=assign)
        state.add_retry(errors=["States.TaskFailed"], max_attempts=READ_AGAIN)
        said = of(failure(action.partition(":")[2]))
        state.add_catch(self.failed, errors=["States.ALL"], assign={"said": said})
        return state

    def refuse(self, choice: sfn.Choice, condition: str, sentence: str) -> None:
        """Ends where a condition holds, with a sentence."""
        choice.when(when(condition), self.failed, assign={"said": of(text(sentence))})

    def _tell(self, name: str, outcome: str, then: sfn.IChainable) -> sfn.IChainable:
        """Tells the team, and ends in the same way where that fails."""
        subject = text(f"{{model}} in {self._environment} {outcome}")
        message = {
            "TopicArn": of("$lookup($topics, $team)"),
            "Subject": of(f"$substring({subject}, 0, {LONGEST_SUBJECT})"),
            "Message": of("$said"),
        }
        outputs = {"said": of("$said"), "package": of("$package"), "before": of("$before")}
        topics = list(self._people.topics.values())
        tell = call(self.scope, name, "sns:Publish", message, on=topics, outputs=outputs)
        tell.add_catch(then, errors=["States.ALL"], outputs=outputs)
        tell.next(then)
        return tell


def failure(action: str) -> str:
    """An expression for the sentence that a call has failed."""
    return text(f"{action} for {{endpoint}} failed: ") + " & $states.errorOutput.Cause"
