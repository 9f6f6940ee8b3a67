"""`make local`, whole, as a person at a terminal runs it; then `make destroy` of everything it made."""

from __future__ import annotations

import json
import os
import pty
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score

from config import load_model
from pipelines.packaging.author import fit_function
from pipelines.rows.columns import model_columns, training_frame
from tests.local_aws import years

ROOT = Path(__file__).parents[2]
MODELS = sorted(file.parent.name for file in (ROOT / "model_code").glob("*/model.yaml"))
MARK = "LOCAL_AWS_RUN"
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "TOOLS")


def bare_environment(home: Path) -> dict[str, str]:
    """What a shell with no AWS in it has, and a place and port of the test's own."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return kept | {"LOCAL_AWS_HOME": str(home), "LOCAL_AWS_PORT": "0", "LOCAL_AWS_MINUTE_SECONDS": "1"}


@dataclass
class LocalRun:
    """A `make local` that has told its story and stays up."""

    process: subprocess.Popen[bytes]
    home: Path
    terminal: int
    said: str

    @cached_property
    def variables(self) -> Mapping[str, str]:
        """What `make local-env` tells other terminals."""
        words = shlex.split(self.make("local-env", environment=bare_environment(self.home)))
        return dict(word.split("=", 1) for word in words if "=" in word)

    def make(self, *words: str, environment: Mapping[str, str] | None = None, folder: Path = ROOT) -> str:
        """What `make <words>` prints, as a client of the local AWS or in a given environment."""
        given = environment or {**bare_environment(self.home), **self.variables}
        done = subprocess.run(["make", *words], cwd=folder, env=given, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout

    def client(self, service: str) -> Any:
        given = self.variables
        return boto3.client(
            service,
            endpoint_url=given["AWS_ENDPOINT_URL"],
            region_name=given["AWS_DEFAULT_REGION"],
            aws_access_key_id=given["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=given["AWS_SECRET_ACCESS_KEY"],
        )

    @property
    def summary(self) -> dict[str, Any]:
        return json.loads((self.home / "summary.json").read_text())


def read_until(terminal: int, word: str, seconds: float) -> str:
    said, deadline = "", time.monotonic() + seconds
    while word not in said and time.monotonic() < deadline:
        try:
            said += os.read(terminal, 65536).decode(errors="replace")
        except OSError:  # the other end has closed
            break
    return said


@pytest.fixture(scope="module")
def local_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRun]:
    home = tmp_path_factory.mktemp("local")
    terminal, slave = pty.openpty()
    process = subprocess.Popen(
        ["make", "local", "ARGS=--full"],
        cwd=ROOT,
        env=bare_environment(home),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    said = read_until(terminal, "stays up", 840)
    yield LocalRun(process, home, terminal, said)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(30)
    os.close(terminal)


def test_the_whole_way_ends_well_and_is_summed_up(local_run: LocalRun) -> None:
    assert "stays up" in local_run.said, local_run.said[-3000:]
    summary = local_run.summary
    assert summary["ok"] is True
    evidence = {step["name"]: step["evidence"] for step in summary["steps"]}
    for model in MODELS:
        for action in ("Train", "Staging", "Verify", "Approve", "Production", "Confirm"):
            assert f"greenlight-release {model} / {action}" in evidence
        approved = evidence[f"greenlight-release {model} / Approve"]
        assert approved == "Approved by the rehearsal, not by a person."
    assert "roc_auc 0.9" in evidence["employment: answers"]
    assert "as in evaluation" in evidence["employment: answers"]
    assert evidence["bike_demand: answers"] == "741 rows of 2012-01 answered, 2 of them with a reason why not"
    assert evidence["employment: batch"] == "10,000 rows in = 10,000 scored + 0 in quarantine"
    assert evidence["bike_demand: batch"] == "741 rows in = 739 scored + 2 in quarantine"
    assert evidence["templates"] == f"{7 + 3 * len(MODELS)} stacks deployed as synthesized"
    assert evidence["permissions"].endswith("none denied")


def test_it_says_where_to_push_to_and_holds_the_commit_of_the_checkout(local_run: LocalRun) -> None:
    remote = local_run.home / "source.git"
    assert f"git remote add local {remote}" in local_run.said
    asked = ["git", "ls-remote", str(remote), "refs/heads/main"]
    main = subprocess.run(asked, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()[0]
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert main == head.strip()


def test_exactly_the_drifted_months_are_red_and_no_other_month_raises_an_alarm(local_run: LocalRun) -> None:
    tiers = years.final_tiers(years.looks(local_run.home, "employment"))
    assert len(tiers) == 36
    assert {month for month, tier in tiers.items() if tier == "red"} == years.drifted_months()
    assert {tier for month, tier in tiers.items() if month not in years.drifted_months()} == {"green"}


def test_every_month_of_a_changed_world_is_red_once_its_labels_are_there(local_run: LocalRun) -> None:
    seen = years.looks(local_run.home, "bike_demand")
    assert "red" not in seen[0].tiers.values(), "an estimate alone did not see it"
    final = years.final_tiers(seen)
    assert len(final) == 12
    assert set(final.values()) == {"red"}


def test_each_light_is_a_metric_and_each_change_of_it_a_message(local_run: LocalRun) -> None:
    cloudwatch = local_run.client("cloudwatch")
    for model in MODELS:
        before = "unknown"
        last = {look.at: look for look in years.looks(local_run.home, model)}
        for look in years.looks(local_run.home, model):
            if look is last[look.at]:
                (point,) = cloudwatch.get_metric_statistics(
                    Namespace="greenlight/watch",
                    MetricName="Light",
                    Dimensions=[{"Name": "Environment", "Value": "production"}, {"Name": "Model", "Value": model}],
                    StartTime=look.at - timedelta(minutes=1),
                    EndTime=look.at + timedelta(minutes=1),
                    Period=60,
                    Statistics=["Maximum"],
                )["Datapoints"]
                # Two runs at the same moment, without and with labels, are two values of one minute.
                assert point["Maximum"] >= years.TIERS[look.tier]
            told = [
                message for message in look.told if message.startswith(f"{model} in production is {look.tier.upper()}")
            ]
            assert len(told) == (1 if look.tier != before else 0), (look, before)
            before = look.tier


def test_red_starts_one_release_and_a_retrained_model_that_is_red_again_goes_to_a_person(local_run: LocalRun) -> None:
    for model in MODELS:
        red = [look for look in years.looks(local_run.home, model) if look.tier == "red"]
        wanted = [message for look in red for message in look.told if "is trained anew" in message]
        asked = [message for look in red for message in look.told if "needs a person" in message]
        assert len(wanted) == 1
        assert len(asked) == len(red) - 1
        assert "was retrained" in asked[0]
        assert "red again at once" in asked[0]


def test_the_retrained_package_says_where_it_comes_from_and_beat_the_champion_on_recent_rows(
    local_run: LocalRun,
) -> None:
    client = local_run.client("codepipeline")
    found = client.list_pipeline_executions(pipelineName="greenlight-release")["pipelineExecutionSummaries"]
    sagemaker = local_run.client("sagemaker")
    for model in MODELS:
        group = f"greenlight-{model.replace('_', '-')}"
        newest = sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
        packages = {package["ModelPackageVersion"]: package["ModelPackageArn"] for package in newest}
        described = {
            number: sagemaker.describe_model_package(ModelPackageName=arn)["CustomerMetadataProperties"]
            for number, arn in packages.items()
        }
        assert described[1]["retraining"] == "none"
        assert described[2]["retraining"].startswith("20")
        assert described[2]["commit"] == described[1]["commit"], "at the commit that was in production"
        assert described[2]["revision"] == described[1]["revision"]
        assert sum(released_model(client, "greenlight-release", run) == model for run in found) == 2
    evidence = [step["evidence"] for step in local_run.summary["steps"] if step["evidence"].startswith("Retraining")]
    assert len(evidence) == len(MODELS)
    assert all("recent rows" in said and said.endswith("registered.") for said in evidence)


def test_what_was_in_quarantine_is_scored_by_the_package_that_knows_it(local_run: LocalRun) -> None:
    evidence = {step["name"]: step["evidence"] for step in local_run.summary["steps"]}
    assert evidence["bike_demand: quarantine"] == "2 rows of 2012-01-rehearsal scored by the new package, 0 left"


def test_the_report_is_a_page_of_the_newest_light(local_run: LocalRun) -> None:
    for model in MODELS:
        page = (local_run.home / "reports" / f"{model}.html").read_text()
        assert years.looks(local_run.home, model)[-1].tier.upper() in page
        assert f"file://{local_run.home}/reports/{model}.html" in local_run.said


def test_what_could_not_run_here_is_said(local_run: LocalRun) -> None:
    assert any("RUN" in sentence for sentence in local_run.summary["not_rehearsed"])
    assert "Not rehearsed: " in local_run.said


def test_the_run_that_creating_the_release_pipeline_started_has_ended_well(local_run: LocalRun) -> None:
    found = local_run.client("codepipeline").list_pipeline_executions(pipelineName="greenlight-release")
    runs = {run["trigger"]["triggerType"]: run["status"] for run in found["pipelineExecutionSummaries"]}
    assert runs["CreatePipeline"] == "Succeeded"


def test_the_endpoint_runs_the_registered_package_on_two_instances_or_more_where_it_has_scaled(
    local_run: LocalRun,
) -> None:
    sagemaker = local_run.client("sagemaker")
    endpoint = sagemaker.describe_endpoint(EndpointName="greenlight-employment-production")
    assert endpoint["EndpointStatus"] == "InService"
    assert 2 <= endpoint["ProductionVariants"][0]["CurrentInstanceCount"] <= 6
    package = sagemaker.list_model_packages(ModelPackageGroupName="greenlight-employment")["ModelPackageSummaryList"][0]
    assert package["ModelApprovalStatus"] == "Approved"


def test_a_serverless_model_answers_without_instances_of_its_own(local_run: LocalRun) -> None:
    endpoint = local_run.client("sagemaker").describe_endpoint(EndpointName="greenlight-bike-demand-production")
    (variant,) = endpoint["ProductionVariants"]
    assert variant["CurrentServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 5}


def test_the_endpoint_ranks_a_years_rows_as_the_fitted_model_does(local_run: LocalRun, tmp_path: Path) -> None:
    model = load_model(ROOT / "model_code/employment")
    described = local_run.client("sagemaker").describe_model_package(ModelPackageName=package_in_production(local_run))
    uri = described["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    tables = {}
    for split in ("train/train", "test/2016"):
        file = tmp_path / f"{Path(split).name}.parquet"
        run = key.removesuffix("/evaluation/evaluation.json")
        local_run.client("s3").download_file(bucket, f"{run}/{split}.parquet", str(file))
        tables[split] = pq.read_table(file)

    def frame(table: pa.Table) -> pd.DataFrame:
        return training_frame(model_columns(table, model.features), model.features)

    train, year = tables["train/train"], tables["test/2016"]
    labelled = frame(train).assign(**{model.target: train[model.target].to_numpy()})
    fitted = fit_function(ROOT / "model_code/employment")(labelled, **model.hyperparameters)
    labels = year[model.target].to_numpy()
    expected = roc_auc_score(labels, fitted.predict_proba(frame(year))[:, 1])

    names = [feature.name for feature in model.features]
    answers = []
    runtime = local_run.client("sagemaker-runtime")
    for start in range(0, year.num_rows, 5000):
        body = year.select(names).slice(start, 5000).to_pandas().to_csv(index=False, header=False)
        answer = runtime.invoke_endpoint(
            EndpointName="greenlight-employment-production", ContentType="text/csv", Accept="text/csv", Body=body
        )
        answers.append(pd.read_csv(answer["Body"], header=None)[0])
    assert roc_auc_score(labels, pd.concat(answers)) == pytest.approx(expected, abs=1e-6)


def test_a_bad_request_comes_back_as_the_callers_fault(local_run: LocalRun) -> None:
    runtime = local_run.client("sagemaker-runtime")
    with pytest.raises(runtime.exceptions.ModelError) as refused:
        runtime.invoke_endpoint(
            EndpointName="greenlight-employment-production", ContentType="application/json", Body=b"{not json"
        )
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert refused.value.response["OriginalStatusCode"] == 400


def test_a_serving_stack_without_a_package_is_complete_and_has_no_endpoint(local_run: LocalRun) -> None:
    cloudformation = local_run.client("cloudformation")
    template = (ROOT / "cdk.out/greenlight-serving-employment-staging.template.json").read_text()
    cloudformation.create_stack(
        StackName="without-package",
        TemplateBody=template.replace("employment-staging", "employment-empty"),
        Capabilities=["CAPABILITY_IAM"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName="without-package", WaiterConfig={"Delay": 1})
    resources = cloudformation.list_stack_resources(StackName="without-package")["StackResourceSummaries"]
    assert {resource["ResourceType"] for resource in resources} <= {"AWS::Logs::LogGroup", "AWS::CDK::Metadata"}
    cloudformation.delete_stack(StackName="without-package")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="without-package", WaiterConfig={"Delay": 1})


def new_run(local_run: LocalRun, pipeline: str, known: int, model: str | None = None) -> dict[str, Any]:
    """The newest run of those that come on top of the *known* ones (or the one of a model), when it has ended."""
    client, deadline = local_run.client("codepipeline"), time.monotonic() + 180
    while time.monotonic() < deadline:
        found = client.list_pipeline_executions(pipelineName=pipeline)["pipelineExecutionSummaries"]
        new = [
            run
            for run in found[: len(found) - known]
            if model is None or released_model(client, pipeline, run) == model
        ]
        if new and new[0]["status"] != "InProgress":
            return new[0]
        time.sleep(0.5)
    raise AssertionError(f"no new run of {pipeline} has ended")


def released_model(client: Any, pipeline: str, run: dict[str, Any]) -> str:
    found = client.get_pipeline_execution(pipelineName=pipeline, pipelineExecutionId=run["pipelineExecutionId"])
    variables = found["pipelineExecution"]["variables"]
    return next(variable["resolvedValue"] for variable in variables if variable["name"] == "MODEL")


def runs(local_run: LocalRun, pipeline: str) -> int:
    found = local_run.client("codepipeline").list_pipeline_executions(pipelineName=pipeline)
    return len(found["pipelineExecutionSummaries"])


def test_a_push_that_touches_no_model_releases_none(local_run: LocalRun) -> None:
    platform, release = runs(local_run, "greenlight-platform"), runs(local_run, "greenlight-release")
    local_run.make("push")
    assert new_run(local_run, "greenlight-platform", platform)["status"] == "Succeeded"
    assert runs(local_run, "greenlight-release") == release


def test_a_model_that_the_gate_refuses_ends_its_release_well_and_changes_nothing(
    local_run: LocalRun, tmp_path: Path
) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    model = clone / "model_code/employment/model.yaml"
    model.write_text(model.read_text().replace("at_least: 0.88", "at_least: 0.99"))
    before = package_in_production(local_run)
    platform, release = runs(local_run, "greenlight-platform"), runs(local_run, "greenlight-release")
    local_run.make(f"TOOLS={ROOT}", "push", folder=clone)
    assert new_run(local_run, "greenlight-platform", platform)["status"] == "Succeeded"
    refused = new_run(local_run, "greenlight-release", release, model="employment")
    assert refused["status"] == "Succeeded"
    actions = local_run.client("codepipeline").list_action_executions(
        pipelineName="greenlight-release", filter={"pipelineExecutionId": refused["pipelineExecutionId"]}
    )["actionExecutionDetails"]
    assert {action["actionName"] for action in actions} == {"Source", "Train", "Decide"}
    assert runs(local_run, "greenlight-release") == release + 1
    train = next(action for action in actions if action["actionName"] == "Train")
    assert train["output"]["outputVariables"]["OUTCOME"] == "refused"
    assert package_in_production(local_run) == before


def test_a_push_during_a_release_that_touches_the_model_server_releases_every_model_without_training(
    local_run: LocalRun, tmp_path: Path
) -> None:
    """The release that waits for its approval when the push comes is not lost, and the pushed one serves last."""
    before, trained = package_in_production(local_run), trainings(local_run)
    held = waiting_release(local_run, "employment", before)
    platform, release = runs(local_run, "greenlight-platform"), runs(local_run, "greenlight-release")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    with (clone / "model_server/routes.py").open("a") as file:
        file.write("\n\n# The same, in a new image.\n")
    author = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com"]
    subprocess.run(["git", *author, "commit", "--quiet", "--all", "-m", "A new image"], cwd=clone, check=True)
    to = [str(local_run.home / "source.git"), "HEAD:main"]
    subprocess.run(["git", "push", "--quiet", *to], cwd=clone, check=True)
    assert new_run(local_run, "greenlight-platform", platform)["status"] == "Succeeded"
    client = local_run.client("codepipeline")
    run = {"pipelineName": "greenlight-release", "pipelineExecutionId": held}
    assert client.get_pipeline_execution(**run)["pipelineExecution"]["status"] == "InProgress"
    approve(client, held)
    ended = all_approved(local_run, release + len(MODELS))
    assert ended == ["Succeeded"] * len(MODELS)
    assert client.get_pipeline_execution(**run)["pipelineExecution"]["status"] == "Succeeded"
    assert trainings(local_run) == trained
    after = local_run.client("sagemaker").describe_model_package(ModelPackageName=package_in_production(local_run))
    assert after["CustomerMetadataProperties"]["patched_from"] == before


def waiting_release(local_run: LocalRun, model: str, package: str) -> str:
    """A release of a package by hand that has come to its approval; its execution."""
    client, given = local_run.client("codepipeline"), {"MODEL": model, "PACKAGE": package, "REASON": "by hand"}
    started = client.start_pipeline_execution(
        name="greenlight-release", variables=[{"name": name, "value": value} for name, value in given.items()]
    )
    deadline = time.monotonic() + 180
    while not asks_for_approval(client, started["pipelineExecutionId"]):
        assert time.monotonic() < deadline, "the release has not come to its approval"
        time.sleep(0.5)
    return started["pipelineExecutionId"]


def trainings(local_run: LocalRun) -> int:
    client = local_run.client("sagemaker")
    names = [each["PipelineName"] for each in client.list_pipelines()["PipelineSummaries"]]
    found = (client.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"] for name in names)
    return sum(map(len, found))


def all_approved(local_run: LocalRun, count: int) -> list[str]:
    """The statuses of the newest releases, one for each model, when there are *count* and all have ended."""
    client, deadline = local_run.client("codepipeline"), time.monotonic() + 300
    while time.monotonic() < deadline:
        found = client.list_pipeline_executions(pipelineName="greenlight-release")["pipelineExecutionSummaries"]
        newest = found[: len(MODELS)]
        if len(found) >= count and all(run["status"] != "InProgress" for run in newest):
            return [run["status"] for run in newest]
        for run in newest:
            approve(client, run["pipelineExecutionId"])
        time.sleep(0.5)
    raise AssertionError("the releases have not ended")


def approve(client: Any, execution: str) -> None:
    if token := asks_for_approval(client, execution):
        client.put_approval_result(
            pipelineName="greenlight-release",
            stageName="Approve",
            actionName="Approve",
            result={"summary": "The test says so.", "status": "Approved"},
            token=token,
        )


def asks_for_approval(client: Any, execution: str) -> str | None:
    """The token of an execution that waits for a person."""
    actions = client.list_action_executions(
        pipelineName="greenlight-release", filter={"pipelineExecutionId": execution}
    )["actionExecutionDetails"]
    for action in actions:
        if action["actionName"] == "Approve" and action["status"] == "InProgress":
            return action["output"].get("executionResult", {}).get("externalExecutionId")
    return None


def package_in_production(local_run: LocalRun) -> str:
    sagemaker = local_run.client("sagemaker")
    endpoint = sagemaker.describe_endpoint(EndpointName="greenlight-employment-production")
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    model = sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
    return model["PrimaryContainer"]["ModelPackageName"]


def test_destroy_leaves_no_stack_no_object_and_no_endpoint(local_run: LocalRun) -> None:
    """Comes last: the run has nothing left after it."""
    buckets = [bucket["Name"] for bucket in local_run.client("s3").list_buckets()["Buckets"]]
    assert len([name for name in buckets if name.startswith("greenlight-")]) == 7  # each place has one of access logs
    local_run.make("destroy", "CONFIRM=greenlight")
    stacks = local_run.client("cloudformation").describe_stacks()["Stacks"]
    assert [stack["StackName"] for stack in stacks] == ["CDKToolkit"]
    left = [bucket["Name"] for bucket in local_run.client("s3").list_buckets()["Buckets"]]
    assert not [name for name in left if name.startswith("greenlight-")]
    assert local_run.client("sagemaker").list_endpoints()["Endpoints"] == []
    assert local_run.client("sagemaker").list_models()["Models"] == []
    assert local_run.client("sagemaker").list_endpoint_configs()["EndpointConfigs"] == []
    assert not [process for process in marked_processes(local_run.home) if "model_server" in process.cmdline()]


def test_no_call_of_the_whole_run_was_denied(local_run: LocalRun) -> None:
    """Also of what came after the story: pushes, releases, destruction."""
    decisions = [json.loads(line) for line in (local_run.home / "calls.jsonl").read_text().splitlines()]
    assert len(decisions) > 5000
    denied = {(each["caller"], each["action"], each["resource"]) for each in decisions if each["decision"] != "allow"}
    assert denied == set()


def test_ctrl_c_ends_it_cleanly_and_leaves_no_process(local_run: LocalRun) -> None:
    ours = marked_processes(local_run.home)
    assert ours
    os.killpg(local_run.process.pid, signal.SIGINT)
    local_run.process.wait(30)  # make itself ends as interrupted, whatever its command does
    said = read_until(local_run.terminal, "Stopping.", 5)
    assert "Stopping." in said
    assert "Traceback" not in said
    _gone, alive = psutil.wait_procs(ours, timeout=5)
    assert not alive


def test_killing_it_leaves_no_process_and_the_next_run_works(tmp_path: Path) -> None:
    for _ in range(2):
        with subprocess.Popen(
            ["make", "local"],
            cwd=ROOT,
            env=bare_environment(tmp_path),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdout
            for line in process.stdout:
                if "make foundation ..." in line:
                    break
            time.sleep(0.5)
            ours = marked_processes(tmp_path)
            account = next(one for one in ours if "local_aws.rehearsal" in one.cmdline())
            assert len(ours) > 1, "a command runs at this time"
            account.send_signal(signal.SIGKILL)
            _gone, alive = psutil.wait_procs(ours, timeout=5)
            assert not alive


def marked_processes(home: Path) -> list[psutil.Process]:
    """The process that runs the local AWS of *home*, and everything that it has started."""
    found = []
    for process in psutil.process_iter():
        try:
            environment = process.environ()
        except psutil.Error:
            continue
        if environment.get("LOCAL_AWS_HOME") == str(home) and process.name() != "make":
            found += [process, *process.children(recursive=True)]
    return list(dict.fromkeys(found))
