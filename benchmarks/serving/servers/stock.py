"""AWS's scikit-learn serving stack from its public parts: nginx, gunicorn with gevent, Flask.

The container adds to sagemaker_containers what is here: SageMaker's four functions, loaded by each worker with its
first request. Run as a program it starts nginx and gunicorn as the container does.
"""

import collections
import collections.abc
import os
import sys
import tempfile
from pathlib import Path

# sagemaker_containers was written for Python 3.9; AWS patches its own copy.
collections.Mapping = collections.abc.Mapping

import numpy as np  # noqa: E402
from sagemaker_containers import _encoders, _server, _transformer, _worker  # noqa: E402

FOLDER = Path(os.environ["MODEL_FOLDER"])
application = None


def model_fn(_folder):
    if os.environ["ENGINE"] == "onnx":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(FOLDER / "model" / "model.onnx"), options)
        return lambda rows: session.run(None, {"numbers": rows})[0]
    import joblib

    return joblib.load(FOLDER / "stock.joblib").predict_proba


def input_fn(body, content_type):
    return _encoders.decode(body, content_type).astype(np.float32)


def predict_fn(rows, model):
    # One row of CSV comes without its second dimension.
    return model(rows.reshape(-1, 20))[:, 1]


def output_fn(prediction, accept):
    return _worker.Response(_encoders.encode(prediction, accept), mimetype=accept)


def main(environ, start_response):
    global application
    if application is None:
        functions = {"model_fn": model_fn, "input_fn": input_fn, "predict_fn": predict_fn, "output_fn": output_fn}
        transformer = _transformer.Transformer(**functions)
        transformer.initialize()
        application = _worker.Worker(transform_fn=transformer.transform, module_name="inference")
    return application(environ, start_response)


def serve():
    """Starts both servers, with their socket and files in a folder of their own."""
    scratch = tempfile.mkdtemp(prefix="stock-")
    template = Path(_server.nginx_config_template_file).read_text()
    template = template.replace("/tmp/gunicorn.sock", f"{scratch}/gunicorn.sock").replace(
        "/tmp/nginx.pid", f"{scratch}/pid"
    )
    Path(scratch, "template").write_text(template)
    Path(scratch).chmod(0o755)  # nginx's workers are somebody else
    _server.nginx_config_template_file = f"{scratch}/template"
    _server.nginx_config_file = f"{scratch}/nginx.conf"
    _server.UNIX_SOCKET_BIND = f"unix:{scratch}/gunicorn.sock"
    sys.path.append(str(Path(__file__).parent))
    _server.start("stock:main")


if __name__ == "__main__":
    serve()
