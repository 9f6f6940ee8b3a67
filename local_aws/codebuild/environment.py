"""The variables of a build."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local_aws.codebuild.builds import Build
from local_aws.codebuild.buildspec import Buildspec
from local_aws.errors import AwsError


def machine(tools: Path) -> dict[str, str]:
    """What a build sees of this machine: its commands, after those of `tools`, and its language."""
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TZ") if name in os.environ}
    return kept | {"PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


def built_in(build: Build, folder: Path, secondary: Iterable[str]) -> dict[str, str]:
    """The variables that CodeBuild itself sets."""
    milliseconds = str(int(build.start.timestamp() * 1000))
    variables = {
        "CI": "true",
        "CODEBUILD_CI": "true",
        "CODEBUILD_BUILD_ARN": build.arn,
        "CODEBUILD_BUILD_ID": build.id,
        "CODEBUILD_BUILD_IMAGE": build.settings["environment"]["image"],
        "CODEBUILD_BUILD_NUMBER": str(build.number),
        "CODEBUILD_INITIATOR": build.initiator,
        "CODEBUILD_KMS_KEY_ID": build.settings.get("encryptionKey", ""),
        "CODEBUILD_LOG_PATH": build.logs.get("streamName", ""),
        "CODEBUILD_PROJECT_ARN": f"{build.arn_prefix}:project/{build.project}",
        "CODEBUILD_RESOLVED_SOURCE_VERSION": build.resolved_source_version,
        "CODEBUILD_SOURCE_VERSION": build.source_version,
        "CODEBUILD_SRC_DIR": str(folder / "src"),
        "CODEBUILD_START_TIME": milliseconds,
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
    }
    return variables | {f"CODEBUILD_SRC_DIR_{name}": str(folder / "sources" / name) for name in secondary}


class Variables:
    """Variables given in the buildspec, the project and the build, with what they stand for looked up."""

    def __init__(self, client: Callable[[str], Any]) -> None:
        self._client = client

    def resolve(self, spec: Buildspec, given: list[dict[str, str]]) -> dict[str, str]:
        """All variables by name; `given` (`environmentVariables` of project and build) wins over the buildspec."""
        kinds: dict[str, dict[str, str]] = {
            "PLAINTEXT": dict(spec.variables),
            "PARAMETER_STORE": dict(spec.parameters),
            "SECRETS_MANAGER": dict(spec.secrets),
        }
        for variable in given:
            for values in kinds.values():
                values.pop(variable["name"], None)
            kinds[variable.get("type", "PLAINTEXT")][variable["name"]] = variable["value"]
        parameters = self._parameters(kinds["PARAMETER_STORE"])
        secrets = {name: self._secret(value) for name, value in kinds["SECRETS_MANAGER"].items()}
        return kinds["PLAINTEXT"] | parameters | secrets

    def _parameters(self, wanted: Mapping[str, str]) -> dict[str, str]:
        names = sorted(set(wanted.values()))
        found: dict[str, str] = {}
        for start in range(0, len(names), 10):  # ssm:GetParameters takes ten
            try:
                answer = self._client("ssm").get_parameters(Names=names[start : start + 10], WithDecryption=True)
            except ClientError as error:
                raise _unreadable(error) from error
            if missing := answer.get("InvalidParameters"):
                raise AwsError("Decrypted Variables Error", f"parameter does not exist: {', '.join(missing)}")
            found |= {item["Name"]: item["Value"] for item in answer["Parameters"]}
        return {variable: found[name] for variable, name in wanted.items()}

    def _secret(self, reference: str) -> str:
        name, key, stage, version = _secret_parts(reference)
        options = {"VersionStage": stage, "VersionId": version}
        try:
            answer = self._client("secretsmanager").get_secret_value(
                SecretId=name, **{k: v for k, v in options.items() if v}
            )
        except ClientError as error:
            raise _unreadable(error) from error
        if not key:
            return answer["SecretString"]
        content = json.loads(answer["SecretString"])
        if key not in content:
            raise AwsError("Decrypted Variables Error", f"The secret {name} has no key {key!r}.")
        return str(content[key])


def _secret_parts(reference: str) -> tuple[str, str, str, str]:
    """`secret-id:json-key:version-stage:version-id`; the id may be an ARN, which has six colons itself."""
    parts = reference.split(":")
    if reference.startswith("arn:"):
        parts = [":".join(parts[:7]), *parts[7:]]
    name, key, stage, version = [*parts, "", "", ""][:4]
    return name, key, stage, version


def _unreadable(error: ClientError) -> AwsError:
    reason = error.response["Error"]
    return AwsError("Decrypted Variables Error", f"{reason['Code']}: {reason['Message']}")
