from __future__ import annotations

from pathlib import Path

import pytest

from config import ConfigError
from pipelines.container import Container, StepError, run


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ML_ROOT", str(tmp_path))
    return tmp_path


def failing(error: Exception) -> int:
    def step(_: Container) -> None:
        raise error

    return run(step)


def test_without_ml_root_the_folders_are_sagemakers() -> None:
    container = Container.from_environment({})
    assert container.input("data") == Path("/opt/ml/processing/input/data")
    assert container.channel("train") == Path("/opt/ml/input/data/train")


def test_a_step_that_ends_well_exits_with_0_and_says_nothing(root: Path) -> None:
    assert run(lambda container: container.output("train").joinpath("rows").touch()) == 0
    assert not (root / "output").exists()


@pytest.mark.parametrize("error", [StepError("mend the data"), ConfigError("mend the file")])
def test_what_a_person_can_mend_is_said_in_a_sentence(
    root: Path, capfd: pytest.CaptureFixture[str], error: Exception
) -> None:
    assert failing(error) == 1
    for name in ("failure", "message"):
        assert (root / "output" / name).read_text() == str(error)
    assert capfd.readouterr().err == f"{error}\n"


def test_what_nobody_foresaw_has_its_traceback_in_the_log_only(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert failing(KeyError("AGEP")) == 1
    assert (root / "output" / "failure").read_text() == "KeyError: 'AGEP'"
    assert "Traceback" in capfd.readouterr().err


def test_a_long_reason_is_cut_to_what_sagemaker_shows(root: Path) -> None:
    failing(StepError("é" * 2000))
    failure = (root / "output" / "failure").read_bytes()
    assert len(failure) <= 1024
    assert failure.decode() == "é" * 512
