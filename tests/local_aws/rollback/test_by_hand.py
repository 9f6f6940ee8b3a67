"""`make rollback` and `make releases` on the local AWS, as a person who may start the way back and else only read."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local_aws.account import Account
from tests.local_aws.delivery import allow, eventually, role
from tests.local_aws.rollback.history import History
from tests.local_aws.rollback.world import MODELS, NAMES, Traffic, World, number
from tests.synthesis import ROOT

pytestmark = pytest.mark.slow
MODEL = MODELS[1]


def operator(account: Account, world: World) -> list[dict[str, Any]]:
    """What docs/rollback.md says that a person needs."""
    machines, executions = (
        [account.arn("states", f"{kind}:{NAMES.rollback('*')}{rest}")]
        for kind, rest in (("stateMachine", ""), ("execution", ":*"))
    )
    return [
        allow("states:StartExecution", "states:ListExecutions", resource=machines),
        allow("states:DescribeExecution", resource=executions),
        allow(
            "cloudformation:DescribeStacks", resource=account.arn("cloudformation", f"stack/{NAMES.stack('serving')}-*")
        ),
        allow("sagemaker:Describe*", "sagemaker:ListModelPackages"),
        allow("codepipeline:ListActionExecutions", "codepipeline:GetPipelineExecution"),
        allow("codebuild:BatchGetBuilds", "logs:GetLogEvents"),
        allow("s3:GetObject", resource=f"arn:aws:s3:::{world.artifacts}/*/runs/*"),
        allow("kms:Decrypt", resource=account.arn("kms", f"key/{world.key}")),
    ]


class Person:
    """Runs a program of pipelines/by_hand as somebody who may do no more than that."""

    def __init__(self, account: Account, world: World) -> None:
        arn = role(account, "operators", *operator(account, world), principal={"Service": "operators.amazonaws.com"})
        given = account.environment(arn, service_principal="operators.amazonaws.com", session="ada")
        self._environment = os.environ | given

    def run(self, program: str, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", f"pipelines.by_hand.{program}", *arguments]
        return subprocess.run(
            command, env=self._environment, cwd=ROOT, input=typed, capture_output=True, text=True, check=False
        )


@pytest.fixture(scope="module")
def world(account: Account, assembly: Path) -> World:
    return World(account, assembly, MODEL)


@pytest.fixture(scope="module")
def person(account: Account, world: World) -> Person:
    return Person(account, world)


@pytest.fixture(scope="module")
def packages(world: World) -> dict[str, str]:
    """Three packages by name, all of them approved by the gate."""
    return {name: world.package(name, commit=f"{index}{'c' * 39}") for index, name in enumerate(("a", "b", "c"), 1)}


@pytest.fixture(scope="module")
def history(account: Account, world: World, packages: dict[str, str]) -> History:
    """a and c were released; b never came to production."""
    history = History(account, MODEL.name)
    history.release(packages["a"], "first one by rule")
    history.release(packages["b"], "fails at Verify: p99 was 900 ms and may be 500.")
    history.release(packages["c"], "new data", approve="Approved: looks fine")
    world.release(packages["a"], "2026-01-01T00:00:00.000Z/a")
    world.release(packages["c"], "2026-01-03T00:00:00.000Z/c")
    return history


def version(package: str) -> str:
    return f"version {package.rpartition('/')[2]}"


@pytest.mark.usefixtures("history")
def test_one_command_goes_back_to_what_ran_before(world: World, person: Person, packages: dict[str, str]) -> None:
    """Not to b, which is newer and approved by the gate, and has failed its release."""
    with Traffic(world) as traffic:
        eventually(lambda: traffic.answers["c"] > 0)
        done = person.run("rollback", MODEL.name, "production", "--reason", "nonsense", typed=f"{MODEL.name}\n")
        assert done.returncode == 0, done.stdout + done.stderr
        eventually(lambda: traffic.answers["a"] > 0)
    print(done.stdout)
    assert re.search(rf"leaves +{version(packages['c'])}, commit 3ccccccc", done.stdout)
    assert re.search(rf"goes to +{version(packages['a'])}, commit 1ccccccc", done.stdout)
    assert re.search(rf"{number(packages['a'])} serves all traffic of .*, \d+\.\d s after the command", done.stdout)
    assert traffic.failures == []
    assert world.runs() == packages["a"]


@pytest.mark.usefixtures("history")
def test_without_the_models_name_nothing_changes(world: World, person: Person, packages: dict[str, str]) -> None:
    runs = world.runs()
    for typed in ("yes\n", ""):
        done = person.run("rollback", MODEL.name, "production", "--package", packages["c"], typed=typed)
        assert done.returncode == 1
        assert "nothing has changed" in done.stderr or "YES=1" in done.stderr
    assert world.runs() == runs


@pytest.mark.usefixtures("history")
def test_what_cannot_be_gone_back_to_is_said(world: World, person: Person) -> None:
    runs = world.runs()
    for arguments, said in {
        (MODEL.name, "moon"): "ENV is 'moon'; write ENV=production or ENV=staging",
        ("nothing", "production"): "MODEL is 'nothing'",
        (MODEL.name, "staging"): f"Nothing serves {MODEL.name} in staging",
        (MODEL.name, "production", "--package", runs, "--yes"): "runs in production already",
        (MODEL.name, "production", "--package", f"{runs}000", "--yes"): "It did not go back: DescribeModelPackage",
    }.items():
        done = person.run("rollback", *arguments)
        assert done.returncode == 1
        assert said in done.stderr, done.stderr
        assert "Traceback" not in done.stderr


def test_releases_and_ways_back_are_listed_newest_first(
    person: Person, packages: dict[str, str], history: History
) -> None:
    confirm = f"{NAMES.endpoint(MODEL.name, 'production')} runs {packages['a']}, not the released {packages['c']}."
    history.release(packages["c"], f"fails at Confirm: {confirm}", approve="Approved: again")
    history.release(packages["c"], "once more", approve="Rejected: not today")
    history.release("none", "refused as it is worse")
    history.release(packages["b"], "another model by rule", model="other")
    waiting = history.wait_for_approval(packages["c"], "waits")
    done = person.run("releases", MODEL.name, "--json", "--limit", "9")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    seen = [(each["what"], each["reached"], each["outcome"], each["package"]) for each in found]
    a, b, c = packages.values()
    both = ["staging", "production"]
    end = [
        ("release", both, "served", c),
        ("release", ["staging"], "failed", b),
        ("release", both, "served", a),
    ]
    assert seen[:4] == [
        ("release", ["staging"], "in progress", c),
        ("release", [], "refused by gate", ""),
        ("release", ["staging"], "rejected", c),
        ("release", ["staging"], "rolled back by alarm", c),
    ]
    assert seen[-3:] == end
    assert found[0]["execution"] == waiting
    assert found[3]["why"] == confirm
    assert (found[2]["comment"], found[-3]["comment"]) == ("not today", "looks fine")
    assert found[-1]["approved_by"] == "the rule (approval: when-better)"
    assert found[-2]["why"] == "p99 was 900 ms and may be 500."
    backs = [each for each in found if each["what"] == "rollback"]
    assert (backs[-1]["outcome"], backs[-1]["reason"], backs[-1]["started_by"]) == ("serving", "nonsense", "ada")
    assert (backs[-1]["commit"][:4], backs[-1]["metric"]) == ("1ccc", "auc 0.8765")
    assert backs[-1]["data_version"].startswith("dataadata")

    table = person.run("releases", MODEL.name)
    print(table.stdout)
    assert table.returncode == 0, table.stderr
    lines = table.stdout.splitlines()
    assert max(len(line) for line in lines) <= 120
    assert any("waits for approval" in line for line in lines)
    assert any("failed at Verify" in line for line in lines)
    assert sum("serving" in line.split() for line in lines) == 1
