"""The pipeline that takes one model from training to production."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_codepipeline_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from config.naming import NOTHING
from stacks.build import delivery_pipeline
from stacks.foundation import ToolingStack
from stacks.handover import Handover
from stacks.images import Images
from stacks.place import Place, PlacedStack
from stacks.release_builds import ReleaseBuilds
from stacks.source import Source

MODEL, PACKAGE = "#{variables.MODEL}", "#{Train.PACKAGE}"
EXECUTION = "#{codepipeline.PipelineExecutionId}"


class Release(Construct):
    """Train -> Staging -> Verify -> Decide -> Approve -> Production -> Confirm, for the model that MODEL names.

    A run without a model, and a run whose training is refused by the gate, skips what follows and succeeds; only Decide
    runs always.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        place: Place,
        *,
        source: Source,
        tooling: ToolingStack,
        images: Images,
        topic: sns.ITopic,
        targets: Sequence[PlacedStack],
    ) -> None:
        super().__init__(scope, name)
        code, trained = codepipeline.Artifact("Code"), codepipeline.Artifact("Trained")
        handover = Handover(place.names.delivery_pipeline("release"), tooling.artifacts)
        builds = ReleaseBuilds(
            self, "Builds", place, source=source, tooling=tooling, images=images, topic=topic, targets=targets
        )
        self.pipeline = delivery_pipeline(
            self,
            place,
            "release",
            artifacts=tooling.artifacts,
            execution_mode=codepipeline.ExecutionMode.PARALLEL,
            variables=[
                _variable("MODEL", "The model to release."),
                _variable("PACKAGE", "ARN of the package to release; none trains a new one."),
                _variable(
                    "IMAGE", "newest registers PACKAGE's model data again with the newest image; none leaves it."
                ),
                _variable("REASON", "Why, for the people who approve."),
                _variable("RETRAINING", "The id of the retraining that this is, where a red light started it."),
            ],
        )
        start = {
            "Source": source.action(code, triggers=False),
            "Train": _train(builds, source, handover, code, trained),
        }
        for stage, action in start.items():
            self.pipeline.add_stage(stage_name=stage, actions=[action])
        for stage, action in self._stages(builds, handover, trained, topic).items():
            self.pipeline.add_stage(
                stage_name=stage, actions=[action], before_entry=_ENTRY.get(stage, _registered)(stage)
            )

    def _stages(
        self, builds: ReleaseBuilds, handover: Handover, trained: codepipeline.Artifact, topic: sns.ITopic
    ) -> dict[str, codepipeline.IAction]:
        about = {"MODEL": MODEL, "PACKAGE": PACKAGE, "EXECUTION": EXECUTION}
        staging, production = ({**about, "ENVIRONMENT": environment} for environment in ("staging", "production"))
        return {
            "Staging": builds.serve.action("Staging", trained, handover, **staging),
            "Verify": builds.verify.action("Verify", trained, handover, **staging),
            "Decide": builds.decide.action(
                "Decide",
                trained,
                handover,
                **about,
                REASON="#{variables.REASON}",
                OUTCOME="#{Train.OUTCOME}",
                TRAINED="#{Train.SUMMARY}",
            ),
            "Approve": actions.ManualApprovalAction(
                action_name="Approve",
                additional_information="#{variables.MODEL}: #{Decide.SUMMARY}",
                notification_topic=topic,
            ),
            "Production": builds.serve.action("Production", trained, handover, **production),
            "Confirm": builds.confirm.action("Confirm", trained, handover, **production),
        }


def _train(
    builds: ReleaseBuilds,
    source: Source,
    handover: Handover,
    code: codepipeline.Artifact,
    trained: codepipeline.Artifact,
) -> codepipeline.IAction:
    return builds.train.action(
        "Train",
        code,
        handover,
        output=trained,
        MODEL=MODEL,
        PACKAGE="#{variables.PACKAGE}",
        IMAGE="#{variables.IMAGE}",
        RETRAINING="#{variables.RETRAINING}",
        REVISION=source.revision,
        REVISION_TYPE=source.revision_type,
    )


def _variable(name: str, description: str) -> codepipeline.Variable:
    return codepipeline.Variable(variable_name=name, default_value=NOTHING, description=description)


def _only_when(name: str, variable: str, value: str) -> codepipeline.Conditions:
    """Skips a stage unless a variable has that value."""
    rule = codepipeline.Rule(
        name=name,
        provider="VariableCheck",
        version="1",
        configuration={"Variable": f"#{{{variable}}}", "Operator": "EQ", "Value": value},
    )
    return codepipeline.Conditions(conditions=[codepipeline.Condition(rules=[rule], result=codepipeline.Result.SKIP)])


def _registered(stage: str) -> codepipeline.Conditions:
    return _only_when(f"Registered{stage}", "Train.OUTCOME", "registered")


_ENTRY: dict[str, Callable[[str], codepipeline.Conditions | None]] = {
    "Decide": lambda _: None,  # what a skipped stage would have left is no variable, which the next one asks for
    "Approve": lambda _: _only_when("Needed", "Decide.APPROVAL", "needed"),
}
"""When a stage is entered, where that is not once a package is registered."""
