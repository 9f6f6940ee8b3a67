"""InvokeEndpoint: a request goes to a variant by weight, to one of its instances, and its answer comes back."""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from local_aws.errors import AwsError
from local_aws.sagemaker.hosting.capture import Capture
from local_aws.sagemaker.hosting.connections import Response
from local_aws.sagemaker.hosting.deployments import Deployment
from local_aws.sagemaker.hosting.endpoints import Endpoints
from local_aws.sagemaker.hosting.metrics import Metrics, Request
from local_aws.sagemaker.hosting.servers import ModelServer
from local_aws.sagemaker.hosting.variants import Variant
from local_aws.service import Invocation

if TYPE_CHECKING:
    from local_aws.account import Account

INVOCATION_SECONDS = 60.0
PAYLOAD_BYTES = 6 * 1024 * 1024
SERVERLESS_PAYLOAD_BYTES = 4 * 1024 * 1024
TARGET = "x-amzn-sagemaker-target-variant"
PASSED_ON = ("content-type", "accept", "x-amzn-sagemaker-custom-attributes", "x-amzn-sagemaker-inference-id")
NO_ANSWER = Response(0, {}, b"")


class Invocations:
    """The runtime of the endpoints."""

    def __init__(self, account: Account, endpoints: Endpoints, metrics: Metrics, capture: Capture) -> None:
        self._account = account
        self._endpoints = endpoints
        self._metrics = metrics
        self._capture = capture

    def invoke(self, name: str, headers: Mapping[str, str], body: bytes) -> Invocation:
        """The container's answer; when that is an error, AwsError ModelError (424) with the container's own status."""
        began = time.perf_counter()
        while True:
            deployment, variant, server = self._lease(name, headers.get(TARGET))
            try:
                _admit(variant, body)
                asked = time.perf_counter()
                response, problem = _ask(server, headers, body)
                break
            except ConnectionRefusedError:  # it has just died and got nothing of the request, so another one may
                server.lose()
            finally:
                server.release()
        model = time.perf_counter() - asked
        overhead = time.perf_counter() - began - model
        now = self._account.calendar.now()
        self._metrics.record(Request(name, variant.name, len(variant.servers), response.status, model, overhead, now))
        failed = not 200 <= response.status < 300
        self._endpoints.counts.count(name, deployment.config["EndpointConfigName"], failed=failed)
        if failed:
            raise self._model_error(name, response, problem)
        self._capture.offer(name, variant.name, deployment.config, server.container.role, headers, body, response)
        answered = {key: value for key, value in response.headers.items() if key in PASSED_ON}
        return Invocation(200, {**answered, "x-amzn-invoked-production-variant": variant.name}, response.body)

    def _lease(self, name: str, target: str | None) -> tuple[Deployment, Variant, ModelServer]:
        while fleets := self._endpoints.choose(name):
            for deployment in fleets:
                if leased := deployment.lease(target):
                    return (deployment, *leased)
            if fleets[0] in self._endpoints.choose(name):  # otherwise it was replaced in this very moment: again
                raise AwsError("ServiceUnavailable", f"No instance of endpoint {name} can take requests now.", 503)
        account = self._account.settings.account
        raise AwsError("ValidationError", f"Endpoint {name} of account {account} not found.")

    def _model_error(self, name: str, response: Response, problem: str) -> AwsError:
        settings = self._account.settings
        message = response.body.decode(errors="replace") or problem
        side = "client" if 400 <= response.status < 500 else "server"
        group = f"/aws/sagemaker/Endpoints/{name}"
        return AwsError(
            "ModelError",
            f'Received {side} error ({response.status}) from primary with message "{message}". See '
            f"https://{settings.region}.console.aws.amazon.com/cloudwatch/home?region={settings.region}"
            f"#logEventViewer:group={group} in account {settings.account} for more information.",
            http.client.FAILED_DEPENDENCY,
            OriginalStatusCode=response.status,
            OriginalMessage=message,
            LogStreamArn=self._account.arn("logs", f"log-group:{group}"),
        )


def _ask(server: ModelServer, headers: Mapping[str, str], body: bytes) -> tuple[Response, str]:
    passed = {name: headers[name] for name in PASSED_ON if name in headers}
    try:
        return server.request("POST", "/invocations", body, passed, INVOCATION_SECONDS), ""
    except TimeoutError:
        return NO_ANSWER, (
            "Your invocation timed out while waiting for a response from container primary. Review the latency "
            "metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
        )
    except ConnectionRefusedError:
        raise
    except (OSError, http.client.HTTPException) as error:
        return NO_ANSWER, f"The container primary closed the connection without an answer: {error!r}."


def _admit(variant: Variant, body: bytes) -> None:
    limit = SERVERLESS_PAYLOAD_BYTES if variant.serverless else PAYLOAD_BYTES
    if len(body) > limit:
        raise AwsError(
            "ValidationError", f"The payload has {len(body)} bytes; an invocation takes {limit} at most.", 413
        )
    if variant.serverless and variant.busy > variant.serverless["MaxConcurrency"]:
        raise AwsError("ThrottlingException", "Rate exceeded", 429)
