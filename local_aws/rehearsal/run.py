"""One run of the local AWS with something to play on it."""

from __future__ import annotations

import logging
import os
import shlex
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from config import ConfigError
from local_aws import home
from local_aws.account import Account
from local_aws.errors import StartError
from local_aws.git_remote import open_remote
from local_aws.rehearsal.failure import RehearsalError
from local_aws.rehearsal.report import Report
from local_aws.settings import REHEARSED_MINUTE, Settings

LOG = logging.getLogger(__name__)


def rehearse(
    play: Callable[[Account, Report], object], minute: float = REHEARSED_MINUTE, report: Report | None = None
) -> NoReturn:
    """Starts the local AWS, plays on it, shows the report, in a terminal stays up, and ends this process.

    A minute of waiting lasts *minute* seconds, unless the environment says otherwise.
    """
    code = _started(play, minute, report or Report())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # a thread of MiniStack that still waits for something must not keep the process


def _started(play: Callable[[Account, Report], object], minute: float, report: Report) -> int:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        return _rehearse(Account(Settings.from_environment(minute_seconds=minute)), report, play)
    except StartError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopping.")
        return 130


def _rehearse(account: Account, report: Report, play: Callable[[Account, Report], object]) -> int:
    try:
        with report.step("local AWS") as step:
            account.start()
            step.evidence = f"listens on {account.url}"
        _tell_clients(account)
        remote = open_remote(account.settings, account.environment())
        ok = _went_well(account, report, play)
        report.not_rehearsed += account.not_rehearsed
        report.write(account.settings.home / "summary.json", ok=ok)
        report.show()
        if ok and sys.stdin.isatty() and sys.stdout.isatty():
            _stay_up(remote)
        return 0 if ok else 1
    finally:
        account.stop()


def _went_well(account: Account, report: Report, play: Callable[[Account, Report], object]) -> bool:
    try:
        play(account, report)
    except (RehearsalError, ConfigError) as error:
        _say_failure(str(error), error.log if isinstance(error, RehearsalError) else account.settings.home)
        return False
    except Exception as error:
        LOG.exception("the rehearsal failed")
        _say_failure(f"{type(error).__name__}: {error}", account.settings.home / home.LOG)
        return False
    return True


def _stay_up(remote: Path) -> None:
    print("\nA push to its main starts the platform pipeline:")
    print(f"git remote add local {shlex.quote(str(remote))}")
    print("git push local main")
    print('\nThe local AWS stays up. In another terminal: eval "$(make local-env)". Ctrl-C stops it.', flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        print("\nStopping.")


def _tell_clients(account: Account) -> None:
    """Leaves what `make local-env` prints."""
    variables = account.environment()
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
    (account.settings.home / "environment").write_text("".join(lines))


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _say_failure(message: str, log: Path) -> None:
    print(f"\nFailed: {message}\nThe log is at {os.path.relpath(log)}", file=sys.stderr)
