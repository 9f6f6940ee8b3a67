"""What training, processing and transform jobs have in common: they begin, do their work once, and end."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from local_aws.errors import AwsError
from local_aws.sagemaker import events, shapes
from local_aws.sagemaker.kinds import Kind
from local_aws.sagemaker.shelf import Shelf
from local_aws.sagemaker.storage import StorageError
from local_aws.sagemaker.tags import Tags

if TYPE_CHECKING:
    from local_aws.account import Account

LOG = logging.getLogger(__name__)
DAY_SECONDS = 86_400


class JobError(Exception):
    """The work failed; the message is the FailureReason."""


class JobStoppedError(Exception):
    """The work ended because it was asked to, or because its time was over."""


class Job:
    """One job while it runs; `root` is its disk, gone when it ends."""

    def __init__(self, name: str, params: Mapping[str, Any], root: Path) -> None:
        self.name = name
        self.params = params
        self.root = root
        self.done = threading.Event()
        self.stopping = threading.Event()
        seconds = params.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", DAY_SECONDS)
        self._deadline = time.monotonic() + seconds

    @property
    def overdue(self) -> bool:
        """Whether its MaxRuntimeInSeconds are over."""
        return time.monotonic() > self._deadline

    def check(self) -> None:
        """Raise JobStoppedError when it has to end."""
        if self.stopping.is_set() or self.overdue:
            raise JobStoppedError


class Jobs:
    """The jobs of one kind."""

    kind: ClassVar[Kind]

    def __init__(self, account: Account, tags: Tags) -> None:
        self.account = account
        self.shelf = Shelf(account, self.kind, tags)
        self._jobs: dict[str, Job] = {}

    def work(self, job: Job) -> dict[str, Any]:
        """Do the job; the members that its description gains. Raises JobError or JobStoppedError."""
        raise NotImplementedError

    def begin(self, params: Mapping[str, Any], **members: Any) -> dict[str, Any]:
        """Start a job in the background; the answer of its Create operation."""
        name = params[self.kind.key]
        item = self.shelf.add(name, params, **{self.kind.status: "InProgress"}, **members)
        self._jobs[name] = Job(name, params, self.account.settings.home / "sagemaker" / self.kind.path / name)
        self.account.background(f"{self.kind.path} {name}", lambda: self._run(self._jobs[name]))
        return {self.kind.arn: item[self.kind.arn]}

    def describe(self, params: dict[str, Any]) -> dict[str, Any]:
        """The answer of its Describe operation."""
        return shapes.answer(f"Describe{self.kind.name}", self.shelf.find(params[self.kind.key]))

    def end(self, params: dict[str, Any]) -> dict[str, Any]:
        """Do its Stop operation."""
        item = self.shelf.find(params[self.kind.key])
        words = self.kind.path.replace("-", " ")
        status = item[self.kind.status]
        refusal = AwsError(
            "ValidationException", f"The request was rejected because the {words} is in status {status}."
        )
        self.report(self.shelf.move(item[self.kind.key], "Stopping", before=("InProgress",), refusal=refusal))
        self._jobs[item[self.kind.key]].stopping.set()
        return {}

    def wait(self, name: str) -> None:
        """Return when the job has ended."""
        self._jobs[name].done.wait()

    def update(self, job: Job, **members: Any) -> None:
        """Change members of a running job's description."""
        self.shelf.update(job.name, **members)

    def report(self, item: Mapping[str, Any]) -> None:
        """Tell EventBridge about a change of status."""
        events.job(self.account, self.kind, item)

    def ended(self, item: Mapping[str, Any], status: str, reason: str | None) -> dict[str, Any]:
        """The members that a description gains at the end."""
        prefix = self.kind.name.removesuffix("Job")
        times = {f"{prefix}EndTime": datetime.now(UTC)} if f"{prefix}StartTime" in item else {}
        return {self.kind.status: status, "FailureReason": reason, **times}

    def _run(self, job: Job) -> None:
        status, reason, gained = "Failed", None, {}
        try:
            self.report(self.shelf.find(job.name))
            gained = self.work(job)
            status = "Completed"
        except JobStoppedError:
            status = "Stopped"
        except JobError as failure:
            reason = str(failure)
        except AwsError as error:
            reason = f"ClientError: {error.message}"
        except Exception as error:
            LOG.exception("%s %s failed by a mistake of ours", self.kind.name, job.name)
            reason = f"InternalServerError: the local AWS made a mistake, its log says which ({error!r})"
        finally:
            shutil.rmtree(job.root, ignore_errors=True)
            item = self.shelf.update(job.name, **gained, **self.ended(self.shelf.find(job.name), status, reason))
            job.done.set()
            self.report(item)


@contextmanager
def failing_as(what: str) -> Iterator[None]:
    """A refusal of S3 in here fails the job, for the reason "ClientError: what:details"."""
    try:
        yield
    except StorageError as error:
        raise JobError(f"ClientError: {what}:{error}") from error
