"""Spark adds up to the same numbers; run where Java is, in an environment of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.monitoring.runs import Workplace, table

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".venv-spark"

pytestmark = pytest.mark.skipif(not shutil.which("java"), reason="Spark needs Java, which is not here")


@pytest.fixture(scope="module")
def python() -> str:
    """The interpreter of an environment with Spark."""
    uv = Path(sys.executable).with_name("uv")
    command = [str(uv), "sync", "--system-certs", "--quiet", "--frozen", "--only-group", "spark"]
    subprocess.run(command, cwd=ROOT, check=True, env=os.environ | {"UV_PROJECT_ENVIRONMENT": str(HOME)})
    return str(HOME / "bin/python")


def numbers(told: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], float]]:
    if isinstance(told, dict):
        for name, each in told.items():
            yield from numbers(each, (*path, name))
    elif isinstance(told, float):
        yield path, told


@pytest.mark.slow
def test_spark_gives_the_same_numbers_without_pandas_on_its_workers(
    python: str, workplace: Workplace, tmp_path: Path
) -> None:
    rows = table(6_000, seed=2, months=3, drift=0.2)
    expected = dict(numbers(workplace.look(rows)["periods"]))
    command = [python, "-m", "tests.monitoring.on_spark", "baseline.json", "data.parquet", "spark"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "SPARK_LOCAL_IP": "127.0.0.1"}
    subprocess.run(command, cwd=tmp_path, check=True, env=environment)
    found = dict(numbers(workplace.report("spark")["periods"]))
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert len(found) > 300
