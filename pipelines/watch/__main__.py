"""python3 -m pipelines.watch: judges all models of a team, as a SageMaker Processing job."""

from __future__ import annotations

import sys

from pipelines.container import run
from pipelines.watch.job import work

if __name__ == "__main__":
    sys.exit(run(work))
