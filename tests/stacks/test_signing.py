"""The keys that packages are signed with, who may sign, and how one key follows another."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import ConfigError, load_project
from tests.synthesis import ROOT, Template, fork, resources, synthesize, templates_of

PROJECT = (ROOT / "project.yaml").read_text()


def aliases(templates: dict[str, Template]) -> set[str]:
    found = resources(templates["greenlight-tooling"], "AWS::KMS::Alias").values()
    return {each["Properties"]["AliasName"] for each in found if "signing" in each["Properties"]["AliasName"]}


def statements(template: Template, action: str) -> list[Template]:
    policies = resources(template, "AWS::IAM::Policy").values()
    found = [statement for policy in policies for statement in policy["Properties"]["PolicyDocument"]["Statement"]]
    return [statement for statement in found if action in statement["Action"]]


def told(templates: dict[str, Template], model: str) -> str:
    """The definition of a model's pipeline, as CloudFormation joins it."""
    (pipeline,) = resources(templates[f"greenlight-training-{model}"], "AWS::SageMaker::Pipeline").values()
    return str(pipeline["Properties"]["PipelineDefinition"])


def test_jobs_sign_digests_with_the_projects_key_and_nothing_else_signs(templates: dict[str, Template]) -> None:
    assert aliases(templates) == {"alias/greenlight-signing-first"}
    teams = load_project(ROOT).teams
    for name, template in templates.items():
        found = statements(template, "kms:Sign")
        assert len(found) == (len(teams) if name == "greenlight-tooling" else 0), name
        for statement in found:
            assert statement["Condition"] == {
                "StringEquals": {"kms:MessageType": "DIGEST", "kms:SigningAlgorithm": "ECDSA_SHA_256"}
            }
            assert statement["Resource"]["Fn::GetAtt"][0].startswith("SigningKeyfirst")
    keys = [
        key["Properties"]
        for key in resources(templates["greenlight-tooling"], "AWS::KMS::Key").values()
        if key["Properties"].get("KeyUsage") == "SIGN_VERIFY"
    ]
    assert [key["KeySpec"] for key in keys] == ["ECC_NIST_P256"]


def test_images_are_built_with_the_public_half_by_its_alias(templates: dict[str, Template]) -> None:
    (found,) = statements(templates["greenlight-delivery"], "kms:GetPublicKey")
    assert found["Condition"] == {"StringLike": {"kms:RequestAlias": "alias/greenlight-signing-*"}}


@pytest.mark.slow
def test_the_first_key_signs_and_no_other_stack_holds_on_to_a_key(tmp_path: Path) -> None:
    (tmp_path / "fork").mkdir()
    forked = fork(tmp_path / "fork", project_yaml=f"{PROJECT}\nsigning_keys: [second, first]\n")
    templates = templates_of(synthesize(tmp_path / "assembly", forked))
    assert aliases(templates) == {"alias/greenlight-signing-first", "alias/greenlight-signing-second"}
    model = next(name.removeprefix("greenlight-training-") for name in templates if "-training-" in name)
    assert "alias/greenlight-signing-second" in told(templates, model)
    assert "alias/greenlight-signing-first" not in told(templates, model)
    exports = [str(each["Value"]) for each in templates["greenlight-tooling"].get("Outputs", {}).values()]
    assert exports
    assert not [value for value in exports if "SigningKey" in value]


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ("[]", "signing_keys is"),
        ("[first, first]", "first, first names a key twice; give each a name of its own"),
        ("[a-b, a_b]", "a-b, a_b names a key twice"),
    ],
)
def test_keys_that_no_alias_could_tell_apart_are_refused(tmp_path: Path, keys: str, sentence: str) -> None:
    (tmp_path / "project.yaml").write_text(f"{PROJECT}\nsigning_keys: {keys}\n")
    with pytest.raises(ConfigError, match=sentence.replace("[", r"\[")):
        load_project(tmp_path)
