"""Objects as requests, and answers as objects: the part of a transform job that one instance does."""

from __future__ import annotations

import http.client
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from local_aws.sagemaker.hosting.connections import Response
from local_aws.sagemaker.hosting.servers import ModelServer
from local_aws.sagemaker.jobs.lifecycle import Job
from local_aws.sagemaker.storage import Storage, StoredObject

MEGABYTE = 1024 * 1024


class BadRecordError(Exception):
    """An object cannot be transformed; the message is the kind of error, its lines are in the log."""


class Batches:
    """Transforms objects: each is split, sent, put together again, and stored if all went well."""

    def __init__(
        self,
        job: Job,
        params: Mapping[str, Any],
        server: ModelServer,
        storage: Storage,
        log: Callable[[str], None],
    ) -> None:
        self._job = job
        self._server = server
        self._storage = storage
        self._log = log
        self._workers = params["MaxConcurrentTransforms"]
        self._limit = params["MaxPayloadInMB"] * MEGABYTE
        self._single = params["BatchStrategy"] == "SingleRecord"
        self._lines = params["TransformInput"].get("SplitType", "None") == "Line"
        self._output = params["TransformOutput"]
        client = params.get("ModelClientConfig", {})
        self._seconds = client.get("InvocationsTimeoutInSeconds", 600)
        self._retries = client.get("InvocationsMaxRetries", 3)
        given = {"content-type": params["TransformInput"].get("ContentType"), "accept": self._output.get("Accept")}
        self._headers = {name: value for name, value in given.items() if value}

    def run(self, objects: list[StoredObject]) -> list[str]:
        """Transform objects; the kinds of error of those that failed. A failed object leaves nothing in S3."""
        with ThreadPoolExecutor(self._workers) as senders, ThreadPoolExecutor(self._workers) as readers:
            outcomes = list(readers.map(lambda item: self._outcome(senders, item), objects))
        return [outcome for outcome in outcomes if outcome]

    def _outcome(self, senders: ThreadPoolExecutor, item: StoredObject) -> str | None:
        try:
            self._transform(senders, item)
        except BadRecordError as error:
            return str(error)
        return None

    def _transform(self, senders: ThreadPoolExecutor, item: StoredObject) -> None:
        folder = self._server.root / "batch"
        source = self._storage.fetch(item, folder)
        target = source.with_name(f"{source.name}.out")
        with target.open("wb") as out:
            for answer in self._answers(senders, item, source):
                out.write(answer)
                # A newline after every answer, but not a second one after an answer that ends with one.
                if self._output.get("AssembleWith") == "Line" and not answer.endswith(b"\n"):
                    out.write(b"\n")
        uri = f"{self._output['S3OutputPath'].rstrip('/')}/{item.path}.out"
        self._storage.upload(target, uri, self._output.get("KmsKeyId"))
        source.unlink()
        target.unlink()

    def _answers(self, senders: ThreadPoolExecutor, item: StoredObject, source: Path) -> Iterator[bytes]:
        """The answers in the order of the requests, of which few wait at a time, however long the object is."""
        waiting: deque[Future[bytes]] = deque()
        try:
            for payload in self._payloads(item, source):
                self._job.check()
                waiting.append(senders.submit(self._ask, item, payload))
                if len(waiting) > 2 * self._workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

    def _payloads(self, item: StoredObject, source: Path) -> Iterator[bytes]:
        if not self._lines:
            yield self._fitting(item, source.read_bytes())
            return
        batch, size = [], 0
        with source.open("rb") as file:
            for line in file:
                if batch and (self._single or size + len(line) > self._limit):
                    yield b"".join(batch)
                    batch, size = [], 0
                batch.append(self._fitting(item, line))
                size += len(line)
        if batch:
            yield b"".join(batch)

    def _fitting(self, item: StoredObject, payload: bytes) -> bytes:
        if len(payload) > self._limit:
            self._say(
                item, f"ClientError: a record of {len(payload)} bytes exceeds MaxPayloadInMB ({self._limit} bytes)"
            )
            raise BadRecordError("ClientError")
        return payload

    def _ask(self, item: StoredObject, payload: bytes) -> bytes:
        for attempt in range(1 + self._retries):
            try:
                response = self._server.request("POST", "/invocations", payload, self._headers, self._seconds)
            except (OSError, http.client.HTTPException) as error:
                response = Response(0, {}, repr(error).encode())
            if 200 <= response.status < 300:
                return response.body
            if 400 <= response.status < 500 or not self._server.alive or attempt == self._retries:
                break
        kind = "ClientError" if 400 <= response.status < 500 else "AlgorithmError"
        self._say(item, f"{kind}: {response.status}")
        self._say(item, "")
        self._say(item, "Message:")
        for line in response.body.decode(errors="replace").splitlines():
            self._say(item, line)
        raise BadRecordError(kind)

    def _say(self, item: StoredObject, text: str) -> None:
        self._log(f"{item.bucket}/{item.key}: {text}")
