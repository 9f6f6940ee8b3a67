from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.container import StepError
from pipelines.packaging import author


def test_train_py_finds_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "beside_train.py").write_text("NUMBER = 7\n")
    (tmp_path / "train.py").write_text("from beside_train import NUMBER\ndef fit(frame): return NUMBER + frame\n")
    assert author.fit_function(tmp_path)(1) == 8


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "has no train.py; give it `def fit"), ("def train(frame): ...", "has no function fit; write `def fit")],
)
def test_a_missing_fit_is_said(tmp_path: Path, content: str | None, sentence: str) -> None:
    if content:
        (tmp_path / "train.py").write_text(content)
    with pytest.raises(StepError, match=sentence):
        author.fit_function(tmp_path)


def test_inference_code_travels_and_training_code_does_not(tmp_path: Path) -> None:
    code, package = tmp_path / "code", tmp_path / "package"
    (code / "__pycache__").mkdir(parents=True)
    for name in ("model.yaml", "train.py", "inference.py", "neighbour.py", ".secret", "__pycache__/x.pyc"):
        (code / name).touch()
    author.copy_serving_code(code, package)
    assert {file.name for file in (package / "code").iterdir()} == {"inference.py", "neighbour.py"}


def test_a_model_without_inference_py_brings_no_code(tmp_path: Path) -> None:
    (tmp_path / "train.py").touch()
    author.copy_serving_code(tmp_path, tmp_path / "package")
    assert not (tmp_path / "package").exists()
