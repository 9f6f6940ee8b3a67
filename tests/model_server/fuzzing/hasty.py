"""The server with two seconds of patience instead of twenty: `python -m tests.model_server.fuzzing.hasty`."""

from __future__ import annotations

import runpy

from model_server import bounds

if __name__ == "__main__":
    bounds.PATIENCE_SECONDS = 2
    runpy.run_module("model_server", run_name="__main__")
