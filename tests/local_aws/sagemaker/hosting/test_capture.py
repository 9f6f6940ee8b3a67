from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.delivery import eventually
from tests.local_aws.sagemaker.stage import Stage


def test_requests_and_answers_are_captured_as_json_lines(stage: Stage) -> None:
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{stage.bucket}/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    }
    name = stage.endpoint(stage.config(stage.variant(stage.model()), DataCaptureConfig=capture))
    stage.runtime.invoke_endpoint(EndpointName=name, Body=b"1 2", ContentType="text/csv", InferenceId="42")
    stage.runtime.invoke_endpoint(EndpointName=name, Body=b"\x00\x01", ContentType="application/x-thing")
    with pytest.raises(ClientError):
        stage.ask(name, "status 400")

    (key,) = eventually(lambda: stage.keys(f"captured/{name}/AllTraffic/"))
    first, second = (json.loads(line) for line in stage.get(f"s3://{stage.bucket}/{key}").splitlines())

    assert re.fullmatch(r".*/\d{4}/\d\d/\d\d/\d\d/\d\d-\d\d-\d{3}-[0-9a-f-]{36}\.jsonl", key)
    assert first["captureData"] == {
        "endpointInput": {"observedContentType": "text/csv", "mode": "INPUT", "data": "1 2", "encoding": "CSV"},
        "endpointOutput": {"observedContentType": "text/csv", "mode": "OUTPUT", "data": "2.0\n4.0", "encoding": "CSV"},
    }
    assert first["eventMetadata"]["inferenceId"] == "42"
    assert first["eventVersion"] == "0"
    assert base64.b64decode(second["captureData"]["endpointInput"]["data"]) == b"\x00\x01"
    assert second["captureData"]["endpointOutput"]["encoding"] == "JSON"
    assert stage.settled(name)["DataCaptureConfig"]["CaptureStatus"] == "Started"


def test_a_serverless_endpoint_cannot_capture(stage: Stage) -> None:
    serverless: dict[str, Any] = {
        "VariantName": "A",
        "ModelName": stage.model(),
        "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1},
    }
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 1,
        "DestinationS3Uri": "s3://a/b",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }

    with pytest.raises(ClientError, match="DataCaptureConfig is not supported for a serverless endpoint"):
        stage.config(serverless, DataCaptureConfig=capture)
