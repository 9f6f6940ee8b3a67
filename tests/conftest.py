"""Tests find the tools that `make setup` has installed, and no AWS account but the local one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_TOOLS = Path(sys.executable).parent
os.environ["PATH"] = os.pathsep.join((str(_TOOLS), str(_TOOLS.parents[1] / "node_modules/.bin"), os.environ["PATH"]))
# OpenMP's threads spin while they wait, which costs most where tests share few cores.
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
for name in [name for name in os.environ if name.startswith("AWS_") and name != "AWS_CA_BUNDLE"]:
    del os.environ[name]
