"""The servers that are compared, and one of them while it runs."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.serving import environments
from benchmarks.serving.model import Payload

HOST = "127.0.0.1"
WORKERS = 2
_SERVERS = Path(__file__).with_name("servers")


@dataclass(frozen=True)
class Server:
    """How one is started; `body` puts rows of JSON into its form, and CSV is not asked of those that do not read it."""

    name: str
    environment: str
    command: Callable[[Path, int], list[str]]
    variables: Mapping[str, str]
    body: Callable[[bytes], bytes] = bytes
    route: str = "/invocations"
    ready: str = "/ping"
    reads_csv: bool = True


class Running:
    """A server that answers its health check; `seconds` is how long that took."""

    def __init__(self, server: Server, folder: Path, port: int) -> None:
        self.server = server
        self.port = port
        variables = environments.clean(MODEL_FOLDER=str(folder), **server.variables)
        variables = {name: value.format(folder=folder, port=port) for name, value in variables.items()}
        log = (folder / f"{server.name}.log").open("wb")
        started = time.perf_counter()
        self._process = subprocess.Popen(
            server.command(folder, port), env=variables, cwd=folder, stdout=log, stderr=log, start_new_session=True
        )
        self._wait(folder)
        self.seconds = time.perf_counter() - started

    def send(self, payload: Payload, timeout: float = 120) -> tuple[int, bytes]:
        """One request on a connection of its own."""
        headers = {"Content-Type": payload.content_type, "Accept": payload.content_type}
        return self._request("POST", self.server.route, self.body(payload), headers, timeout)

    def ping(self, timeout: float = 5) -> int:
        """The status of the health check."""
        return self._request("GET", self.server.ready, b"", {}, timeout)[0]

    def body(self, payload: Payload) -> bytes:
        """The payload in this server's form."""
        return self.server.body(payload.body) if payload.content_type == "application/json" else payload.body

    def cpu_seconds(self) -> float:
        """Of the whole process tree, since each began."""
        return sum(sum(process.cpu_times()[:2]) for process in self._tree())

    def memory_mb(self) -> float:
        """The proportional set size of the whole process tree."""
        return sum(process.memory_full_info().pss for process in self._tree()) / 1e6

    def stop(self) -> None:
        """Ends it, and whatever it started."""
        tree = self._tree()
        self._process.send_signal(signal.SIGTERM)
        _, alive = psutil.wait_procs(tree, timeout=20)
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def _tree(self) -> list[psutil.Process]:
        parent = psutil.Process(self._process.pid)
        return [parent, *parent.children(recursive=True)]

    def _wait(self, folder: Path) -> None:
        deadline = time.monotonic() + 120
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.ping() == http.client.OK:
                    return
            if time.monotonic() > deadline or self._process.poll() is not None:
                end = (folder / f"{self.server.name}.log").read_text()[-2000:]
                raise RuntimeError(f"{self.server.name} did not become ready; its log ends with: {end}")
            time.sleep(0.01)

    def _request(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], timeout: float
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=timeout)
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


def _stock(_folder: Path, _port: int) -> list[str]:
    return [environments.python("stock"), str(_SERVERS / "stock.py")]


_STOCK = {
    "ENGINE": "sklearn",
    "SAGEMAKER_BIND_TO_PORT": f"{HOST}:{{port}}",  # goes into nginx's `listen` as it is
    "SAGEMAKER_BASE_DIR": "{folder}/stock",
    "PATH": f"{environments.HOME / 'stock' / 'bin'}{os.pathsep}{os.environ['PATH']}",
}
_ONE_THREAD = {"OMP_NUM_THREADS": "1"}
_INSTANCES: Callable[[bytes], bytes] = lambda rows: b'{"instances":' + rows + b"}"  # noqa: E731


def _open_inference(rows: bytes) -> bytes:
    matrix = json.loads(rows)
    tensor = {"name": "rows", "shape": [len(matrix), len(matrix[0])], "datatype": "FP32", "data": matrix}
    return json.dumps({"inputs": [tensor], "outputs": [{"name": "predict_proba"}]}).encode()


SERVERS = (
    Server(
        "ours",
        "",
        lambda _folder, _port: [sys.executable, "-m", "model_server"],
        {
            "ML_ROOT": "{folder}",
            "BIND_HOST": HOST,
            "SAGEMAKER_BIND_TO_PORT": "{port}",
            "SAGEMAKER_MODEL_SERVER_WORKERS": str(WORKERS),
            "PYTHONPATH": str(environments.ROOT),
        },
        _INSTANCES,
    ),
    Server("stock-omp1", "stock", _stock, _STOCK | _ONE_THREAD),
    Server("stock", "stock", _stock, _STOCK),
    Server("stock-onnx", "stock", _stock, _STOCK | _ONE_THREAD | {"ENGINE": "onnx"}),
    Server(
        "fastapi",
        "fastapi",
        lambda _folder, port: [
            *(environments.python("fastapi"), "-m", "uvicorn", "fastapi_app:app", "--app-dir", str(_SERVERS)),
            *("--workers", str(WORKERS), "--port", str(port), "--no-access-log"),
        ],
        _ONE_THREAD,
        _INSTANCES,
        reads_csv=False,
    ),
    Server(
        "mlserver",
        "mlserver",
        lambda folder, _port: [
            str(Path(environments.python("mlserver")).with_name("mlserver")),
            "start",
            str(folder / "mlserver"),
        ],
        _ONE_THREAD | {"MLSERVER_HTTP_PORT": "{port}"},
        _open_inference,
        route="/v2/models/model/infer",
        ready="/v2/models/model/ready",
        reads_csv=False,
    ),
    Server(
        "bentoml",
        "bentoml",
        lambda _folder, port: [
            str(Path(environments.python("bentoml")).with_name("bentoml")),
            *("serve", "bento_service:Model", "--working-dir", str(_SERVERS), "--host", HOST, "--port", str(port)),
        ],
        _ONE_THREAD | {"BENTOML_DO_NOT_TRACK": "true"},
        _INSTANCES,
        ready="/readyz",
        reads_csv=False,
    ),
    Server(
        "constant",
        "",
        lambda _folder, port: [sys.executable, str(_SERVERS / "constant.py"), str(port), str(WORKERS)],
        {},
        ready="/",
    ),
)


def write_settings(folder: Path, port: int) -> None:
    """The files that MLServer wants to be started with; its other two servers take the ports after *port*."""
    place = folder / "mlserver"
    place.mkdir()
    model = {
        "name": "model",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": str(folder / "mlserver.joblib")},
    }
    ports = {"http_port": port, "grpc_port": port + 1, "metrics_port": port + 2}
    (place / "settings.json").write_text(json.dumps({"host": HOST, "parallel_workers": WORKERS, **ports}))
    (place / "model-settings.json").write_text(json.dumps(model))


def probability(answer: bytes) -> float:
    """The first row's probability in any server's answer: its first number below 1, in MLServer's the second."""
    numbers = [float(text) for text in re.findall(rb"(?<![\w.])0\.\d+(?:e-\d+)?", answer)]
    return numbers[1] if b"predict_proba" in answer else numbers[0]
