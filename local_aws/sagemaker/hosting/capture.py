"""Data capture: requests and answers of an endpoint as JSON Lines in S3, as SageMaker writes them."""

from __future__ import annotations

import base64
import json
import logging
import random
import uuid
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

from local_aws.errors import AwsError
from local_aws.sagemaker import roles
from local_aws.sagemaker.hosting.connections import Response
from local_aws.sagemaker.storage import split

if TYPE_CHECKING:
    from local_aws.account import Account

LOG = logging.getLogger(__name__)
CHANCE = random.SystemRandom()
ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"
INFERENCE = "x-amzn-sagemaker-inference-id"


class Captured(NamedTuple):
    """One request with its answer, before it is written."""

    file: tuple[str, str, str, str, str]  # endpoint, variant, role, destination, KMS key
    time: datetime
    config: Mapping[str, Any]
    headers: Mapping[str, str]
    body: bytes
    response: Response


class Capture:
    """What endpoints capture; a request only leaves it here, a thread writes it within a few seconds."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._waiting: deque[Captured] = deque()

    def offer(
        self,
        endpoint: str,
        variant: str,
        config: Mapping[str, Any],
        role: str,
        headers: Mapping[str, str],
        body: bytes,
        response: Response,
    ) -> None:
        """Capture a request if the endpoint's configuration says so and the sample falls on it."""
        capture = config.get("DataCaptureConfig")
        if not capture or not capture.get("EnableCapture"):
            return
        if CHANCE.random() * 100 < capture["InitialSamplingPercentage"]:
            file = (endpoint, variant, role, capture["DestinationS3Uri"], capture.get("KmsKeyId", ""))
            self._waiting.append(Captured(file, self._account.calendar.now(), capture, headers, body, response))

    def write(self) -> None:
        """Write what was captured since the last time: a file for each variant and hour."""
        files: dict[tuple[str, ...], list[Captured]] = defaultdict(list)
        for captured in [self._waiting.popleft() for _ in range(len(self._waiting))]:
            files[*captured.file, f"{captured.time:%Y/%m/%d/%H}"].append(captured)
        for records in files.values():
            self._write(records)

    def _write(self, records: list[Captured]) -> None:
        endpoint, variant, role, destination, kms_key = records[0].file
        bucket, prefix = split(destination)
        time = records[0].time
        name = f"{time:%M-%S}-{time.microsecond // 1000:03}-{uuid.uuid4()}.jsonl"
        key = "/".join(filter(None, (prefix.strip("/"), endpoint, variant, f"{time:%Y/%m/%d/%H}", name)))
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
        content = "".join(json.dumps(_record(captured)) + "\n" for captured in records).encode()
        try:
            roles.client(self._account, "s3", role).put_object(Bucket=bucket, Key=key, Body=content, **encryption)
        except (
            ClientError,
            AwsError,
        ) as error:  # on AWS too, what cannot be written is lost, and requests are answered
            LOG.warning("%d captured requests of %s could not be written: %s", len(records), endpoint, error)


def _record(captured: Captured) -> dict[str, Any]:
    modes = {option["CaptureMode"] for option in captured.config["CaptureOptions"]}
    data: dict[str, Any] = {}
    if modes & {"Input", "InputAndOutput"}:
        data["endpointInput"] = _side("INPUT", captured.headers, captured.body, captured.config)
    if modes & {"Output", "InputAndOutput"}:
        data["endpointOutput"] = _side("OUTPUT", captured.response.headers, captured.response.body, captured.config)
    event: dict[str, Any] = {"eventId": str(uuid.uuid4()), "inferenceTime": f"{captured.time:%Y-%m-%dT%H:%M:%SZ}"}
    if INFERENCE in captured.headers:
        event["inferenceId"] = captured.headers[INFERENCE]
    if ATTRIBUTES in captured.headers:
        event["customAttributes"] = [captured.headers[ATTRIBUTES]]
    return {"captureData": data, "eventMetadata": event, "eventVersion": "0"}


def _side(mode: str, headers: Mapping[str, str], body: bytes, config: Mapping[str, Any]) -> dict[str, str]:
    kind = headers.get("content-type", "")
    encoding = _encoding(kind.partition(";")[0].strip(), config.get("CaptureContentTypeHeader", {}))
    data = base64.b64encode(body).decode() if encoding == "BASE64" else body.decode(errors="replace")
    return {"observedContentType": kind, "mode": mode, "data": data, "encoding": encoding}


def _encoding(kind: str, given: Mapping[str, Iterable[str]]) -> str:
    """CSV and JSON are kept as text, everything else as base64; the configuration may name other types of the two."""
    if kind in given.get("CsvContentTypes", ("text/csv",)):
        return "CSV"
    return "JSON" if kind in given.get("JsonContentTypes", ("application/json",)) else "BASE64"
