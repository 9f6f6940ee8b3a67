"""The servers that are compared."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.serving import environments
from benchmarks.serving.environments import SERVERS as _SERVERS
from benchmarks.serving.server import HOST, WORKERS, Server


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


def probabilities(answer: bytes, content_type: str) -> list[float]:
    """Each row's, in any server's answer; of JSON, which only ever has one row, the first number between 0 and 1.

    MLServer gives the probability of both classes.
    """
    if content_type == "text/csv":
        return [float(line.partition(b",")[0]) for line in answer.splitlines()]
    numbers = [float(text) for text in re.findall(rb"(?<![\w.])0\.\d+(?:e-\d+)?", answer)]
    return numbers[1:2] if b"predict_proba" in answer else numbers[:1]
