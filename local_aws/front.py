"""The one door: every request comes in here, and goes to the service it is signed for."""

import asyncio
import contextvars
import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from local_aws.authorization import Authorization, new_request
from local_aws.emulator import Emulator
from local_aws.errors import AwsError
from local_aws.protocol import plain, read, service_model, write
from local_aws.service import Permission, Service

LOG = logging.getLogger(__name__)
SIGNED = re.compile(rb"Credential=([^/,]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
INVOCATION = re.compile(r"/endpoints/([^/]+)/invocations")
WORKERS = 128
JSON = "application/x-amz-json-1.1"

Answer = tuple[int, Mapping[str, str], bytes]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Front:
    """An ASGI application: our services by the name in the request's signature, MiniStack for all others."""

    def __init__(self, emulator: Emulator, authorization: Authorization, services: Mapping[str, Service]) -> None:
        self._emulator = emulator
        self._authorization = authorization
        self._services = services
        self.before_answer: dict[str, Callable[[], Awaitable[None]]] = {}  # by the name of a service of MiniStack
        # Threads of our own: MiniStack's pool must stay free for the calls that our services make to MiniStack.
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="service")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            scope = {**scope, "scheme": "https"}  # on AWS it would be, and bucket policies deny what is not
            signed = SIGNED.search(dict(scope["headers"]).get(b"authorization", b""))
            request = new_request(signed[1].decode() if signed else "")
            service = self._services.get(signed[3].decode()) if signed else None
            if signed and service:
                self._pin(scope, signed[1].decode(), signed[2].decode())
                answering = partial(self._answer, service, scope, signed[1].decode(), await _read_body(receive))
                work = partial(contextvars.copy_context().run, answering)
                answer = await asyncio.get_running_loop().run_in_executor(self._workers, work)
                await _send(send, answer, request)
                return
            waiting = self.before_answer.get(signed[3].decode()) if signed else None
            send = _after(waiting, send) if waiting else send
        await self._emulator.app.app(scope, receive, send)

    def close(self) -> None:
        """Take no more work."""
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _pin(self, scope: Scope, access_key: str, region: str) -> None:
        """Tell MiniStack's evaluator about the request, as its own application does."""
        evaluator, responses = self._emulator.evaluator, self._emulator.responses
        evaluator.pin_request_origin(scope["client"][0], secure_transport=True)
        responses.set_request_account_id(access_key)
        responses.set_request_region(region)
        query = parse_qs(scope["query_string"].decode(), keep_blank_values=True)
        evaluator.pin_signed_request(scope["method"], scope["raw_path"].decode("latin-1"), query, scope["headers"])

    def _answer(self, service: Service, scope: Scope, access_key: str, body: bytes) -> Answer:
        self._emulator.evaluator.pin_signed_body(body)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        invoked = INVOCATION.fullmatch(scope["path"])
        try:
            if invoked:
                return self._invoke(service, invoked[1], headers, access_key, body)
            return self._call(service, headers.get("x-amz-target", "").rpartition(".")[2], access_key, body)
        except AwsError as error:
            return _refusal(error)
        except Exception:
            LOG.exception("%s failed at %s %s", service.name, scope["path"], headers.get("x-amz-target", ""))
            message = "The local AWS made a mistake; its log says which (account.log in its home)."
            return _refusal(AwsError("InternalFailure", message, 500))

    def _call(self, service: Service, operation: str, access_key: str, body: bytes) -> Answer:
        model = service_model(service.name)
        if operation not in model.operation_names:
            raise AwsError("UnknownOperationException", f"{service.name} has no operation {operation!r}.")
        shapes = model.operation_model(operation)
        params = read(shapes.input_shape, body, service.invalid)
        for permission in service.permissions(operation, params):
            self._authorization.require(access_key, service.name, permission)
        answer = service.call(operation, params, self._authorization.caller(access_key))
        return 200, {"content-type": JSON}, write(shapes.output_shape, answer)

    def _invoke(
        self, service: Service, endpoint: str, headers: Mapping[str, str], access_key: str, body: bytes
    ) -> Answer:
        arn = service.account.arn("sagemaker", f"endpoint/{endpoint.lower()}")
        self._authorization.require(access_key, service.name, Permission("sagemaker:InvokeEndpoint", arn))
        return service.invoke_endpoint(endpoint, headers, body)


def _after(waiting: Callable[[], Awaitable[None]], send: Send) -> Send:
    async def send_then(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            await waiting()
        await send(message)

    return send_then


async def _read_body(receive: Receive) -> bytes:
    parts = []
    more = True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


async def _send(send: Send, answer: Answer, request: str) -> None:
    status, headers, body = answer
    fields = {**headers, "content-length": str(len(body)), "x-amzn-requestid": request}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


def _refusal(error: AwsError) -> Answer:
    content = {"__type": error.code, "message": error.message, "Message": error.message, **error.members}
    return error.status, {"content-type": JSON, "x-amzn-errortype": error.code}, json.dumps(plain(content)).encode()
