"""The peers' environments, made below `.benchmarks/` as those of the servers are."""

from __future__ import annotations

import importlib.metadata

from benchmarks.serving import environments as shared

_ORACLE = shared.ROOT / "tests/monitoring/oracle/requirements.txt"
PACKAGES = {
    "nannyml": (" ".join(_ORACLE.read_text().split()),),
    "evidently": ("evidently==0.7.23 pandas==3.0.6 pyarrow==25.0.1 numpy==2.4.6",),
    "spark": ("pyspark==4.3.0 pandas==2.3.3 pyarrow==25.0.1 numpy==2.4.6",),
}
"""nannyml is the tests' oracle, of the same versions; evidently does not import with pandas 3.1.

Spark's has what the library's own Spark driver needs, on the driver's side and on the workers'.
"""


def python(name: str) -> str:
    """The interpreter of an environment; our own for those that need no other."""
    return shared.python(name, PACKAGES)


def make(name: str) -> None:
    """Makes the environment unless it is there."""
    shared.make(name, PACKAGES)


def versions(name: str) -> dict[str, str]:
    """What is installed there, by package."""
    if name not in PACKAGES:
        return {package: importlib.metadata.version(package) for package in ("numpy", "pyarrow")}
    return shared.installed(python(name))
