"""Models that bring SageMaker's four functions, or some of them."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from model_server.errors import PackageError
from model_server.loading import load
from model_server.script import Scripted
from model_server.testing import Client
from tests.model_server.cases import CSV, JSON, NPY, npy

AS_FOR_AWS = """
import json
import os

import numpy as np
from beside import scale


def model_fn(model_dir):
    assert os.path.isdir(model_dir)
    return {"scale": scale}


def input_fn(request_body, request_content_type):
    assert isinstance(request_body, str)
    if request_content_type == "application/json":
        return np.array(json.loads(request_body)["values"], dtype=float)
    raise ValueError(f"{request_content_type} is not supported")


def predict_fn(input_data, model):
    return input_data * model["scale"]


def output_fn(prediction, accept):
    if accept == "application/json":
        return json.dumps(prediction.tolist()), accept
    return ",".join(map(str, prediction))
"""


def package(folder: Path, script: str, base: Path | None = None) -> Path:
    if base:
        shutil.copytree(base, folder, dirs_exist_ok=True)
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "inference.py").write_text(script)
    (folder / "code" / "beside.py").write_text("scale = 10\n")
    return folder


def test_a_script_written_for_awss_containers_runs_unchanged(tmp_path: Path) -> None:
    client = Client(package(tmp_path, AS_FOR_AWS))
    response = client.invoke('{"values": [1, 2.5]}')
    assert (response.status, response.type, response.body) == (200, JSON, b"[10.0, 25.0]")
    response = client.invoke('{"values": [1, 2.5]}', accept=CSV)
    assert (response.type, response.body) == (CSV, b"10.0,25.0")


@pytest.mark.parametrize(("body", "content_type"), [("{", JSON), ('{"values": ["x"]}', JSON), ("1", CSV)])
def test_what_its_input_fn_cannot_read_is_the_callers_fault(tmp_path: Path, body: str, content_type: str) -> None:
    response = Client(package(tmp_path, AS_FOR_AWS)).invoke(body, content_type)
    assert response.status == 400
    assert json.loads(response.body)["code"] == "malformed"


def test_what_fails_later_is_ours(tmp_path: Path) -> None:
    broken = AS_FOR_AWS.replace('model["scale"]', 'model["gone"]')
    response = Client(package(tmp_path, broken)).invoke('{"values": [1]}')
    assert response.status == 500
    assert b"gone" not in response.body


def test_output_fn_alone_gets_the_exported_models_predictions(tmp_path: Path, parcels: Path) -> None:
    script = """
def output_fn(prediction, accept):
    return f"{len(prediction)} rows, first {prediction.values()[0]}", "text/plain"
"""
    response = Client(package(tmp_path / "p", script, parcels)).invoke("9,red\n9,blue\n", CSV)
    assert (response.type, response.body) == ("text/plain", b"2 rows, first 1")


def test_predict_fn_alone_gets_checked_columns(tmp_path: Path, parcels: Path) -> None:
    script = """
def predict_fn(columns, model):
    return columns["size"][:, 0] * 2
"""
    client = Client(package(tmp_path / "p", script, parcels))
    assert client.invoke("1,red\n2,blue\n", CSV, accept=JSON).body == b"[2.0,4.0]"
    assert client.invoke("1,red\n2,blue\n", CSV).body == b"2.0\n4.0\n"
    assert client.invoke("1,red\n2,blue\n", CSV, accept="application/jsonlines").body == b"2.0\n4.0\n"
    assert client.invoke("1,pink\n", CSV).status == 422


def test_model_fn_alone_is_asked_to_predict_a_matrix_in_the_order_of_the_features(
    tmp_path: Path, parcels: Path
) -> None:
    script = """
class Own:
    def predict(self, matrix):
        return [[float(row[0]), len(row[1])] for row in matrix]

def model_fn(model_dir):
    return Own()
"""
    client = Client(package(tmp_path / "p", script, parcels))
    assert client.invoke('{"instances": [{"colour": "green", "size": 4}]}').body == b"[[4.0,5.0]]"
    assert client.invoke("4,green\n", CSV).body == b"4.0,5.0\n"


def test_without_a_signature_the_script_must_read_requests_itself(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match=r"no signature\.json, so its inference\.py must give model_fn"):
        Client(package(tmp_path, "def predict_fn(data, model): ..."))


def test_two_models_of_one_process_keep_their_own_scripts(tmp_path: Path) -> None:
    one = Client(package(tmp_path / "one", AS_FOR_AWS))
    two = Client(package(tmp_path / "two", AS_FOR_AWS.replace("* model", "+ model")))
    assert one.invoke('{"values": [1]}').body == b"[10.0]"
    assert two.invoke('{"values": [1]}').body == b"[11.0]"


def test_an_unknown_type_that_its_input_fn_reads_is_answered_in_json(tmp_path: Path) -> None:
    script = """
def model_fn(model_dir): return None
def input_fn(body, content_type): return list(body)
def predict_fn(data, model): return data
"""
    response = Client(package(tmp_path, script)).invoke(b"\x01\x02", "application/x-own")
    assert (response.type, response.body) == (JSON, b"[1,2]")


INFERENCE_PIPELINE = '''
import json
import os
from io import StringIO

import numpy as np


def model_fn(model_dir):
    """Weights that training saved."""
    return np.load(os.path.join(model_dir, "weights.npy"))


def input_fn(input_data, content_type):
    """CSV whose first column may be a label, as the first of two containers gets it."""
    if content_type == "text/csv":
        rows = np.genfromtxt(StringIO(input_data), delimiter=",", ndmin=2)
        return rows[:, 1:] if rows.shape[1] == 4 else rows
    raise ValueError("{} not supported by script!".format(content_type))


def predict_fn(input_data, model):
    return input_data @ model


def output_fn(prediction, accept):
    if accept == "application/json":
        instances = [{"features": row} for row in np.atleast_2d(prediction).tolist()]
        return json.dumps({"instances": instances}), accept
    if accept == "text/csv":
        return "\\n".join(map(str, prediction)), accept
    raise RuntimeError("{} accept type is not supported by this script.".format(accept))
'''


def test_a_script_in_the_form_of_awss_scikit_learn_examples_is_served_unchanged(tmp_path: Path) -> None:
    folder = package(tmp_path, INFERENCE_PIPELINE)
    np.save(folder / "weights.npy", np.array([1.0, 10.0, 100.0]))
    client = Client(folder)
    assert client.ping().status == 200
    with_labels, without = "7,1,2,3\n8,4,5,6\n", "1,2,3\n4,5,6\n"
    assert client.invoke(without, CSV, CSV).body == b"321.0\n654.0"
    assert client.invoke(with_labels, CSV).body == b'{"instances": [{"features": [321.0, 654.0]}]}'
    assert client.invoke("1,2,3", CSV, CSV).body == b"321.0"
    assert client.invoke("{}", JSON).status == 400
    assert client.invoke(without, CSV, "image/png").status == 500


def test_model_fn_alone_gets_arrays_as_from_awss_containers(tmp_path: Path) -> None:
    script = """
class Sum:
    def predict(self, rows):
        assert rows.ndim == 2
        return rows.sum(axis=1)

def model_fn(model_dir):
    return Sum()
"""
    client = Client(package(tmp_path, script))
    assert client.invoke("1,2\n3,4\n", CSV).body == b"3.0\n7.0\n"
    assert client.invoke("1,2\n", CSV, JSON).body == b"[3.0]"
    assert client.invoke("[[1, 2], [3, 4]]").body == b"[3,7]"
    assert client.invoke(npy(np.ones((2, 2))), NPY, JSON).body == b"[2.0,2.0]"
    assert np.load(io.BytesIO(client.invoke("1,2\n", CSV, NPY).body)).tolist() == [3.0]
    assert client.invoke("1,x\n", CSV).status == 400
    assert client.invoke("1,2\n", "application/x-own").status == 415
    assert client.invoke("1,2\n", CSV, "application/vnd.apache.parquet").status == 406


def test_the_program_may_be_named_otherwise(tmp_path: Path) -> None:
    folder = package(tmp_path, AS_FOR_AWS)
    (folder / "code" / "inference.py").rename(folder / "code" / "serve.py")
    assert isinstance(load(folder, Path("code/serve.py")), Scripted)
    with pytest.raises(PackageError, match=r"SAGEMAKER_PROGRAM names gone\.py, and .* has no code/gone\.py"):
        load(folder, Path("code/gone.py"))
