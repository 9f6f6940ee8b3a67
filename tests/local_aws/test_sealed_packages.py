"""Sealed packages on the local AWS: signed under a role by a KMS key, loaded by an image that has its public half."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local_aws.account import Account
from model_server import seal
from pipelines.container import StepError
from pipelines.packaging import package, sealing
from pipelines.stages import keys
from pipelines.stages.surroundings import Surroundings
from tests.local_aws.delivery import allow, eventually, role, unique
from tests.local_aws.sagemaker.stage import Stage
from tests.sealed import MADE, Key, program

SAGEMAKER, REGION = "sagemaker.amazonaws.com", "us-east-1"
SCRIPT = """
import json

def model_fn(folder):
    return {factor}

def input_fn(body, content_type):
    return float(body)

def predict_fn(number, factor):
    return number * factor

def output_fn(answer, accept):
    return json.dumps(answer), "application/json"
"""


@pytest.fixture(scope="module")
def stage(account: Account) -> Stage:
    return Stage(account)


class Signing:
    """A key as the foundation makes it, known by its alias."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.project = unique("shop")
        self.alias = f"alias/{self.project}-signing-first"
        kms = account.client("kms")
        self.key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
        kms.create_alias(AliasName=self.alias, TargetKeyId=self.key)
        self.arn = account.arn("kms", self.alias)

    def role(self, action: str, **conditions: str) -> str:
        """A role that may do one thing with the key, under conditions."""
        statement = allow(action, resource=self.key) | ({"Condition": {"StringLike": conditions}} if conditions else {})
        return role(self._account, "sagemaker", statement)

    def client(self, action: str, **conditions: str) -> Any:
        return self._account.client("kms", self.role(action, **conditions), service_principal=SAGEMAKER)

    def pem(self) -> Key:
        """The public half, in what tests call a key."""
        found = Key()
        found.pem = keys.pem(self._account.client("kms").get_public_key(KeyId=self.arn)["PublicKey"])
        return found


def become(account: Account, arn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets what this process signs be signed under a role, as in a job: the account is in it, so it cannot be told by
    variables.
    """
    client = account.client("kms", arn, service_principal=SAGEMAKER)
    monkeypatch.setattr(boto3, "client", lambda service, region_name: {("kms", REGION): client}[service, region_name])


@pytest.fixture(scope="module")
def signing(account: Account) -> Signing:
    return Signing(account)


@pytest.fixture
def packages(account: Account, signing: Signing, stage: Stage, tmp_path: Path, monkeypatch: Any) -> Callable[..., str]:
    """Makes packages that multiply, signed under a job's role; gives their URI."""
    allowed = {"kms:SigningAlgorithm": "ECDSA_SHA_256", "kms:MessageType": "DIGEST"}
    become(account, signing.role("kms:Sign", **allowed), monkeypatch)

    def made(factor: int, change: Callable[[Path], object] = lambda _: None) -> str:
        folder = tmp_path / unique("package")
        (folder / "code").mkdir(parents=True)
        (folder / "code" / "inference.py").write_text(SCRIPT.format(factor=factor))
        sealing.seal(folder, {"model": "parcels", **MADE}, sealing.by_kms(signing.arn))
        change(folder)
        package.pack(folder, folder.with_suffix(".tar.gz"))
        return stage.put(f"{folder.name}/model.tar.gz", folder.with_suffix(".tar.gz").read_bytes())

    return made


@pytest.fixture(scope="module")
def image(account: Account, signing: Signing, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The server with the key's public half, as the Image stage leaves it."""
    name, digest = unique("serving"), unique("image")
    ecr = account.client("ecr")
    uri = ecr.create_repository(repositoryName=name)["repository"]["repositoryUri"]
    stored = account.settings.home / "images" / digest
    shutil.copytree(
        program(tmp_path_factory.mktemp("program"), first=signing.pem()), stored / "root" / "app", dirs_exist_ok=True
    )
    config = {"Entrypoint": ["python3", "-m", "model_server"], "Cmd": [], "Env": [], "WorkingDir": "/app"}
    (stored / "config.json").write_text(json.dumps({"config": config}))
    manifest = json.dumps({"schemaVersion": 2, "image": name})
    ecr.put_image(repositoryName=name, imageManifest=manifest, imageTag="1", imageDigest=f"sha256:{digest}")
    return f"{uri}:1"


def config_of(stage: Stage, image: str, uri: str) -> str:
    name = unique("model")
    container = {"Image": image, "ModelDataUrl": uri, "Environment": {"MODEL_NAME": "parcels"}}
    stage.sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=stage.role)
    return stage.config(stage.variant(name))


def answer(stage: Stage, endpoint: str) -> float:
    asked = stage.runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/plain", Body="10")
    return json.loads(asked["Body"].read())


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-2] ^= 1
    file.write_bytes(content)


def test_a_roll_out_of_a_changed_package_fails_and_the_version_before_goes_on_serving(
    stage: Stage, image: str, packages: Callable[..., str]
) -> None:
    endpoint = stage.endpoint(config_of(stage, image, packages(2)))
    assert answer(stage, endpoint) == 20
    before = stage.sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    changes: dict[str, Callable[[Path], object]] = {
        "code/inference.py is not as it was signed": lambda it: flip(it / "code" / "inference.py"),
        "code/json.py is not listed": lambda it: (it / "code" / "json.py").write_text("raise SystemExit"),
        "is no signature of manifest.json": lambda it: sealing.seal(it, {"model": "parcels", **MADE}, Key().sign),
        "so it is not signed": lambda it: (it / seal.SIGNATURE).unlink(),
    }
    for sentence, change in changes.items():
        changed = config_of(stage, image, packages(3, change))
        stage.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=changed)
        settled = stage.settled(endpoint)
        assert (settled["EndpointStatus"], settled["EndpointConfigName"]) == ("InService", before)
        assert "did not pass the ping health check" in settled["FailureReason"]
        assert answer(stage, endpoint) == 20
        eventually(
            lambda said=sentence: said in "".join(stage.log(f"/aws/sagemaker/Endpoints/{endpoint}", "AllTraffic/"))
        )
    whole = config_of(stage, image, packages(4))
    stage.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=whole)
    assert stage.settled(endpoint)["EndpointConfigName"] == whole
    assert answer(stage, endpoint) == 40
    stage.sagemaker.delete_endpoint(EndpointName=endpoint)


def test_a_role_signs_only_what_its_conditions_say(signing: Signing) -> None:
    """The same policy as a job's: a digest, with that algorithm, of whoever calls the key by its alias too."""
    kms = signing.client("kms:Sign", **{"kms:SigningAlgorithm": "ECDSA_SHA_256", "kms:MessageType": "DIGEST"})
    asked: dict[str, Any] = {"KeyId": signing.arn, "SigningAlgorithm": "ECDSA_SHA_256"}
    assert kms.sign(Message=b"0" * 32, MessageType="DIGEST", **asked)["KeyId"] == signing.key
    with pytest.raises(ClientError, match="not authorized to perform: kms:Sign"):
        kms.sign(Message=b"anything", **asked)
    with pytest.raises(ClientError, match="not authorized to perform: kms:GetPublicKey"):
        kms.get_public_key(KeyId=signing.arn)


def test_a_public_key_is_read_by_an_alias_of_the_project_alone(signing: Signing) -> None:
    kms = signing.client("kms:GetPublicKey", **{"kms:RequestAlias": f"alias/{signing.project}-signing-*"})
    assert kms.get_public_key(KeyId=signing.alias)["KeySpec"] == "ECC_NIST_P256"
    for other in (signing.key, signing.key.rpartition("/")[2]):
        with pytest.raises(ClientError, match="not authorized to perform: kms:GetPublicKey"):
            kms.get_public_key(KeyId=other)


def test_a_job_that_may_not_sign_says_so(account: Account, signing: Signing, tmp_path: Path, monkeypatch: Any) -> None:
    become(account, role(account, "sagemaker"), monkeypatch)
    with pytest.raises(StepError, match=r"cannot be signed with .*AccessDenied"):
        sealing.seal(tmp_path, {}, sealing.by_kms(signing.arn))


def checkout(signing: Signing, root: Path, *names: str) -> Surroundings:
    """A project with signing keys of these names."""
    teams = "teams: {team: {owners: [a@example.com]}}\nsource: {kind: s3}\n"
    (root / "project.yaml").write_text(f"name: {signing.project}\n{teams}signing_keys: [{', '.join(names)}]\n")
    return Surroundings(root)


def test_a_key_that_a_push_has_still_to_deploy_is_not_trusted_yet(
    account: Account, signing: Signing, tmp_path: Path, monkeypatch: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Surroundings, "client", lambda _, service: account.client(service))
    keys.trust(checkout(signing, tmp_path, "first", "later"))
    assert [file.name for file in (tmp_path / keys.TRUSTED).iterdir()] == ["first.pem"]
    assert "later: not trusted yet" in capsys.readouterr().out
    account.client("kms").create_alias(AliasName=f"alias/{signing.project}-signing-later", TargetKeyId=signing.key)
    keys.trust(checkout(signing, tmp_path, "later", "first"))
    assert sorted(file.name for file in (tmp_path / keys.TRUSTED).iterdir()) == ["first.pem", "later.pem"]
    with pytest.raises(SystemExit, match="begins with 'unknown', and the account has no key with the alias"):
        keys.trust(checkout(signing, tmp_path, "unknown", "first"))
