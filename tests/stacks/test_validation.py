"""A synthesis ends where a rule is broken, and only there; what is acknowledged has a reason and is still so."""

from __future__ import annotations

import functools
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config import load_project
from config.project import Project
from stacks.acknowledged import ACKNOWLEDGED, Acknowledged
from stacks.validation import patterns, readable
from tests.synthesis import ROOT, fork, run_app


def acknowledged(target: Path, project: str) -> set[str]:
    """The patterns that a synthesis has used."""
    reports = json.loads((target / "validation-report.json").read_text())["pluginReports"]
    findings = [
        readable(finding["ruleName"], construct["constructPath"])
        for report in reports
        for finding in report.get("suppressedViolations", [])
        for construct in finding["violatingConstructs"]
    ]
    every = [found for entry in ACKNOWLEDGED for found in patterns(entry, project)]
    return {written for written, pattern in every if any(pattern.fullmatch(finding) for finding in findings)}


ALL_RULES = "\nrules: [aws-solutions, nist-800-53]\n"


NETWORKS = {
    "public": "kind: public",
    "private": "kind: private",
    "existing": "kind: existing\n    vpc: vpc-0a1b2c3d\n    subnets: [subnet-0a1b2c3d, subnet-1a1b2c3d]\n"
    "    security_groups: [sg-0a1b2c3d]",
}


@pytest.fixture(scope="module")
def syntheses(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[str, Path]]:
    """Synthesizes, once, the shipped project or one of other names, teams, models and accounts in a kind of network."""

    @functools.cache
    def synthesis(kind: str) -> tuple[str, Path]:
        root = tmp_path_factory.mktemp(kind)
        if kind == "ours":
            fork(root, project_yaml=(ROOT / "project.yaml").read_text() + ALL_RULES)
        else:
            _another_project(root, kind)
        done = run_app(root / "out", root)
        assert done.returncode == 0, done.stderr
        return "greenlight" if kind == "ours" else "parcels-2", root / "out"

    return synthesis


def _another_project(root: Path, network: str) -> None:
    text = (ROOT / "project.yaml").read_text().replace("name: greenlight", "name: parcels-2") + ALL_RULES
    text = text.replace("teams:\n", "teams:\n  night_shift:\n    owners: [night@example.com]\n")
    for number, place in enumerate(("tooling", "staging", "production"), start=1):
        builds = "\n    builds: true" if network == "existing" and place == "tooling" else ""
        where = f"  account: '{str(number) * 12}'\n  region: eu-west-1\n  network:\n    {NETWORKS[network]}{builds}\n"
        text = text.replace(f"{place}:\n", f"{place}:\n{where}", 1)
    fork(root, project_yaml=text)
    if network != "public":
        _without_serverless(root)
    for number, file in enumerate((sorted(root.glob("model_code/*/model.yaml")) * 4)[:4]):
        folder = root / f"model_code/another_{number}"
        folder.mkdir()
        text = file.read_text()
        if number == 3:
            text = re.sub(r"^team: .*$", "team: night_shift", text, flags=re.MULTILINE)
        (folder / "model.yaml").write_text(text)


def _without_serverless(root: Path) -> None:
    """SageMaker gives serverless endpoints no VPC."""
    for file in root.glob("model_code/*/model.yaml"):
        if "serverless" in file.read_text():
            shutil.rmtree(file.parent)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ours", *NETWORKS])
def test_projects_keep_every_rule(syntheses: Callable[[str], tuple[str, Path]], kind: str) -> None:
    _, target = syntheses(kind)
    reports = json.loads((target / "validation-report.json").read_text())["pluginReports"]
    packs = {report["pluginName"] for report in reports if report["suppressedViolations"]}
    assert packs >= {"AwsSolutions", "NIST.800.53.R5"}


@pytest.mark.slow
def test_no_acknowledgement_is_stale(syntheses: Callable[[str], tuple[str, Path]]) -> None:
    used: set[str] = set()
    for kind in ("ours", "private", "existing"):
        project, target = syntheses(kind)
        used |= acknowledged(target, project)
    every = {written for entry in ACKNOWLEDGED for written, _ in patterns(entry, "greenlight")}
    stale = sorted(every - used)
    assert stale == [], "nothing is found there any more; take it out of stacks/acknowledged"


LEAK = """
import aws_cdk.aws_s3 as s3
from aws_cdk import aws_iam as iam
s3.CfnBucket(tooling, "Leak")
next(iter(tooling.job_roles.values())).add_to_policy(iam.PolicyStatement(actions=["s3:*"], resources=["*"]))
"""


@pytest.mark.slow
def test_what_breaks_a_rule_ends_the_synthesis_and_is_named(tmp_path: Path) -> None:
    root = fork(tmp_path)
    app = root / "app.py"
    app.write_text(app.read_text().replace("\nif os.environ", f"{LEAK}\nif os.environ"))
    done = run_app(tmp_path / "out", root)
    assert done.returncode != 0
    for text in ("buckets_keep_versions", "Give it versioned=True.", "actions_are_named", "AwsSolutions-S1"):
        assert text in done.stderr, text
    assert "greenlight-tooling/Leak" in done.stderr
    assert "AwsSolutions-IAM5[Action::s3:*]" in done.stderr


def test_every_acknowledgement_has_a_reason_of_one_sentence() -> None:
    for entry in ACKNOWLEDGED:
        assert re.fullmatch(r"[A-Z].{30,}[^.]\.", entry.reason), entry
        assert ". " not in entry.reason, entry
        assert entry.on, entry


def _matches(entry: Acknowledged, finding: str) -> bool:
    return any(pattern.fullmatch(finding) for _, pattern in patterns(entry, "greenlight"))


def test_the_role_of_a_team_is_not_acknowledged_on_the_folder_of_another() -> None:
    entry = Acknowledged("R", on=("{project}-tooling/{team}/Job",), details=("Resource::<data>/{team}/*",), reason="")
    path = "greenlight-tooling/labour/Job/DefaultPolicy/Resource"
    assert _matches(entry, readable("R[Resource::<Data666C94C7.Arn>/labour/*]", path))
    assert not _matches(entry, readable("R[Resource::<Data666C94C7.Arn>/mobility/*]", path))
    assert not _matches(entry, readable("R[Resource::<Data666C94C7.Arn>/*]", path))


@pytest.mark.parametrize(
    ("written", "short"),
    [
        ("<Data666C94C7.Arn>/a/*", "<data>/a/*"),
        ("greenlight-tooling:ExportsOutputFnGetAttData666C94C7Arn0D7E21B7/a/*", "<data>/a/*"),
        ("arn:<AWS::Partition>:s3:::greenlight-toolingdata4975a8db6271d0a80e7f/a/*", "<data>/a/*"),
        ("arn:aws:sagemaker:eu-west-1:111122223333:model/*", "sagemaker:model/*"),
        ("arn:<AWS::Partition>:sagemaker:<AWS::Region>:<AWS::AccountId>:model/*", "sagemaker:model/*"),
        ("arn:aws:sagemaker:*:111122223333:model/*", "arn:aws:sagemaker:*:111122223333:model/*"),
    ],
)
def test_one_thing_is_written_one_way_whichever_stack_or_account_it_is_in(written: str, short: str) -> None:
    assert readable(f"R[{written}]", "a/Resource") == f"a R[{short}]"


@pytest.mark.parametrize(("rules", "kept"), [(None, ("aws-solutions",)), ([], ()), (["nist-800-53"], ("nist-800-53",))])
def test_a_project_says_which_packs_of_rules_hold(rules: Any, kept: tuple[str, ...]) -> None:
    given = load_project(ROOT).model_dump(exclude={"rules"})
    assert Project.model_validate(given if rules is None else given | {"rules": rules}).rules == kept
