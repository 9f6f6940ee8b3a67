"""A project with one model, a release pipeline whose stages wait to be let on, and a stack that serves."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_sagemaker as sagemaker

from config.model import Model
from config.naming import Names
from model_server.golden import Golden, GoldenRequest
from model_server.signature import Number, Signature
from pipelines.stages.surroundings import Surroundings
from tests.local_aws.codepipeline.conftest import Delivery, approval, stage
from tests.local_aws.delivery import allow, eventually, queue, role, unique
from tests.local_aws.sagemaker.stage import DATA, LOGS, PULL, Stage
from tests.pipelines.tables import model

STAGES = ("Staging", "Verify", "Approve", "Production", "Confirm")
MAKEFILE = (
    "deploy-stacks:\n"
    "\t@cdk deploy --require-approval never --progress events --method direct --app cdk.out --no-notices "
    "--exclusively $(STACKS) $(addprefix --parameters ,$(PARAMETERS))\n"
)
DEDICATED = {"kind": "dedicated", "instance": "ml.m5.large", "instances": 2}
SCALING = {"maximum": 4, "invocations_per_instance": 100}


@dataclass(frozen=True)
class Here(Surroundings):
    """What a stage finds, under a role of its own."""

    world: World = field(kw_only=True)
    role: str = field(kw_only=True)
    settings: Mapping[str, Any] = field(kw_only=True)

    @property
    def names(self) -> Names:
        return self.world.names

    def model(self, name: str) -> Model:
        return model(name=name, **self.settings)

    def client(self, service: str) -> Any:
        return self.world.account.client(service, self.role, service_principal="codebuild.amazonaws.com")


class World:
    """Everything that the programs of a release act on; `root` is their checkout."""

    def __init__(self, delivery: Delivery, sagemaker_stage: Stage, root: Path) -> None:
        self.delivery, self.stage, self.account, self.root = delivery, sagemaker_stage, delivery.account, root
        self.names = Names(unique("shop"))
        self.model, self.pipeline = "parcels", self.names.delivery_pipeline("release")
        self.group = self.names.package_group(self.model)
        self.role = role(self.account, "sagemaker", PULL, LOGS, DATA, allow("sagemaker:DescribeModelPackage"))
        self.stage.sagemaker.create_model_package_group(ModelPackageGroupName=self.group)
        self.topic = self.account.client("sns").create_topic(Name=unique("releases"))["TopicArn"]
        self._told, arn = queue(self.account)
        self.account.client("sns").subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn)
        (root / "Makefile").write_text(MAKEFILE)
        waits = [_waits(name) for name in STAGES]
        variables = [{"name": "MODEL", "defaultValue": "none"}]
        declared = delivery.declaration(self.pipeline, *waits, executionMode="PARALLEL", variables=variables)
        delivery.client.create_pipeline(pipeline=declared)

    def here(self, *statements: dict[str, Any], **settings: Any) -> Here:
        """The surroundings of a program that may do what the statements say; *settings* are of model.yaml."""
        return Here(self.root, world=self, role=role(self.account, "codebuild", *statements), settings=settings)

    def start(self, model: str = "", client: Any = None) -> str:
        """A release that waits in Staging."""
        variables = [{"name": "MODEL", "value": model or self.model}]
        started = (client or self.delivery.client).start_pipeline_execution(name=self.pipeline, variables=variables)
        execution = started["pipelineExecutionId"]
        self.delivery.waiting(self.pipeline, "Staging", execution)
        return execution

    def let(self, execution: str, *stages: str, client: Any = None, status: str = "Approved") -> None:
        """Lets a release out of these stages, one after the other."""
        for name in stages:
            waiting = self.delivery.waiting(self.pipeline, name, execution)
            (client or self.delivery.client).put_approval_result(
                pipelineName=self.pipeline,
                stageName=name,
                actionName=name,
                token=waiting["output"]["executionResult"]["externalExecutionId"],
                result={"status": status, "summary": "go"},
            )

    def package(self, *, metadata: Mapping[str, str] | None = None, card: Any = None, **content: Any) -> str:
        """An approved package of the test server; its ARN."""
        uri = self.stage.put(f"{unique('package')}/model.tar.gz", self.archive(card=card, **content))
        containers = [{"Image": self.stage.server, "ModelDataUrl": uri}]
        types = {"SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"]}
        return self.stage.sagemaker.create_model_package(
            ModelPackageGroupName=self.group,
            InferenceSpecification={"Containers": containers, **types},
            ModelApprovalStatus="Approved",
            CustomerMetadataProperties={"commit": "none", **(metadata or {})},
        )["ModelPackageArn"]

    def archive(self, *, card: Any = None, answer: str = "2.0\n4.0\n", **content: Any) -> bytes:
        """A model.tar.gz of the test server."""
        golden = Golden(1e-6, (GoldenRequest("text/csv", "text/csv", "1\n2\n", answer),))
        return _packed(
            {
                "model.json": {"name": unique("model"), **content},
                "golden.json": golden.to_json(),
                "signature.json": Signature("regression", "late", (Number("size"),)).to_json(),
                "card.json": card or {},
            }
        )

    def synthesize(self, environment: str, *, instance: str = "ml.m5.large", invocations: int = 0) -> str:
        """Writes cdk.out with a stack that serves as a ServingStack does, and scales at so many *invocations*."""
        name = self.names.stack("serving", self.model, environment)
        app = cdk.App(outdir=str(self.root / "cdk.out"))
        stack = cdk.Stack(app, name, synthesizer=cdk.LegacyStackSynthesizer())
        _serving(stack, self.names.endpoint(self.model, environment), self.role, instance, invocations)
        app.synth()
        return name

    def endpoint(self, environment: str) -> str:
        return self.names.endpoint(self.model, environment)

    def told(self) -> dict[str, str]:
        """The next message of the topic, with Subject and Message."""
        sqs = self.account.client("sqs")
        (found,) = eventually(lambda: sqs.receive_message(QueueUrl=self._told).get("Messages"))
        sqs.delete_message(QueueUrl=self._told, ReceiptHandle=found["ReceiptHandle"])
        return json.loads(found["Body"])

    @cached_property
    def pipeline_arn(self) -> str:
        return self.account.arn("codepipeline", self.pipeline)


def _waits(name: str) -> dict[str, Any]:
    (action,) = approval()["actions"]
    return stage(name, {**action, "name": name})


def _packed(files: Mapping[str, Any]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            data = json.dumps(content).encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _serving(stack: cdk.Stack, endpoint: str, role_arn: str, instance: str, invocations: int) -> None:
    package, release, rollout = (cdk.CfnParameter(stack, name, default="none") for name in _PARAMETERS)
    for parameter in (release, rollout):
        cdk.CfnOutput(stack, f"Its{parameter.node.id}", value=parameter.value_as_string)
    container = sagemaker.CfnModel.ContainerDefinitionProperty(model_package_name=package.value_as_string)
    served = sagemaker.CfnModel(stack, "Model", execution_role_arn=role_arn, primary_container=container)
    variant = sagemaker.CfnEndpointConfig.ProductionVariantProperty(
        model_name=served.attr_model_name,
        variant_name="AllTraffic",
        initial_variant_weight=1,
        instance_type=instance,
        initial_instance_count=1,
    )
    config = sagemaker.CfnEndpointConfig(stack, "Config", production_variants=[variant])
    for resource in (served, config):
        cdk.Tags.of(resource).add(Names.ENDPOINT_TAG, endpoint)
        resource.cfn_options.update_replace_policy = cdk.CfnDeletionPolicy.RETAIN
        resource.cfn_options.deletion_policy = cdk.CfnDeletionPolicy.DELETE
    made = sagemaker.CfnEndpoint(
        stack, "Endpoint", endpoint_name=endpoint, endpoint_config_name=config.attr_endpoint_config_name
    )
    if invocations:
        target = autoscaling.ScalableTarget(
            stack,
            "Scaling",
            service_namespace=autoscaling.ServiceNamespace.SAGEMAKER,
            resource_id=f"endpoint/{endpoint}/variant/AllTraffic",
            scalable_dimension="sagemaker:variant:DesiredInstanceCount",
            min_capacity=1,
            max_capacity=4,
        )
        target.node.add_dependency(made)
        metric = autoscaling.PredefinedMetric.SAGEMAKER_VARIANT_INVOCATIONS_PER_INSTANCE
        target.scale_to_track_metric("Invocations", predefined_metric=metric, target_value=invocations)


_PARAMETERS = ("Package", "Release", "Rollout")
