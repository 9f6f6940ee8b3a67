"""What project.yaml may say of a place's network, and what it is told where that cannot be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import jsonschema
import pytest
import yaml

from config import ConfigError, load_models, load_project
from config.json_schema import render
from config.network import Existing, Private, Public

ROOT = Path(__file__).parents[2]
VPC, SUBNETS, GROUPS = (
    "vpc: vpc-01234567",
    "subnets: [subnet-01234567, subnet-01234568]",
    "security_groups: [sg-01234567]",
)
EXISTING = f"{{kind: existing, {VPC}, {SUBNETS}, {GROUPS}}}"


def project_with(folder: Path, network: str, place: str = "production", more: str = "") -> Path:
    text = (ROOT / "project.yaml").read_text().replace(f"\n{place}:\n", f"\n{place}:\n  network: {network}\n{more}", 1)
    (folder / "project.yaml").write_text(text)
    return folder


def test_as_shipped_every_place_is_public() -> None:
    project = load_project(ROOT)
    assert {type(place.network) for place in (project.tooling, project.staging, project.production)} == {Public}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("public", Public()),
        ("private", Private(kind="private")),
        ("{kind: private, cidr: 172.20.0.0/22}", Private(kind="private", cidr="172.20.0.0/22")),
    ],
)
def test_one_word_is_enough(tmp_path: Path, written: str, expected: Public | Private) -> None:
    assert load_project(project_with(tmp_path, written)).production.network == expected


def test_a_vpc_that_exists_is_named(tmp_path: Path) -> None:
    network = load_project(project_with(tmp_path, EXISTING)).production.network
    assert isinstance(network, Existing)
    assert (network.vpc, len(network.subnets), network.builds) == ("vpc-01234567", 2, False)


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (
            "privat",
            "production.network.kind is 'privat': not one of the kinds; allowed: public, private, existing; "
            "did you mean 'private'?",
        ),
        ("off", "production.network: False is no network; write public, private, or kind: existing with its vpc"),
        ("existing", "production.network.subnets is missing; add it"),
        (
            "{kind: private, cidr: 10.0.0.0/8}",
            "production.network.cidr: '10.0.0.0/8' is not usable; write a private range from /16 to /24",
        ),
        ("{kind: private, cidr: 8.8.0.0/20}", "write a private range from /16 to /24"),
        ("{kind: private, cidr: 10.0.0.1/20}", "has host bits set"),
        (
            "{kind: private, zones: [eu-west-1a]}",
            "production.network.zones: 1 is too few; SageMaker wants two or more, each in another availability zone",
        ),
        ("{kind: private, zones: [eu-west-1a, eu-west-1a]}", "eu-west-1a, eu-west-1a names one twice; list each once"),
        ("{kind: private, zons: []}", "did you mean 'zones'?"),
        (
            f"{{kind: existing, {VPC}, subnets: [subnet-01234567], {GROUPS}}}",
            "production.network.subnets: 1 is too few; SageMaker wants two or more",
        ),
        (f"{{kind: existing, vpc: mine, {SUBNETS}, {GROUPS}}}", "production.network.vpc is 'mine'"),
        (
            EXISTING.replace("}", ", builds: true}"),
            "production: network.builds is true, and builds run in tooling; write it there",
        ),
    ],
)
def test_a_wrong_network_is_refused_with_a_sentence(tmp_path: Path, written: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        load_project(project_with(tmp_path, written))
    assert sentence in str(refusal.value)


def test_builds_may_be_put_into_a_vpc_of_tooling(tmp_path: Path) -> None:
    network = load_project(project_with(tmp_path, EXISTING.replace("}", ", builds: true}"), "tooling")).tooling.network
    assert isinstance(network, Existing)
    assert network.builds


def test_zones_of_another_region_are_refused(tmp_path: Path) -> None:
    text = (ROOT / "project.yaml").read_text()
    for place in ("tooling", "staging", "production"):
        account = f"\n{place}:\n  account: '111122223333'\n  region: eu-west-1\n"
        text = text.replace(f"\n{place}:\n", account)
    text = text.replace(
        "\nproduction:\n", "\nproduction:\n  network: {kind: private, zones: [eu-west-1a, us-east-1b]}\n"
    )
    (tmp_path / "project.yaml").write_text(text)
    with pytest.raises(
        ConfigError, match=r"network\.zones names us-east-1b and region is eu-west-1; name its own zones"
    ):
        load_project(tmp_path)


def test_a_serverless_model_is_refused_where_the_network_is_private(tmp_path: Path) -> None:
    root = project_with(tmp_path, "private")
    folder = root / "model_code/serverless"
    shutil.copytree(ROOT / "model_code/employment", folder)
    model = yaml.safe_load((folder / "model.yaml").read_text())
    model["environments"]["staging"] = {"hosting": {"kind": "serverless"}}
    (folder / "model.yaml").write_text(yaml.safe_dump(model))
    assert load_models(root, load_project(root)), "staging is public, and only there it is serverless"
    model["hosting"] = {"kind": "serverless"}
    (folder / "model.yaml").write_text(yaml.safe_dump(model))
    with pytest.raises(
        ConfigError, match=r"in production, hosting\.kind is 'serverless' and network is 'private'; SageMaker gives"
    ):
        load_models(root, load_project(root))


@pytest.mark.parametrize("count", [2, 3, 6])
def test_each_zone_has_addresses_of_its_own(count: int) -> None:
    zones = tuple(f"eu-west-1{letter}" for letter in "abcdef"[:count])
    ranges = Private(kind="private", zones=zones).ranges()
    assert len(set(ranges)) == count
    assert Private(kind="private").ranges() == ["10.64.0.0/21", "10.64.8.0/21"]


@pytest.mark.parametrize("written", ["private", "public", {"kind": "private"}, yaml.safe_load(EXISTING)])
def test_editors_accept_the_word_and_what_it_is_short_for(written: object) -> None:
    schema = json.loads(render("project.json"))
    project = yaml.safe_load((ROOT / "project.yaml").read_text())
    project["staging"]["network"] = written
    jsonschema.validate(project, schema)
    project["staging"]["network"] = "privat"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(project, schema)
