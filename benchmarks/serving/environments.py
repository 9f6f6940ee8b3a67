"""An environment of its own for each peer, made once below `.benchmarks/`."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".benchmarks"
SERVERS = Path(__file__).with_name("servers")

# Of AWS's image for scikit-learn 1.9; NumPy and SciPy are the newest that Python 3.11 has. sagemaker-containers asks
# for libraries of 2019 that its own image replaces, so it comes without its wishes.
_STOCK = (
    "scikit-learn==1.9.0 numpy==2.4.6 scipy==1.17.1 pandas==2.2.3 pyarrow==25.0.0 flask==3.1.3 gevent==26.5.0 "
    "gunicorn==26.0.0 werkzeug==3.1.8 six==1.17.0 retrying==1.4.2 boto3==1.43.106 psutil setuptools<81 "
    "onnxruntime==1.31.1 joblib"
)
_WITHOUT_WISHES = "sagemaker-containers==2.8.6.post2 protobuf==3.20.3"
PACKAGES: Mapping[str, tuple[str, ...]] = {
    "stock": (_STOCK, _WITHOUT_WISHES),
    "fastapi": ("fastapi==0.165.0 uvicorn[standard]==0.54.0 scikit-learn==1.9.0 joblib",),
    "mlserver": ("mlserver==1.7.1 mlserver-sklearn==1.7.1 uvloop==0.21.0",),
    "bentoml": ("bentoml==1.4.40 scikit-learn==1.9.0 joblib",),
}
"""What each environment gets, by name; a second entry is installed without its dependencies."""


def python(name: str, packages: Mapping[str, tuple[str, ...]] = PACKAGES) -> str:
    """The interpreter of an environment; our own for those that need no other."""
    return str(HOME / name / "bin" / "python") if name in packages else sys.executable


def make(name: str, packages: Mapping[str, tuple[str, ...]] = PACKAGES) -> None:
    """Makes the environment unless it is there; a changed list of packages makes it anew."""
    done = HOME / name / ".packages"
    if name not in packages or (done.exists() and done.read_text() == str(packages[name])):
        return
    print(f"installing {name} ...", flush=True)
    _uv("venv", "--clear", "--python", sys.executable, str(HOME / name))
    for place, wanted in enumerate(packages[name]):
        alone = ["--no-deps"] if place else []
        _uv("pip", "install", "--compile-bytecode", "--python", python(name, packages), *alone, *wanted.split())
    done.write_text(str(packages[name]))


def versions(name: str) -> dict[str, str]:
    """What is installed there, by package."""
    if name not in PACKAGES:
        ours = ("uvicorn", "uvloop", "httptools", "onnxruntime", "numpy", "orjson", "pyarrow")
        return {package: importlib.metadata.version(package) for package in ours}
    return installed(python(name))


def installed(interpreter: str) -> dict[str, str]:
    """What an environment holds, by package."""
    listed = json.loads(_uv("pip", "list", "--format", "json", "--python", interpreter))
    return {each["name"]: each["version"] for each in listed}


def clean(**more: str) -> dict[str, str]:
    """The variables of this process for one that is measured: bytecode is kept, and threads are as in its image."""
    dropped = ("PYTHONDONTWRITEBYTECODE", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OMP_NUM_THREADS")
    return {name: value for name, value in os.environ.items() if name not in dropped} | more


def prepare(folder: Path) -> None:
    """Fits and packages the model in a process of its own."""
    _run(sys.executable, "-m", "benchmarks.serving.model", str(folder))


def fit(folder: Path, name: str) -> None:
    """The same model fitted by the environment's own scikit-learn, as <name>.joblib."""
    _run(python(name), str(SERVERS / "fit.py"), str(folder), str(folder / f"{name}.joblib"))


def _run(*command: str) -> None:
    done = subprocess.run(command, env=clean(), cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:3])} failed: {done.stderr[-2000:]}")


def _uv(*arguments: str) -> str:
    command = [str(Path(sys.executable).with_name("uv")), *arguments, "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, env=clean(), check=False)
    if done.returncode:
        raise RuntimeError(f"uv {' '.join(arguments[:2])} failed: {done.stderr[-2000:]}")
    return done.stdout
