"""What local_aws takes from MiniStack besides its public face: an upgrade that changes it fails here, in a sentence."""

import importlib
import inspect
from importlib.metadata import version

import pytest

from local_aws.account import Account
from local_aws.emulator import SEAMS, WRITTEN_FOR, Emulator, _load
from local_aws.errors import StartError

CALLED_AS = {
    "ministack.app.call_service_handler_sync": "handler method path headers body query_params timeout",
    "ministack.core.iam_actions.extract_resource_arn": "service method path headers body",
    "ministack.core.iam_actions.request_tag_context": "service iam_action body params",
    "ministack.core.iam_evaluator.enforce": "access_key_id iam_action service region resource_arn service_context",
    "ministack.core.iam_evaluator.evaluate_resource_policy": "doc ctx service",
    "ministack.core.iam_evaluator.evaluate_trust_policy": "trust_doc caller_arn ctx",
    "ministack.core.iam_evaluator.pin_request_origin": "source_ip secure_transport",
    "ministack.core.iam_evaluator.pin_signed_body": "body",
    "ministack.core.iam_evaluator.pin_signed_request": "method raw_path query_params raw_headers handshake",
    "ministack.core.iam_evaluator.resolve_credential": "access_key_id account_id session_token",
    "ministack.services.cloudformation.engine._evaluate_conditions": "template params",
    "ministack.services.cloudformation.helpers._error": "code message status",
    "ministack.services.cloudformation.stacks._runs_on_worker_thread": "resource_type",
    "ministack.services.cloudwatch._dispatch_alarm_actions": "alarm old_state new_state reason",
    "ministack.services.cloudwatch._evaluate_alarm": "alarm",
    "ministack.services.cloudwatch._put_metric_alarm": "params cbor_data is_cbor is_json",
    "ministack.services.cloudwatch._record_history": "alarm_name old_state new_state reason alarm_type reason_data",
    "ministack.services.cloudwatch._stat_value": "stats stat_name points",
    "ministack.services.cloudwatch_logs._compile_filter_pattern": "raw",
    "ministack.services.cloudwatch_logs._filter_log_events": "data",
    "ministack.services.cloudwatch_logs._resolve_log_group_name": "data",
    "ministack.services.eventbridge._invoke_target": "target event rule view",
    "ministack.services.eventbridge._put_events": "data allow_aws_source",
    "ministack.services.kms._resolve_key": "key_id_or_arn",
    "ministack.services.s3._check_sse_read_headers": "headers obj",
    "ministack.services.s3._resolve_sse_write_headers": "headers bucket_name",
    "ministack.services.sns.topic_policy_allows": "topic_arn service source_arn source_account",
    "ministack.services.stepfunctions._invoke_resource": "resource input_data",
    "ministack.services.stepfunctions._run_execution": "exec_arn",
    "ministack.services.sts.register_session": "access_key session",
}


def test_ministack_is_the_one_that_local_aws_was_written_for() -> None:
    assert version("ministack") == WRITTEN_FOR


def test_every_private_name_is_there(account: Account) -> None:
    for attribute, (module, *names) in SEAMS.items():
        assert getattr(account.emulator, attribute).__name__ == module
        assert [name for name in names if not hasattr(account.emulator.__dict__[attribute], name)] == []


@pytest.mark.parametrize("name", CALLED_AS)
def test_what_we_call_or_replace_takes_what_we_give(name: str) -> None:
    module, _, function = name.rpartition(".")
    source = inspect.getsource(importlib.import_module(module))
    (signature,) = [line for line in source.split("\ndef ")[1:] if line.startswith(f"{function}(")]
    head = signature.split(":\n", 1)[0]
    assert [word for word in CALLED_AS[name].split() if word not in head] == []


@pytest.mark.parametrize(
    ("module", "call"),
    [
        ("ministack.app", "from ministack.core.iam_evaluator import AuthError, enforce"),
        ("ministack.services.eventbridge", "_invoke_target(target, event, rule, view)"),
        ("ministack.services.stepfunctions", "app.call_service_handler_sync("),
        ("ministack.services.stepfunctions", "_run_execution, exec_arn"),
        ("ministack.services.cloudwatch", '"PutMetricAlarm": _put_metric_alarm'),
        ("ministack.services.cloudwatch_logs", '"FilterLogEvents": _filter_log_events'),
        ("ministack.services.cloudformation.stacks", "_runs_on_worker_thread(resource_type)"),
        ("ministack.services.cloudformation.stacks", "_evaluate_conditions(template, param_values)"),
    ],
)
def test_what_we_replace_is_looked_up_where_it_is_called(module: str, call: str) -> None:
    assert call in inspect.getsource(importlib.import_module(module))


def test_a_missing_name_is_a_sentence_that_says_what_to_do() -> None:
    with pytest.raises(StartError, match=r"json has no nothing in ministack .*; install ministack 1\.5\.33, or change"):
        _load("json", ["loads", "nothing"])


def test_a_missing_package_is_a_sentence_that_says_what_to_do() -> None:
    with pytest.raises(StartError, match="The Python package no_such_package is missing; run `make setup`"):
        _load("no_such_package", [])


def test_there_is_one_account_per_process(account: Account) -> None:
    with pytest.raises(StartError, match="start the next account in a new process"):
        Emulator(account.settings, 0)
