"""Executions pass artifacts and variables from action to action, and say what went wrong."""

from __future__ import annotations

import pytest

from local_aws.account import Account
from tests.local_aws.codepipeline.conftest import BUILDS, Delivery, approval, build, check, stage
from tests.local_aws.delivery import LOGS, OBJECTS, allow, log, role, unique, unzipped


def test_artifacts_and_variables_travel_through_the_whole_pipeline(delivery: Delivery) -> None:
    revision = delivery.upload(number_txt="41")
    make = delivery.project(
        "NUMBER=$(( $(cat number.txt) + 1 )); echo $NUMBER > result.txt",
        env={"exported-variables": ["NUMBER"]},
        artifacts={"files": ["result.txt"]},
    )
    use = delivery.project("test $(cat result.txt) = $NUMBER", 'test "$MODEL" = demo', "test $RUN = $EXECUTION")
    pipeline = delivery.create(
        stage("Make", build("Make", make, outputArtifacts=[{"name": "result"}], namespace="Make")),
        approval(),
        stage(
            "Use",
            build(
                "Use",
                use,
                inputArtifacts=[{"name": "result"}],
                variables={
                    "NUMBER": "#{Make.NUMBER}",
                    "MODEL": "#{variables.MODEL}",
                    "RUN": "#{codepipeline.PipelineExecutionId}",
                    "EXECUTION": "#{codepipeline.PipelineExecutionId}",
                },
            ),
        ),
        variables=[{"name": "MODEL", "defaultValue": "demo"}],
    )
    delivery.decide(pipeline)
    execution = delivery.ended(pipeline)
    assert execution["status"] == "Succeeded", execution
    assert execution["trigger"]["triggerType"] == "CreatePipeline"
    assert execution["variables"] == [{"name": "MODEL", "resolvedValue": "demo"}]
    assert execution["artifactRevisions"][0]["revisionId"] == revision
    made = delivery.action(pipeline, "Make")
    assert made["output"]["outputVariables"] == {"NUMBER": "42"}
    place = made["output"]["outputArtifacts"][0]["s3location"]
    assert place["key"].startswith(f"{pipeline[:20]}/result/")
    assert unzipped(delivery.account, place["bucket"], place["key"]) == {"result.txt": "42\n"}
    used = delivery.action(pipeline, "Use")
    assert '"value": "42"' in used["input"]["resolvedConfiguration"]["EnvironmentVariables"]
    assert delivery.action(pipeline, "Source")["output"]["outputVariables"]["VersionId"] == revision


def test_a_build_knows_where_it_comes_from(delivery: Delivery) -> None:
    revision = delivery.upload()
    project = delivery.project("echo $CODEBUILD_INITIATOR $CODEBUILD_RESOLVED_SOURCE_VERSION $CODEBUILD_SOURCE_VERSION")
    pipeline = delivery.create(stage("Make", build("Make", project)))
    delivery.ended(pipeline)
    made = delivery.action(pipeline, "Make")
    place = made["input"]["inputArtifacts"][0]["s3location"]
    found = delivery.account.client("codebuild").batch_get_builds(
        ids=[made["output"]["executionResult"]["externalExecutionId"]]
    )["builds"][0]
    said = f"codepipeline/{pipeline} {revision} arn:aws:s3:::{place['bucket']}/{place['key']}"
    assert said in log(delivery.account, found)
    assert (found["initiator"], found["resolvedSourceVersion"]) == (f"codepipeline/{pipeline}", revision)


def test_several_artifacts_go_in_and_out_by_their_names(delivery: Delivery) -> None:
    delivery.upload()
    make = delivery.project(
        "echo 1 > one; echo 2 > two",
        artifacts={"secondary-artifacts": {"first": {"files": ["one"]}, "second": {"files": ["two"]}}},
    )
    use = delivery.project("test $(cat two)$(cat $CODEBUILD_SRC_DIR_first/one) = 21")
    both = [{"name": "first"}, {"name": "second"}]
    pipeline = delivery.create(
        stage("Make", build("Make", make, outputArtifacts=both)),
        stage("Use", build("Use", use, inputArtifacts=both, configuration={"PrimarySource": "second"})),
    )
    assert delivery.ended(pipeline)["status"] == "Succeeded"


def test_a_failing_command_fails_the_pipeline_with_the_reason(delivery: Delivery) -> None:
    pipeline = delivery.create(
        stage("Test", build("Unit", delivery.project("make test"))),
        stage("Use", build("Use", delivery.project("true"))),
    )
    execution = delivery.ended(pipeline)
    said = (
        "Build terminated with state: FAILED. Phase: BUILD, Code: COMMAND_EXECUTION_ERROR, "
        "Message: Error while executing command: make test. Reason: exit status 2"
    )
    assert execution["status"] == "Failed"
    assert execution["statusSummary"] == f"Stage Test, action Unit: {said}"
    state = delivery.stage(pipeline, "Test")
    assert state["latestExecution"]["status"] == "Failed"
    assert state["actionStates"][0]["latestExecution"]["errorDetails"] == {"code": "JobFailed", "message": said}
    assert "latestExecution" not in delivery.stage(pipeline, "Use")


def test_actions_of_the_same_order_run_at_the_same_time(delivery: Delivery) -> None:
    mark = unique("mark")
    place = delivery.account.settings.home / mark
    place.mkdir()
    wait = "for i in $(seq 200); do test -e {} && exit 0; sleep 0.05; done; exit 1"
    one = delivery.project(f"touch {place}/one; {wait.format(place / 'two')}")
    two = delivery.project(f"touch {place}/two; {wait.format(place / 'one')}")
    last = delivery.project(f"test -e {place}/one -a -e {place}/two")
    pipeline = delivery.create(stage("Test", build("One", one), build("Two", two), build("Last", last, runOrder=2)))
    assert delivery.ended(pipeline)["status"] == "Succeeded"


def test_a_failed_action_lets_those_beside_it_finish_and_none_follow(delivery: Delivery) -> None:
    fails, works = delivery.project("exit 1"), delivery.project("sleep 0.2")
    pipeline = delivery.create(
        stage("Test", build("Fails", fails), build("Works", works), build("Never", works, runOrder=2))
    )
    assert delivery.ended(pipeline)["status"] == "Failed"
    assert {run["actionName"]: run["status"] for run in delivery.actions(pipeline)} == {
        "Source": "Succeeded",
        "Fails": "Failed",
        "Works": "Succeeded",
    }


def test_an_older_version_is_built_where_the_execution_asks_for_it(delivery: Delivery) -> None:
    old = delivery.upload(number_txt="1")
    delivery.upload(number_txt="2")
    project = delivery.project("N=$(cat number.txt)", env={"exported-variables": ["N"]})
    pipeline = delivery.create(stage("Make", build("Make", project)))
    override = [{"actionName": "Source", "revisionType": "S3_OBJECT_VERSION_ID", "revisionValue": old}]
    again = delivery.start(pipeline, sourceRevisions=override)
    assert delivery.ended(pipeline, again)["artifactRevisions"][0]["revisionId"] == old
    delivery.ended(pipeline)
    assert delivery.action(pipeline, "Make", again)["output"]["outputVariables"] == {"N": "1"}
    assert delivery.action(pipeline, "Make", delivery.first(pipeline))["output"]["outputVariables"] == {"N": "2"}


def test_what_is_not_rehearsed_is_in_the_summary_of_the_action(delivery: Delivery) -> None:
    project = delivery.project('echo "Not rehearsed: RUN one"', 'echo "Not rehearsed: RUN two"')
    pipeline = delivery.create(stage("Image", build("Image", project)))
    assert delivery.ended(pipeline)["status"] == "Succeeded"
    result = delivery.action(pipeline, "Image")["output"]["executionResult"]
    assert result["externalExecutionSummary"] == "Not rehearsed: RUN one\nNot rehearsed: RUN two"


def test_a_variable_without_a_value_fails_its_action(delivery: Delivery) -> None:
    pipeline = delivery.create(
        stage("Make", build("Make", delivery.project("true"), namespace="Make")),
        stage("Use", build("Use", delivery.project("true"), variables={"N": "#{Make.N}"})),
    )
    execution = delivery.ended(pipeline)
    assert execution["statusSummary"] == (
        "Stage Use, action Use: The variable #{Make.N} has no value: the namespace 'Make' has none."
    )


def test_a_value_with_newlines_is_refused_in_json(delivery: Delivery) -> None:
    make = delivery.project("TEXT=$(printf 'a\\nb')", env={"exported-variables": ["TEXT"]})
    pipeline = delivery.create(
        stage("Make", build("Make", make, namespace="Make")),
        stage("Use", build("Use", delivery.project("true"), variables={"TEXT": "#{Make.TEXT}"})),
    )
    assert "cannot have quotes or newlines there" in delivery.ended(pipeline)["statusSummary"]
    assert delivery.action(pipeline, "Make")["output"]["outputVariables"] == {"TEXT": "a\nb"}


def test_a_source_that_is_not_there_fails_with_its_name(delivery: Delivery) -> None:
    source = delivery.source()
    source["actions"][0]["configuration"]["S3ObjectKey"] = "absent.zip"
    pipeline = delivery.create(stage("Make", build("Make", delivery.project("true"))), source=source)
    summary = delivery.ended(pipeline)["statusSummary"]
    assert f"The object with key 'absent.zip' of the bucket {delivery.bucket} could not be read" in summary


def test_a_source_that_aws_would_poll_says_that_it_is_not_polled(delivery: Delivery) -> None:
    source = delivery.source()
    del source["actions"][0]["configuration"]["PollForSourceChanges"]
    pipeline = delivery.create(stage("Make", build("Make", delivery.project("true"))), source=source)
    delivery.ended(pipeline)
    result = delivery.action(pipeline, "Source")["output"]["executionResult"]
    assert "Not rehearsed: polling the bucket for changes" in result["externalExecutionSummary"]


def test_an_artifact_that_a_skipped_stage_would_have_made_is_missed_by_name(delivery: Delivery) -> None:
    project = delivery.project("true")
    pipeline = delivery.create(
        stage("Train", build("Train", project, outputArtifacts=[{"name": "model"}]), beforeEntry=check("a", "b")),
        stage("Use", build("Use", project, inputArtifacts=[{"name": "model"}])),
    )
    summary = delivery.ended(pipeline)["statusSummary"]
    assert summary == "Stage Use, action Use: Its input artifact 'model' is missing: what makes it did not run."


def test_a_source_kind_that_is_not_rehearsed_fails_with_a_sentence(delivery: Delivery) -> None:
    source = delivery.source(
        actionTypeId={"category": "Source", "owner": "AWS", "provider": "CodeCommit", "version": "1"}
    )
    pipeline = delivery.create(stage("Make", build("Make", delivery.project("true"))), source=source)
    summary = delivery.ended(pipeline)["statusSummary"]
    assert "Source actions of CodeCommit are not rehearsed on the local AWS; it has Source S3, " in summary


def test_a_pipeline_role_that_may_not_start_builds_fails_in_aws_words(delivery: Delivery) -> None:
    project = delivery.project("true")
    pipeline = delivery.create(
        stage("Make", build("Make", project)), roleArn=role(delivery.account, "codepipeline", OBJECTS)
    )
    summary = delivery.ended(pipeline)["statusSummary"]
    assert "Error calling startBuild: User: arn:aws:sts::123456789012:assumed-role/codepipeline-" in summary
    arn = delivery.account.arn("codebuild", f"project/{project}")
    assert f"is not authorized to perform: codebuild:StartBuild on resource: {arn}" in summary
    error = delivery.action(pipeline, "Make")["output"]["executionResult"]["errorDetails"]
    assert error["code"] == "PermissionError"


def test_a_pipeline_role_that_may_not_read_the_source_fails_in_aws_words(delivery: Delivery) -> None:
    pipeline = delivery.create(
        stage("Make", build("Make", delivery.project("true"))),
        roleArn=role(delivery.account, "codepipeline", BUILDS, allow("s3:PutObject")),
    )
    assert (
        f"doesn't have the permissions required to access the Amazon S3 bucket named {delivery.bucket}. "
        "Update the IAM role permissions, and then try again."
    ) in delivery.ended(pipeline)["statusSummary"]


def test_a_build_role_that_may_not_read_artifacts_fails_its_build(delivery: Delivery) -> None:
    project = delivery.project("true", service_role=role(delivery.account, "codebuild", LOGS))
    pipeline = delivery.create(stage("Make", build("Make", project)))
    summary = delivery.ended(pipeline)["statusSummary"]
    assert "Phase: DOWNLOAD_SOURCE, Code: CLIENT_ERROR, Message: AccessDenied: " in summary


def test_an_action_acts_under_its_own_role_which_the_pipelines_role_assumes(delivery: Delivery) -> None:
    own = role(delivery.account, "codepipeline", BUILDS, principal={"AWS": delivery.account.settings.account})
    action = build("Make", delivery.project("true"), roleArn=own)
    may = role(delivery.account, "codepipeline", OBJECTS, allow("sts:AssumeRole", resource=own))
    assert delivery.ended(delivery.create(stage("Make", action), roleArn=may))["status"] == "Succeeded"
    may_not = role(delivery.account, "codepipeline", OBJECTS)
    summary = delivery.ended(delivery.create(stage("Make", action), roleArn=may_not))["statusSummary"]
    assert "is not authorized to perform: sts:AssumeRole" in summary


def test_artifacts_are_encrypted_with_the_key_of_the_store(account: Account, delivery: Delivery) -> None:
    key = account.client("kms").create_key()["KeyMetadata"]["Arn"]
    store = {"type": "S3", "location": delivery.bucket, "encryptionKey": {"id": key, "type": "KMS"}}
    may = role(account, "codepipeline", OBJECTS, BUILDS, allow("kms:*"))
    project = delivery.project("true", service_role=role(account, "codebuild", LOGS, OBJECTS, allow("kms:Decrypt")))
    pipeline = delivery.create(stage("Make", build("Make", project)), artifactStore=store, roleArn=may)
    assert delivery.ended(pipeline)["status"] == "Succeeded"
    place = delivery.action(pipeline, "Source")["output"]["outputArtifacts"][0]["s3location"]
    head = account.client("s3").head_object(Bucket=place["bucket"], Key=place["key"])
    assert head["SSEKMSKeyId"] == key


@pytest.mark.parametrize("mode", ["SUPERSEDED", "QUEUED", "PARALLEL"])
def test_every_answer_fits_its_shape(delivery: Delivery, mode: str) -> None:
    pipeline = delivery.create(stage("Make", build("Make", delivery.project("exit 1"))), executionMode=mode)
    assert delivery.ended(pipeline)["executionMode"] == mode
    assert delivery.client.get_pipeline(name=pipeline)["pipeline"]["executionMode"] == mode
    assert delivery.client.list_pipeline_executions(pipelineName=pipeline)["pipelineExecutionSummaries"]
    assert pipeline in [found["name"] for found in delivery.client.list_pipelines()["pipelines"]]
    assert delivery.client.get_pipeline_state(name=pipeline)["pipelineVersion"] == 1
