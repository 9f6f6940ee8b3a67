"""Verify against real endpoints: what is good passes, and what is bad is named."""

from __future__ import annotations

import re
import time

from local_aws.account import Account
from tests.local_aws.delivery import eventually, unique
from tests.local_aws.verifying.world import World
from tests.pipelines.tables import CATEGORY, NUMBER

SLOW_AND_FAILING = """
import time

def predict_fn(data, model):
    time.sleep(0.03)
    if (data["size"] > 8).any():
        raise RuntimeError("no such size")
    return model.score(data)
"""
ANSWERS_ANYTHING = """
import json

import numpy as np

def input_fn(body, content_type):
    try:
        row = json.loads(body)["instances"][0]
        size, colour = float(row["size"]), str(row["colour"])
    except Exception:
        size, colour = 1.0, "red"
    return {"size": np.array([[size]], np.float32), "colour": np.array([[colour]], object)}
"""


def test_a_good_release_passes_and_the_report_says_what_was_asked(world: World, account: Account) -> None:
    name = unique("good")
    arn = world.release(world.checkout(name))
    _alarm(account, f"{world.endpoint(name)}-ModelLatency")

    run = world.verify(name, arn)

    assert run.code == 0, run.said
    assert re.fullmatch(
        r"41 golden answers, \d\d inputs answered or refused as promised, (19|20)\.\d requests/s for 5 s: "
        r"p50 [\d.]+ ms, p95 [\d.]+ ms, p99 [\d.]+ ms \(limit 500\), no errors, alarms quiet",
        run.left["SUMMARY"],
    ), run.left
    assert run.left["REPORT"] == f"s3://{world.artifacts}/post/{name}/releases/execution-{name}/verify.html"
    assert run.report["passed"]
    assert run.report["problems"] == []
    assert [second["second"] for second in run.report["load"]["by_second"]] == [0, 1, 2, 3, 4]
    assert "passed" in run.page
    assert "http" not in run.page  # it needs no network


def test_everything_that_is_wrong_is_told_at_once(world: World, account: Account) -> None:
    name = unique("wrong")
    arn = world.release(world.checkout(name), forget=7)
    world.checkout(name, features=[{**NUMBER, "maximum": 8}, {**CATEGORY, "values": ["red", "green", "brown"]}])
    alarm = _gone_off(account, f"{world.endpoint(name)}-Errors5xx")
    _gone_off(account, f"{world.endpoint(name)}-2-staging-Errors5xx")

    run = world.verify(name, arn)

    assert run.code == 1
    schema, values, golden, loaded, alarmed = run.report["problems"]
    assert "the maximum of size is 10.0 to it, and 8.0 in model.yaml" in schema
    assert "only one of the two knows these values of colour: blue, brown" in values
    assert golden.startswith("Golden request 8 (application/json) is not answered as stored: the answer.predictions[0]")
    assert "(another answer than stored: " in loaded
    assert alarmed.startswith(f"The alarm {alarm} has gone off")
    assert run.left["REPORT"] in run.said
    assert all(problem in run.said for problem in run.report["problems"])
    assert run.left["SUMMARY"] == f"Failed (5 findings): {schema}"


def test_a_model_that_fails_on_some_rows_and_is_slow_is_named_for_both(world: World) -> None:
    name = unique("slow")
    load = {"requests_per_second": 20, "seconds": 5, "p99_ms": 20}
    arn = world.release(world.checkout(name, load=load), script=SLOW_AND_FAILING)

    run = world.verify(name, arn)

    assert run.code == 1
    problems = "\n".join(run.report["problems"])
    assert re.search(r"Golden request \d+ \(application/json\) is not answered as stored: got 500", problems)
    assert re.search(r"Under load [\d.]+ % of \d+ requests failed \(ModelError 500: \d+\)", problems)
    assert re.search(r"Under load the 99th percentile is [\d,.]+ ms; load.p99_ms allows 20 ms\.", problems)


def test_a_model_that_answers_garbage_is_named(world: World) -> None:
    name = unique("garbage")
    arn = world.release(world.checkout(name), script=ANSWERS_ANYTHING)

    run = world.verify(name, arn)

    assert run.code == 1
    assert "Input 'half a document' must be refused with 4xx; got 200." in run.report["problems"]
    told = [check["problem"] for check in run.report["contract"]]
    assert "Input 'an unknown content type' must be refused with 4xx; got 200." in told


def test_of_another_package_nothing_else_is_asked(world: World) -> None:
    name = unique("other")
    described = world.checkout(name)
    first, second = world.release(described), world.release(described)

    run = world.verify(name, first)

    assert run.report["problems"] == [f"{world.endpoint(name)} runs {second}, not the released {first}."]
    assert run.report["load"] == {}
    assert "Not asked." in run.page


def test_a_package_that_could_not_start_is_told_with_sagemakers_reason(world: World) -> None:
    name = unique("back")
    described = world.checkout(name)
    first = world.release(described)
    second = world.release(described, forget=0)  # the server itself refuses what forgets its first golden answer

    run = world.verify(name, second)

    (sentence,) = run.report["problems"]
    told = f"{world.endpoint(name)} runs {first}, not the released {second}. SageMaker went back to it: "
    assert sentence.startswith(told)
    assert len(sentence) > len(told) + 20


def _alarm(account: Account, name: str) -> str:
    """An alarm on more than one error a minute; its namespace."""
    namespace = unique("space")
    metric = {"Namespace": namespace, "MetricName": "Errors", "Period": 60, "Statistic": "Sum"}
    account.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
        **metric,
    )
    return namespace


def _gone_off(account: Account, name: str) -> str:
    namespace, cloudwatch = _alarm(account, name), account.client("cloudwatch")
    datum = {"MetricName": "Errors", "Value": 5.0, "Timestamp": time.time()}
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=[datum])
    eventually(lambda: cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"] == "ALARM")
    return name
