"""MiniStack, and every private name of it that we use."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
from typing import Any

from local_aws.errors import StartError
from local_aws.settings import Settings

STATE_MACHINE_WAITS = "0.02"  # jobs take seconds here, not minutes: a wait of 15 s takes 0.3 s
WRITTEN_FOR = "1.5.33"
SEAMS = {
    "app": ("ministack.app", "app", "SERVICE_HANDLERS", "call_service_handler_sync"),
    "evaluator": (
        "ministack.core.iam_evaluator",
        "AuthError",
        "EvalContext",
        "enforce",
        "evaluate_resource_policy",
        "evaluate_trust_policy",
        "pin_request_origin",
        "pin_signed_body",
        "pin_signed_request",
        "resolve_credential",
    ),
    "actions": ("ministack.core.iam_actions", "extract_resource_arn", "request_tag_context"),
    "responses": ("ministack.core.responses", "set_request_account_id", "set_request_region"),
    "iam": ("ministack.services.iam", "_roles", "_gen_secret", "_gen_session_access_key", "_gen_session_token"),
    "sts": ("ministack.services.sts", "register_session", "_sessions", "_role_id"),
    "events": (
        "ministack.services.eventbridge",
        "_put_events",
        "_invoke_target",
        "_apply_input_transformer",
        "_pattern_event_view",
    ),
    "ecr": (
        "ministack.services.ecr",
        "_find_image",
        "_registry_id",
        "_repositories",
        "error_response_json",
        "handle_request",
        "json_response",
    ),
    "kms": ("ministack.services.kms", "_resolve_key"),
    "sns": ("ministack.services.sns", "_error", "_p", "_publish", "_topic_by_arn_any_scope", "topic_policy_allows"),
    "s3": ("ministack.services.s3", "_check_sse_read_headers", "_error", "_head_object", "_resolve_sse_write_headers"),
    "functions": (
        "ministack.services.stepfunctions",
        "_AWS_SDK_ERROR_PREFIX",
        "_AWS_SDK_SERVICE_MAP",
        "_ExecutionError",
        "_apply_jsonata_output",
        "_apply_jsonata_template",
        "_apply_output_path",
        "_apply_result_path",
        "_apply_result_selector",
        "_apply_state_assign",
        "_executions",
        "_invoke_resource",
        "_jsonata_state_field",
        "_map_runs",
        "_next_or_end",
        "_read_map_items",
        "_resolve_params_obj",
        "_resolve_path_or_ctx",
        "_run_distributed_map",
        "_run_execution",
        "_run_sub_machine",
        "_state_machines",
        "_state_query_language",
    ),
    "logs": (
        "ministack.services.cloudwatch_logs",
        "_compile_filter_pattern",
        "_filter_log_events",
        "_log_events_lock",
        "_log_groups",
        "_resolve_log_group_name",
        "json_response",
    ),
    "cloudwatch": (
        "ministack.services.cloudwatch",
        "_alarms",
        "_error",
        "_calc_stats",
        "_dims_from_list",
        "_dims_key",
        "_dispatch_alarm_actions",
        "_evaluate_all_alarms",
        "_evaluate_alarm",
        "_evaluate_parent_alarms",
        "_evict_old_metrics",
        "_metrics",
        "_put_metric_alarm",
        "_record_history",
        "_stat_value",
    ),
    "cbor": ("cbor2", "loads"),  # CloudWatch's protocol; without it MiniStack takes requests for empty ones
    "cloudformation": ("ministack.services.cloudformation", "_ACTION_HANDLERS", "_stacks", "_change_sets"),
    "change_sets": ("ministack.services.cloudformation.changesets", "_evaluate_conditions"),
    "cloudformation_handlers": ("ministack.services.cloudformation.handlers", "_evaluate_conditions"),
    "engine": ("ministack.services.cloudformation.engine", "_evaluate_conditions", "_resolve_refs"),
    "helpers": ("ministack.services.cloudformation.helpers", "_error"),
    "stacks": ("ministack.services.cloudformation.stacks", "_evaluate_conditions", "_runs_on_worker_thread"),
    "provisioners": (
        "ministack.services.cloudformation.provisioners",
        "_CUSTOM_NAME_REPLACEMENT",
        "_REPLACING_PROPERTIES",
        "_RESOURCE_HANDLERS",
        "_STACK_TAG_PROPERTY",
    ),
}


class Emulator:
    """The loaded modules of MiniStack, one attribute each; their state is global, so there is one per process."""

    app: Any
    cbor: Any
    evaluator: Any
    actions: Any
    responses: Any
    iam: Any
    sts: Any
    events: Any
    ecr: Any
    kms: Any
    sns: Any
    s3: Any
    functions: Any
    logs: Any
    cloudwatch: Any
    cloudformation: Any
    change_sets: Any
    cloudformation_handlers: Any
    engine: Any
    helpers: Any
    stacks: Any
    provisioners: Any

    _loaded = False

    def __init__(self, settings: Settings, port: int) -> None:
        if Emulator._loaded:
            raise StartError(
                "An account ran in this process already, and MiniStack keeps its state in its modules; "
                "start the next account in a new process."
            )
        Emulator._loaded = True
        _set_environment(settings, port)
        for attribute, (module, *names) in SEAMS.items():
            setattr(self, attribute, _load(module, names))


def _load(name: str, names: list[str]) -> Any:
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise StartError(
            f"The Python package {name} is missing; run `make setup`, which installs the group `local`."
        ) from error
    missing = [name for name in names if not hasattr(module, name)]
    if missing:
        raise StartError(
            f"{name} has no {', '.join(missing)} in ministack {importlib.metadata.version('ministack')}, and "
            f"local_aws needs it; install ministack {WRITTEN_FOR}, or change local_aws/emulator.py."
        )
    return module


def _set_environment(settings: Settings, port: int) -> None:
    """MiniStack reads its settings from the environment, many of them while it is imported."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "PERSIST_STATE", "S3_PERSIST", "SERVICES", "USE_SSL"):
        os.environ.pop(name, None)
    os.environ.update(
        AUTH="true",
        GATEWAY_PORT=str(port),
        MINISTACK_HOST="127.0.0.1",
        MINISTACK_ACCOUNT_ID=settings.account,
        MINISTACK_REGION=settings.region,
        MOTO_ACCOUNT_ID=settings.account,
        IOT_MTLS_ENABLED="0",  # these two would listen on ports of their own
        SFTP_ENABLED="0",
        LAMBDA_EXECUTOR="local",
        SFN_WAIT_SCALE=STATE_MACHINE_WAITS,
        DOCKER_HOST="unix:///nowhere",  # at its start MiniStack removes containers of other MiniStacks
        AWS_ACCESS_KEY_ID=settings.account,
        AWS_SECRET_ACCESS_KEY=settings.account,
        AWS_DEFAULT_REGION=settings.region,
        AWS_REGION=settings.region,
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
        NO_PROXY="127.0.0.1,localhost",
    )
