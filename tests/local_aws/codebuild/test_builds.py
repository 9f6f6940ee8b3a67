"""Builds run their buildspec as on CodeBuild: phases, shell, variables, failures, logs."""

from __future__ import annotations

import time

import pytest

from local_aws.account import Account
from local_aws.codebuild import CodeBuild
from tests.local_aws.delivery import (
    LOGS,
    alive,
    allow,
    bucket,
    buildspec,
    built,
    eventually,
    log,
    phase,
    project,
    role,
    unique,
    zipped,
)

PHASES = [
    *("SUBMITTED", "QUEUED", "PROVISIONING", "DOWNLOAD_SOURCE", "INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD"),
    *("UPLOAD_ARTIFACTS", "FINALIZING", "COMPLETED"),
]


@pytest.fixture(scope="module")
def service_role(account: Account) -> str:
    return role(account, "codebuild", LOGS)


def run(account: Account, service_role: str, spec: str, **overrides: object) -> dict:
    return built(account, project(account, spec, service_role), **overrides)


def test_a_build_goes_through_all_phases_and_logs_what_it_prints(account: Account, service_role: str) -> None:
    build = run(account, service_role, buildspec("echo hello"))
    assert build["buildStatus"] == "SUCCEEDED"
    assert [item["phaseType"] for item in build["phases"]] == PHASES
    assert build["logs"]["groupName"] == f"/aws/codebuild/{build['projectName']}"
    lines = log(account, build)
    assert "hello" in lines
    assert any("Running command echo hello" in line for line in lines)


def test_commands_share_variables_and_directory(account: Account, service_role: str) -> None:
    spec = buildspec(
        "mkdir deep; cd deep; PLACE=here",
        'test "$PLACE" = here; test "$(basename "$PWD")" = deep',
        phases={"post_build": {"commands": ["test $PLACE = here"]}},
    )
    assert run(account, service_role, spec)["buildStatus"] == "SUCCEEDED"


@pytest.mark.parametrize("length", [1, 65_535, 65_536, 65_560, 131_072])
def test_output_without_an_end_of_line_is_kept_apart_from_what_follows(
    account: Account, service_role: str, length: int
) -> None:
    build = run(account, service_role, buildspec(f"head -c {length} /dev/zero | tr '\\0' x", "echo; echo; exit 4"))
    assert phase(build, "BUILD")[2].endswith("exit status 4")
    lines = log(account, build)
    assert sum(len(line) for line in lines if set(line) == {"x"}) == length
    assert lines.count(" ") == 2  # CloudWatch Logs knows no empty lines


def test_a_buildspec_chooses_its_shell(account: Account, service_role: str) -> None:
    spec = buildspec('[[ "$BASH_VERSION" ]] && LIST=(a b)', env={"shell": "bash"})
    assert run(account, service_role, spec)["buildStatus"] == "SUCCEEDED"


def test_a_machine_that_is_not_rehearsed_fails_with_a_sentence(account: Account, service_role: str) -> None:
    build = run(account, service_role, buildspec("dir"), environmentTypeOverride="WINDOWS_CONTAINER")
    assert phase(build, "PROVISIONING")[2].startswith("Builds on WINDOWS_CONTAINER are not rehearsed on the local AWS")


def test_what_a_command_starts_in_the_background_lives_until_the_build_ends(
    account: Account, service_role: str
) -> None:
    seconds = "61.0625"
    build = run(account, service_role, buildspec(f"sleep {seconds} & echo $! > pid", "kill -0 $(cat pid)"))
    assert build["buildStatus"] == "SUCCEEDED"
    assert not alive(seconds)


def test_a_failing_command_ends_its_phase_and_names_itself(account: Account, service_role: str) -> None:
    spec = buildspec(
        "exit 3", "touch never", phases={"post_build": {"commands": ["echo succeeding $CODEBUILD_BUILD_SUCCEEDING"]}}
    )
    build = run(account, service_role, spec)
    assert build["buildStatus"] == "FAILED"
    said = "Error while executing command: exit 3. Reason: exit status 3"
    assert phase(build, "BUILD") == ("FAILED", "COMMAND_EXECUTION_ERROR", said)
    assert phase(build, "POST_BUILD")[0] == "SUCCEEDED"
    assert "succeeding 0" in log(account, build)


def test_a_failing_install_ends_the_build(account: Account, service_role: str) -> None:
    build = run(account, service_role, buildspec("true", phases={"install": {"commands": ["false"]}}))
    assert [item["phaseType"] for item in build["phases"]][4:] == ["INSTALL", "FINALIZING", "COMPLETED"]


@pytest.mark.parametrize(("on_failure", "last"), [("ABORT", "BUILD"), ("CONTINUE", "UPLOAD_ARTIFACTS")])
def test_on_failure_says_whether_the_next_phase_runs(
    account: Account, service_role: str, on_failure: str, last: str
) -> None:
    spec = buildspec(phases={"build": {"commands": ["false"], "on-failure": on_failure}})
    build = run(account, service_role, spec)
    assert build["buildStatus"] == "FAILED"
    assert build["phases"][-3]["phaseType"] == last


def test_finally_runs_after_a_failure(account: Account, service_role: str) -> None:
    spec = buildspec(phases={"build": {"commands": ["false"], "finally": ["echo tidy"]}})
    build = run(account, service_role, spec)
    assert "tidy" in log(account, build)
    assert phase(build, "BUILD")[2] == "Error while executing command: false. Reason: exit status 1"


def test_exported_variables_keep_their_newlines(account: Account, service_role: str) -> None:
    spec = buildspec(
        """TEXT=$(printf 'one\n  "two"\n\n.')""", "COUNT=2", env={"exported-variables": ["TEXT", "COUNT", "ABSENT"]}
    )
    exported = run(account, service_role, spec)["exportedEnvironmentVariables"]
    assert exported == [{"name": "TEXT", "value": 'one\n  "two"\n\n.'}, {"name": "COUNT", "value": "2"}]


def test_start_build_wins_over_the_project_and_that_over_the_buildspec(account: Account, service_role: str) -> None:
    spec = buildspec("echo $A-$B-$C", env={"variables": {"A": "spec", "B": "spec", "C": "spec"}})
    given = [{"name": "B", "value": "project"}, {"name": "C", "value": "project"}]
    environment = {
        "type": "LINUX_CONTAINER",
        "image": "x",
        "computeType": "BUILD_GENERAL1_SMALL",
        "environmentVariables": given,
    }
    name = project(account, spec, service_role, environment=environment)
    build = built(account, name, environmentVariablesOverride=[{"name": "C", "value": "build"}])
    assert "spec-project-build" in log(account, build)


def test_builtin_variables_describe_the_build(account: Account, service_role: str) -> None:
    spec = buildspec("echo $CODEBUILD_BUILD_ID $CODEBUILD_BUILD_NUMBER $AWS_REGION", 'test "$PWD" = $CODEBUILD_SRC_DIR')
    name = project(account, spec, service_role)
    built(account, name)
    build = built(account, name)
    assert f"{build['id']} 2 us-east-1" in log(account, build)


def test_parameters_are_read_under_the_service_role(account: Account) -> None:
    parameter = f"/{unique('parameter')}"
    account.client("ssm").put_parameter(Name=parameter, Value="s3cret", Type="SecureString")
    spec = buildspec('test "$TOKEN" = s3cret', env={"parameter-store": {"TOKEN": parameter}})
    # MiniStack decides about ssm:GetParameters on "*" alone, not on each parameter as AWS does.
    allowed = role(account, "codebuild", LOGS, allow("ssm:GetParameters"))
    assert run(account, allowed, spec)["buildStatus"] == "SUCCEEDED"
    build = run(account, role(account, "codebuild", LOGS), spec)
    status, code, message = phase(build, "DOWNLOAD_SOURCE")
    assert (status, code) == ("FAILED", "Decrypted Variables Error")
    assert "is not authorized to perform: ssm:GetParameters" in message


def test_a_missing_parameter_is_named(account: Account) -> None:
    spec = buildspec("true", env={"parameter-store": {"TOKEN": "/no/such"}})
    build = run(account, role(account, "codebuild", LOGS, allow("ssm:GetParameters")), spec)
    assert phase(build, "DOWNLOAD_SOURCE")[2] == "parameter does not exist: /no/such"


def test_a_secret_can_be_taken_apart(account: Account) -> None:
    name = unique("secret")
    account.client("secretsmanager").create_secret(Name=name, SecretString='{"user": "me"}')
    spec = buildspec("test $USER_NAME = me", env={"secrets-manager": {"USER_NAME": f"{name}:user"}})
    allowed = role(account, "codebuild", LOGS, allow("secretsmanager:GetSecretValue"))
    assert run(account, allowed, spec)["buildStatus"] == "SUCCEEDED"


def test_commands_act_under_the_service_role(account: Account) -> None:
    name = bucket(account)
    command = f"$TOOLS/.venv/bin/python -c \"import boto3; boto3.client('s3').put_object(Bucket='{name}', Key='k')\""
    denied = run(account, role(account, "codebuild", LOGS), buildspec(command))
    assert denied["buildStatus"] == "FAILED"
    assert any("AccessDenied" in line for line in log(account, denied))
    allowed = role(account, "codebuild", LOGS, allow("s3:PutObject", resource=f"arn:aws:s3:::{name}/*"))
    assert run(account, allowed, buildspec(command))["buildStatus"] == "SUCCEEDED"


def test_a_malformed_buildspec_fails_the_download_phase(account: Account, service_role: str) -> None:
    build = run(account, service_role, "version: 0.2\nphases: {prebuild: {}}\n")
    assert phase(build, "DOWNLOAD_SOURCE") == (
        "FAILED",
        "YAML_FILE_ERROR",
        "Invalid buildspec phase name: PREBUILD. Expecting: BUILD,INSTALL,POST_BUILD,PRE_BUILD",
    )


def test_a_source_in_s3_is_read_at_its_version_with_its_buildspec(account: Account) -> None:
    name = bucket(account)
    s3 = account.client("s3")
    versions = [
        s3.put_object(Bucket=name, Key="src.zip", Body=zipped({"ci/spec.yml": buildspec(f"echo version {n}")}))
        for n in (1, 2)
    ]
    allowed = role(account, "codebuild", LOGS, allow("s3:GetObject", "s3:GetObjectVersion"))
    source = {"type": "S3", "location": f"{name}/src.zip", "buildspec": "ci/spec.yml"}
    demo = project(account, "", allowed, source=source)
    assert "version 2" in log(account, built(account, demo))
    assert "version 1" in log(account, built(account, demo, sourceVersion=versions[0]["VersionId"]))


def test_a_missing_buildspec_file_is_named(account: Account) -> None:
    name = bucket(account)
    account.client("s3").put_object(Bucket=name, Key="src.zip", Body=zipped({"a": "b"}))
    demo = project(
        account,
        "",
        role(account, "codebuild", LOGS, allow("s3:*")),
        source={"type": "S3", "location": f"{name}/src.zip"},
    )
    status, code, message = phase(built(account, demo), "DOWNLOAD_SOURCE")
    assert (status, code) == ("FAILED", "YAML_FILE_ERROR")
    assert message.endswith("/src/buildspec.yml: no such file or directory")


def test_a_role_without_access_to_the_source_fails_in_aws_words(account: Account, service_role: str) -> None:
    name = bucket(account)
    account.client("s3").put_object(Bucket=name, Key="src.zip", Body=zipped({"buildspec.yml": buildspec("true")}))
    demo = project(account, "", service_role, source={"type": "S3", "location": f"{name}/src.zip"})
    status, code, message = phase(built(account, demo), "DOWNLOAD_SOURCE")
    assert (status, code) == ("FAILED", "CLIENT_ERROR")
    assert message.startswith("AccessDenied: ")
    assert message.endswith(f"for source arn:aws:s3:::{name}/src.zip")


def test_a_role_that_may_not_write_logs_fails_the_build_as_on_codebuild(account: Account) -> None:
    build = run(account, role(account, "codebuild", allow("s3:GetObject")), buildspec("true"))
    status, code, message = phase(build, "PROVISIONING")
    assert (status, code) == ("FAILED", "ACCESS_DENIED")
    assert "does not allow AWS CodeBuild to create Amazon CloudWatch Logs log streams for build arn:" in message
    assert "not authorized to perform: logs:CreateLogStream" in message


def test_what_is_not_rehearsed_is_said_and_kept(account: Account, service_role: str) -> None:
    vpc = {"vpcId": "vpc-1", "subnets": ["subnet-1"], "securityGroupIds": ["sg-1"]}
    demo = project(account, buildspec('echo "Not rehearsed: RUN make"'), service_role, vpcConfig=vpc)
    build = built(account, demo)
    said = [context["message"] for item in build["phases"] for context in item.get("contexts", [])]
    assert "Not rehearsed: the VPC of the project" in said
    assert "Not rehearsed: RUN make" in said


def test_a_stopped_build_ends_at_once_with_all_its_processes(account: Account, service_role: str) -> None:
    seconds = "61.125"
    demo = project(account, buildspec(f"sh -c 'trap \"\" TERM; sleep {seconds} & sleep 60'"), service_role)
    codebuild = account.client("codebuild")
    started = codebuild.start_build(projectName=demo)["build"]["id"]
    eventually(lambda: codebuild.batch_get_builds(ids=[started])["builds"][0]["currentPhase"] == "BUILD")
    begin = time.monotonic()
    build = codebuild.stop_build(id=started)["build"]
    assert time.monotonic() - begin < 6
    assert build["buildStatus"] == "STOPPED"
    assert phase(build, "BUILD")[0] == "STOPPED"
    assert not alive(seconds)


def test_a_build_that_takes_too_long_times_out(account: Account, service_role: str) -> None:
    demo = project(account, buildspec("sleep 30"), service_role)
    service = account.services["codebuild"]
    assert isinstance(service, CodeBuild)
    service._projects[demo]["timeoutInMinutes"] = 0.01  # the API takes no less than five
    build = built(account, demo)
    assert build["buildStatus"] == "TIMED_OUT"
    assert phase(build, "BUILD") == ("TIMED_OUT", "BUILD_TIMED_OUT", "Build has timed out.")


def test_the_folder_of_a_build_that_succeeded_is_removed(account: Account, service_role: str) -> None:
    build = run(account, service_role, buildspec("true"))
    assert not (account.settings.home / "builds" / build["id"].partition(":")[2]).exists()
