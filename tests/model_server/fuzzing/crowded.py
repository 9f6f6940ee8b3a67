"""The server with 8 places and 4 guests: `python -m tests.model_server.fuzzing.crowded`."""

from __future__ import annotations

import runpy

from model_server import bounds

if __name__ == "__main__":
    bounds.CONNECTIONS, bounds.GUESTS = 8, 4
    bounds.GUEST_SECONDS, bounds.KEEP_ALIVE_SECONDS = 12, 3
    runpy.run_module("model_server", run_name="__main__")
