"""Decide: people read what would change, and the rule or a person lets the release on."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from pipelines.stages import decide
from tests.local_aws.delivery import allow, unique
from tests.local_aws.release.world import World
from tests.pipelines.by_hand.test_snapshot import git
from tests.pipelines.stages.test_comparing import card

MAY = (
    allow(
        "sagemaker:DescribeEndpoint",
        "sagemaker:DescribeEndpointConfig",
        "sagemaker:DescribeModel",
        "sagemaker:DescribeModelPackage",
    ),
    allow("s3:GetObject", "sns:Publish"),
)
VERIFIED = {"summary": "8 checks of 8, p99 12 ms"}
RULE = {"kind": "when-better", "margin": 0.001}


def run(world: World, monkeypatch: pytest.MonkeyPatch, package: str, **settings: Any) -> dict[str, str]:
    """Runs the program; the variables that it has left."""
    here = world.here(*MAY, **settings)
    monkeypatch.setattr(decide, "Surroundings", lambda: here)
    given = {
        "MODEL": world.model,
        "PACKAGE": package,
        "REASON": 'train.py changed: "faster"',
        "EXECUTION": "one",
        "TRAINED": "roc_auc 0.9100 (needs 0.8800): registered.",
        "OUTCOME": "registered",
        "TOPIC": world.topic,
        "ARTIFACTS_BUCKET": world.stage.bucket,
    }
    world.stage.put(f"{here.model(world.model).team}/{world.model}/releases/one/verify.json", json.dumps(VERIFIED))
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    decide.main()
    return left(world)


def left(world: World) -> dict[str, str]:
    lines = (world.root / "stage.env").read_text().splitlines()
    return dict(shlex.split(line)[1].split("=", 1) for line in lines)


def serve(world: World, package: str) -> None:
    """Lets production run a package."""
    name = unique(world.model)
    container = {"ModelPackageName": package}
    world.stage.sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=world.role)
    config = world.stage.config(world.stage.variant(name))
    endpoint = world.endpoint("production")
    world.stage.sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=config)
    world.stage.settled(endpoint)


def commits(root: Path) -> tuple[str, str]:
    """Two commits, with a change to the model, to what is shared, and to another model between."""
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "commit", "--quiet", "--allow-empty", "-m", "First")
    since = git(root, "rev-parse", "HEAD")
    for path, said in {
        "model_code/parcels/train.py": "Deeper trees",
        "model_server/routes.py": "A faster route",
        "model_code/letters/train.py": "Not ours",
        "docs/page.md": "Words",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("changed\n")
        git(root, "add", path)
        git(root, "commit", "--quiet", "-m", said)
    return since, git(root, "rev-parse", "HEAD")


def model_data(world: World, package: str) -> str:
    found = world.stage.sagemaker.describe_model_package(ModelPackageName=package)
    return found["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]


def test_people_read_both_packages_every_difference_and_where_to_look(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    since, until = commits(world.root)
    old = world.package(metadata={"commit": since}, card=card())
    serve(world, old)
    beside = card(p2017=(0.80, 0.79), p2018=(0.70, 0.78))
    beside["champion"]["uri"] = model_data(world, old)
    new = world.package(metadata={"commit": until}, card=beside)
    left = run(world, monkeypatch, new, approval=RULE)
    assert left["APPROVAL"] == "needed"
    said = world.told()
    assert said["Subject"] == f"parcels: {world.group} version 2 waits for approval"
    lines = said["Message"].splitlines()
    for line in (
        "parcels: somebody has to approve. It is worse in 1 of 2 periods; roc_auc on p2018: 0.7000, the champion "
        "0.7800 (0.0800 worse); 0 is tolerated.",
        'Reason: train.py changed: "faster"',
        f"Challenger: {world.group} version 2, commit {until[:8]}, data dddddddddddd",
        f"Champion: {world.group} version 1, commit {since[:8]}, data dddddddddddd",
        "The gate: roc_auc on holdout: 0.9100, the champion 0.9000 (0.0100 better)",
        "  f1 on holdout: 0.7000, the champion 0.6000 (0.1000 better)",
        "  roc_auc on p2017: 0.8000, the champion 0.7900 (0.0100 better)",
        "Training: roc_auc 0.9100 (needs 0.8800): registered.",
        "Staging: 8 checks of 8, p99 12 ms",
        f"Commits to the model since {since[:8]}:",
        f"Commits to what all models share since {since[:8]}:",
    ):
        assert line in lines, said["Message"]
    assert [line.split(": ", 1)[1] for line in lines if " Someone: " in line] == ["Deeper trees", "A faster route"]
    for link in (
        f"Report: https://us-east-1.console.aws.amazon.com/s3/object/{world.stage.bucket}?region=us-east-1&prefix="
        f"{world.here().model(world.model).team}/parcels/releases/one/verify.html",
        f"Dashboard: https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#dashboards/dashboard/"
        f"{world.names.dashboard('production', 'parcels')}",
    ):
        assert link in lines
    assert f"/{world.pipeline}/executions/one/timeline" in said["Message"]


def test_a_better_one_needs_nobody_and_its_summary_fits_into_an_approval(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = world.package(card=card())
    serve(world, old)
    beside = card(p2017=(0.80, 0.79))
    beside["champion"]["uri"] = model_data(world, old)
    left = run(world, monkeypatch, world.package(card=beside), approval=RULE)
    assert left["APPROVAL"] == "given"
    assert left["SUMMARY"] == (
        "It beats the champion's roc_auc by 0.0100, and no period is worse. roc_auc on holdout: 0.9100, the champion "
        "0.9000 (0.0100 better). 8 checks of 8, p99 12 ms Reason: train.py changed: 'faster'"
    )
    assert world.told()["Subject"].endswith("goes on by its rule")
    assert run(world, monkeypatch, world.package(card=beside))["APPROVAL"] == "needed", "a person, if nothing is said"


def test_the_first_package_of_a_model_needs_a_person(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    left = run(world, monkeypatch, world.package(card=card(champion=None)), approval=RULE)
    assert left["APPROVAL"] == "needed"
    assert "Champion: none; production runs no package yet" in world.told()["Message"]


def test_the_same_model_in_a_newer_image_needs_nobody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    old = world.package(card=card())
    serve(world, old)
    patched = world.package(card=card(), metadata={"patched_from": old})
    assert run(world, monkeypatch, patched, approval=RULE)["APPROVAL"] == "given"


def test_a_long_summary_ends_in_dots(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    here = world.here(*MAY)
    monkeypatch.setattr(decide, "Surroundings", lambda: here)
    settings = decide.Settings("parcels", "p", "because " * 200, "one", "registered", "t", world.topic, "bucket")
    verified = decide.Verified("8 checks of 8", "bucket", "verify.html")
    found = decide.Comparison.of(card())
    said = decide.summary(settings, found, decide.Decision(given=False, why="A person approves."), verified)
    assert len(said) == decide.LONGEST
    assert said.endswith("...")


def test_a_release_without_a_package_has_nothing_to_approve(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    here = world.here(*MAY)
    monkeypatch.setattr(decide, "Surroundings", lambda: here)
    for name, value in {"MODEL": world.model, "OUTCOME": "refused", "TRAINED": "roc_auc 0.5: refused."}.items():
        monkeypatch.setenv(name, value)
    decide.main()
    assert left(world) == {"APPROVAL": "none", "SUMMARY": "Nothing to approve. roc_auc 0.5: refused."}
