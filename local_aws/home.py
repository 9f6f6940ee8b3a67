"""The folder that holds the state of one run."""

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local_aws.errors import StartError

OURS = "local-aws"
LOG = "account.log"
NEEDED_MB = 1000


def prepare(home: Path) -> None:
    """An empty folder for a new run; what an earlier run left is removed, what is not ours is never touched."""
    if home.exists() and any(home.iterdir()) and not (home / OURS).exists():
        raise StartError(
            f"{home} holds files that are not the local AWS's (it has no {OURS!r} in it), and a start empties it; "
            "give another folder with LOCAL_AWS_HOME, or empty this one."
        )
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    free = shutil.disk_usage(home).free // 1_000_000
    if free < NEEDED_MB:
        raise StartError(
            f"Only {free} MB are free for {home}; a run needs {NEEDED_MB}. Make room, or set LOCAL_AWS_HOME."
        )
    (home / OURS).touch()


@contextmanager
def log_to(home: Path) -> Iterator[None]:
    """The log of this process is in the home too; MiniStack would write it to the terminal."""
    handler = logging.FileHandler(home / LOG)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(min(root.level or logging.INFO, logging.INFO))
    logging.getLogger("botocore").setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    yield
    root.removeHandler(handler)
    handler.close()
