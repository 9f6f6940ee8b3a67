"""Starts the local AWS, tells the story, and in a terminal stays up."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import threading
from pathlib import Path

from config import ConfigError
from local_aws.account import Account
from local_aws.errors import StartError
from local_aws.rehearsal.failure import RehearsalError
from local_aws.rehearsal.report import Report
from local_aws.rehearsal.story import Story
from local_aws.settings import Settings


def main() -> int:
    report = Report()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    settings = Settings.from_environment()
    account = Account(settings)
    try:
        with report.step("local AWS") as step:
            account.start()
            step.evidence = f"listens on {account.url}"
            _tell_clients(account)
        try:
            Story(account, report).tell()
            ok = True
        except (RehearsalError, ConfigError) as error:
            _say_failure(error, settings.home)
            ok = False
        report.not_rehearsed += getattr(account, "not_rehearsed", [])
        report.write(settings.home / "summary.json", ok=ok)
        report.show()
        if ok and sys.stdin.isatty() and sys.stdout.isatty():
            print('\nThe local AWS stays up. In another terminal: eval "$(make local-env)". Ctrl-C stops it.')
            stop.wait()
    except StartError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopping.")
        return 130 if not (settings.home / "summary.json").exists() else 0
    else:
        return 0 if ok else 1
    finally:
        account.stop()


def _tell_clients(account: Account) -> None:
    """Leaves what `make local-env` prints."""
    variables = account.environment()
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
    (account.settings.home / "environment").write_text("".join(lines))


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _say_failure(error: Exception, home: Path) -> None:
    log = error.log if isinstance(error, RehearsalError) else home
    print(f"\nFailed: {error}\nThe log is at {os.path.relpath(log)}", file=sys.stderr)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # a thread of MiniStack that still waits for something must not keep the process
