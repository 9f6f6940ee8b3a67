"""`python3 -m model_server`: serves the model under `$ML_ROOT/model` until SIGTERM."""

from __future__ import annotations

import sys
import threading

from model_server.server import Server
from model_server.settings import Settings


def main() -> int:
    """Serves until a signal; the exit code is 0 unless the model could not be served."""
    settings = Settings.from_environment()
    server = Server(settings)
    threading.Thread(target=server.load, args=(settings.model,), daemon=True).start()
    server.run()
    return 1 if server.failed else 0


if __name__ == "__main__":
    sys.exit(main())
