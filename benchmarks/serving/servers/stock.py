"""AWS's scikit-learn serving stack of its public parts: nginx, gunicorn with gevent, sagemaker_containers and Flask.

The container itself is in no package index; what it adds for one model is here: SageMaker's four functions, loaded by
each worker with its first request. Run as a program it starts nginx and gunicorn as the container does.
"""

import collections
import collections.abc
import functools
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

# sagemaker_containers was written for Python 3.9; AWS patches its own copy.
setattr(collections, "Mapping", collections.abc.Mapping)  # noqa: B010

import numpy as np  # noqa: E402
from sagemaker_containers import _encoders, _server, _transformer, _worker  # noqa: E402

FOLDER = Path(os.environ["MODEL_FOLDER"])
Scored = Callable[[np.ndarray], np.ndarray]


def model_fn(_folder: str) -> Scored:
    if os.environ["ENGINE"] == "onnx":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(FOLDER / "model" / "model.onnx"), options)
        return lambda rows: session.run(None, {"numbers": rows})[0]
    import joblib

    return joblib.load(FOLDER / "stock.joblib").predict_proba


def input_fn(body: str, content_type: str) -> np.ndarray:
    return _encoders.decode(body, content_type).astype(np.float32)


def predict_fn(rows: np.ndarray, model: Scored) -> np.ndarray:
    # One row of CSV comes without its second dimension.
    return model(rows.reshape(-1, 20))[:, 1]


def output_fn(prediction: np.ndarray, accept: str) -> Any:
    return _worker.Response(_encoders.encode(prediction, accept), mimetype=accept)


@functools.cache
def application() -> Any:
    transformer = _transformer.Transformer(model_fn, input_fn, predict_fn, output_fn)
    transformer.initialize()
    return _worker.Worker(transform_fn=transformer.transform, module_name="inference")


def main(environ: dict[str, Any], start_response: Any) -> Any:
    return application()(environ, start_response)


def serve() -> None:
    """Starts both servers, with their socket and files in a folder of their own."""
    scratch = Path(tempfile.mkdtemp(prefix="stock-", dir=FOLDER))
    scratch.chmod(0o755)  # nginx's workers are somebody else
    template = Path(_server.nginx_config_template_file).read_text()
    for name in ("gunicorn.sock", "nginx.pid"):
        template = template.replace(f"/tmp/{name}", str(scratch / name))
    (scratch / "template").write_text(template)
    _server.nginx_config_template_file = str(scratch / "template")
    _server.nginx_config_file = str(scratch / "nginx.conf")
    _server.UNIX_SOCKET_BIND = f"unix:{scratch / 'gunicorn.sock'}"
    sys.path.append(str(Path(__file__).parent))
    _server.start("stock:main")


if __name__ == "__main__":
    serve()
