"""Where a batch is in the records bucket."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipelines.container import StepError

_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
PENDING = ".jsonl"
ANSWERS = ".out"


@dataclass(frozen=True)
class Places:
    """The keys of one model's batches; `folder` is `batch/<team>/<model>`, every prefix ends with a slash."""

    folder: str

    def rows(self, run: str) -> str:
        return f"{self.folder}/in/{run}/"

    def accepted(self, run: str) -> str:
        return f"{self.folder}/accepted/{run}/"

    def answers(self, run: str) -> str:
        return f"{self.folder}/out/{run}/"

    def quarantine(self, run: str = "") -> str:
        """Of a run, or of all of them."""
        return f"{self.folder}/quarantine/{run}/" if run else f"{self.folder}/quarantine/"

    def again(self, run: str) -> str:
        """What a run over the quarantine found."""
        return f"{self.folder}/again/{run}/"

    @property
    def summaries(self) -> str:
        return f"{self.folder}/summary/"

    def summary(self, run: str) -> str:
        return f"{self.summaries}{run}.json"

    def screened(self, package: str) -> str:
        """The mark that a package has screened the quarantine."""
        return f"{self.folder}/screened/{package.rpartition('model-package/')[2]}.json"


def named(run: str) -> str:
    """*run*, if it can name one; raises StepError."""
    if not _RUN.fullmatch(run):
        raise StepError(
            f"the run is named {run!r}; use letters, digits, '.', '_' and '-', at most 100, a letter or digit first"
        )
    return run
