"""`make teardown` on the local AWS: what it deletes, what it leaves, and what it does when said again."""

from __future__ import annotations

from typing import Any

from config.naming import Names
from pipelines.stages.registry import Package
from pipelines.stages.sweeping import tagged_configs, tagged_models
from tests.local_aws.cloudformation.stacks import Stacks
from tests.local_aws.delivery import allow
from tests.local_aws.planning.world import World

GONE, STAYS = "old_parcels", "parcels"
RETAIN = {"DeletionPolicy": "Retain"}
READS = allow(
    "cloudformation:ListStacks",
    "cloudformation:ListStackResources",
    "logs:DescribeLogGroups",
    "sagemaker:List*",
)


def teardown(world: World, model: str = GONE, confirm: str = "", *may: dict[str, Any]) -> Any:
    return world.run("by_hand.teardown", *(may or (allow("*"),)), arguments=(model, confirm))


def deploy(world: World, model: str) -> str:
    """A model as releases leave it: its stacks, two packages, and an earlier config that no stack knows; its data."""
    stacks, endpoint = Stacks(world.account), world.names.endpoint(model, "production")
    group = {"ModelPackageGroupName": world.names.package_group(model)}
    training = {"Group": {"Type": "AWS::SageMaker::ModelPackageGroup", "Properties": group, **RETAIN}}
    made = stacks.deploy(world.names.stack("training", model), training)
    assert made == "CREATE_COMPLETE"
    packages = [world.package(model, "none") for _ in range(2)]
    tags = [{"Key": Names.ENDPOINT_TAG, "Value": endpoint}]
    variant = {
        "ModelName": {"Fn::GetAtt": "Model.ModelName"},
        "VariantName": "AllTraffic",
        "InitialVariantWeight": 1,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    served = {"PrimaryContainer": {"ModelPackageName": packages[-1]}, "ExecutionRoleArn": world.role, "Tags": tags}
    config = {"ProductionVariants": [variant], "Tags": tags}
    answers = {"EndpointName": endpoint, "EndpointConfigName": {"Fn::GetAtt": "Config.EndpointConfigName"}}
    name = f"/aws/sagemaker/Endpoints/{endpoint}"
    log = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": name}, **RETAIN}
    serving = {
        "Log": log,
        "Model": {"Type": "AWS::SageMaker::Model", "Properties": served},
        "Config": {"Type": "AWS::SageMaker::EndpointConfig", "Properties": config},
        "Endpoint": {"Type": "AWS::SageMaker::Endpoint", "Properties": answers, "DependsOn": "Log"},
    }
    assert stacks.deploy(world.names.stack("serving", model, "production"), serving) == "CREATE_COMPLETE"
    assert stacks.deploy(world.names.stack("serving", model, "staging"), {"Topic": {"Type": "AWS::SNS::Topic"}})
    earlier = world.stage.model(name="earlier")
    world.stage.config(world.stage.variant(earlier), Tags=tags)
    return Package.describe(world.sagemaker, packages[0]).model_data


def there(world: World, model: str) -> tuple[int, int, int, int]:
    """Stacks, package groups, log groups, configs and models of a model."""
    endpoint, status = world.names.endpoint(model, "production"), Stacks(world.account).status
    stacks = [("training", model), ("serving", model, "staging"), ("serving", model, "production")]
    groups = world.sagemaker.list_model_package_groups(NameContains=world.names.package_group(model))
    logs = world.account.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/sagemaker/Endpoints/{endpoint}")

    def ours(owner: str) -> bool:
        return owner == endpoint

    tagged = [*tagged_configs(world.sagemaker, ours), *tagged_models(world.sagemaker, ours)]
    return (
        sum(status(world.names.stack(*parts)) is not None for parts in stacks),
        len(groups["ModelPackageGroupSummaryList"]),
        len(logs["logGroups"]),
        len(tagged),
    )


ALL, NOTHING = (3, 1, 1, 3), (0, 0, 0, 0)


def test_a_removed_model_is_deleted_with_all_that_its_stacks_kept(world: World) -> None:
    data = deploy(world, GONE)
    deploy(world, STAYS)
    assert there(world, GONE) == ALL
    shown = teardown(world, GONE, "", READS)
    assert shown.returncode == 1
    assert f"/aws/sagemaker/Endpoints/{world.names.endpoint(GONE, 'production')}" in shown.stdout
    for name in (
        f"the stack {world.names.stack('serving', GONE, 'production')}",
        f"the stack {world.names.stack('training', GONE)}",
        f"{world.names.package_group(GONE)}, with 2 packages",
        "What it has in the shared buckets stays",
    ):
        assert name in shown.stdout
    assert f"Nothing is deleted yet. To go on: make teardown MODEL={GONE} CONFIRM={GONE}" in shown.stderr
    assert teardown(world, GONE, STAYS).returncode == 1
    assert there(world, GONE) == ALL
    done = teardown(world, GONE, GONE)
    assert done.returncode == 0, done.stderr
    assert f"{GONE.replace('_', '-')} is gone: 3 stacks" in done.stdout
    assert there(world, GONE) == NOTHING
    assert there(world, STAYS) == ALL
    assert world.stage.get(data), "what is in the buckets stays"
    assert "has no stacks of it" in teardown(world, GONE, GONE).stderr


def test_a_teardown_that_was_interrupted_is_ended_by_saying_it_again(world: World) -> None:
    deploy(world, GONE)
    for parts in (("serving", GONE, "production"), ("serving", GONE, "staging"), ("training", GONE)):
        Stacks(world.account).delete(world.names.stack(*parts))
    stacks, groups, logs, _ = there(world, GONE)
    assert (stacks, groups, logs) == (0, 1, 1)
    done = teardown(world, GONE, GONE)
    assert done.returncode == 0, done.stderr
    assert there(world, GONE) == NOTHING


def test_a_model_that_has_its_folder_is_never_deleted(world: World) -> None:
    deploy(world, GONE)
    world.write(f"model_code/{GONE}/model.yaml", "")
    for name in (GONE, GONE.replace("_", "-")):
        done = teardown(world, name, name)
        assert done.returncode == 1
        assert "its folder is in model_code, so the next push would deploy its stacks again" in done.stderr
    assert there(world, GONE) == ALL


def test_a_name_that_means_nothing_deletes_nothing_and_says_what_does(world: World) -> None:
    deploy(world, GONE)
    others = "has no stacks of it; stacks without a folder are of: old-parcels."
    for name, said in {"": "MODEL is empty", "never": others}.items():
        done = teardown(world, name, name)
        assert done.returncode == 1
        assert said in done.stderr
