"""Runs the words of the Makefile against the local AWS, as a person at a keyboard would."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from local_aws.account import Account
from local_aws.rehearsal.failure import RehearsalError

KEPT = ("HOME", "PATH", "LANG", "LC_ALL", "TMPDIR", "TERM", "SSL_CERT_FILE", "TOOLS")
"""What of the caller's environment a command may see: nothing that could lead it to a real account."""


class Commands:
    """Commands in the checkout, with the local account's credentials; their output goes to one file."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.log: Path = account.settings.home / "commands.log"

    def make(self, *words: str) -> str:
        """Runs `make <words>`; gives its output, or raises RehearsalError with the end of it."""
        return self.run(["make", "--no-print-directory", *words])

    def run(self, command: list[str]) -> str:
        """Runs a command to its end; gives its output, or raises RehearsalError with the end of it."""
        lines: list[str] = []
        with self.log.open("a") as log:

            def keep(line: str) -> None:
                lines.append(line)
                print(line, file=log, flush=True)

            keep(f"$ {' '.join(command)}")
            process = self._account.processes.start(
                command,
                name=command[0],
                cwd=self._account.settings.checkout,
                environment=self._environment(),
                on_line=keep,
            )
            code = process.wait()
        if code:
            raise RehearsalError(f"`{' '.join(command)}` ended with {code}:\n" + "\n".join(lines[-25:]), self.log)
        return "\n".join(lines[1:])

    def _environment(self) -> Mapping[str, str]:
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        return kept | self._account.environment()
