"""`python3 -m model_server`: serves the model under `$ML_ROOT/model` until SIGTERM."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from model_server.settings import Settings
from model_server.supervisor import Supervisor, work
from model_server.watching.log import log


def main(arguments: Sequence[str]) -> int:
    """Serves until a signal; the exit code is 0 unless the model could not be served.

    SageMaker's own argument, `serve`, says nothing that is not done anyway.
    """
    # Requests run side by side; threads of one that spin against another's cost more than they bring (measured: 16x).
    for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    try:
        settings = Settings.from_environment()
    except ValueError as error:
        log({"event": "failed", "message": str(error)})
        return 1
    if arguments[:1] == ["worker"]:
        work(settings, *map(int, arguments[1:]))
        return 0
    return Supervisor(settings).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
