"""SageMaker's container contract: where a job finds its inputs, puts its outputs, and says why it failed."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config import ConfigError

_LONGEST_MESSAGE = 1024
_HIDDEN = "(its message is hidden, because it may quote a row with sensitive features)"


class StepError(Exception):
    """A job cannot go on; the message says what is wrong and what to do."""


@contextmanager
def discreet(*, sensitive: bool) -> Iterator[None]:
    """What a library or an author's code says in an exception may quote a row: of a *sensitive* model nobody is told.

    Where it was raised is printed all the same.
    """
    try:
        yield
    except Exception as error:
        if not sensitive or isinstance(error, ConfigError) or not (foreign := _foreign(error)):
            raise
        traceback.print_tb(foreign[-1].__traceback__)
        raise StepError(unquoted(error)) from None


def unquoted(error: BaseException) -> str:
    """What an exception says, less the messages of exceptions that are not ours."""
    said = str(error) if isinstance(error, StepError) else f"{type(error).__name__}: {error}"
    for each in filter(str, _foreign(error)):
        said = said.replace(str(each), _HIDDEN)
    return said


def _foreign(error: BaseException) -> list[BaseException]:
    """An exception and what it came of, less those whose sentences are ours."""
    before = error.__cause__ or error.__context__
    rest = _foreign(before) if before else []
    return rest if isinstance(error, StepError) else [error, *rest]


@dataclass(frozen=True)
class Container:
    """The folders of a processing or training job below `root`, which is `/opt/ml` on SageMaker."""

    root: Path

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Container:
        """Reads ML_ROOT."""
        return cls(Path(environment.get("ML_ROOT", "/opt/ml")))

    def input(self, name: str) -> Path:
        """An input of a processing job."""
        return self.root / "processing" / "input" / name

    def output(self, name: str) -> Path:
        """An output of a processing job; made if need be."""
        return _made(self.root / "processing" / "output" / name)

    def channel(self, name: str) -> Path:
        """A channel of a training job."""
        return self.root / "input" / "data" / name

    def model(self) -> Path:
        """What a training job leaves here becomes its model.tar.gz; made if need be."""
        return _made(self.root / "model")

    def fail(self, message: str) -> None:
        """Tells SageMaker why: `failure` is read from training jobs, `message` from processing jobs."""
        folder = _made(self.root / "output")
        for name in ("failure", "message"):
            (folder / name).write_bytes(message.encode()[:_LONGEST_MESSAGE].decode(errors="ignore").encode())


def run(step: Callable[[Container], None]) -> int:
    """Runs *step* as a program; the exit code."""
    container = Container.from_environment()
    try:
        step(container)
    except (StepError, ConfigError) as error:
        message = str(error)
    except Exception as error:  # noqa: BLE001  SageMaker shows nothing else of a job
        traceback.print_exc()
        message = f"{type(error).__name__}: {error}"
    else:
        return 0
    print(message, file=sys.stderr, flush=True)
    container.fail(message)
    return 1


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
