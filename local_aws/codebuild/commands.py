"""Runs the commands of a phase of a buildspec."""

from __future__ import annotations

import time
from collections.abc import Callable

from local_aws.codebuild.builds import Build
from local_aws.codebuild.buildspec import Phase
from local_aws.codebuild.shell import Shell
from local_aws.errors import AwsError


def run_commands(phase: Phase, build: Build, shell: Shell, deadline: float, say: Callable[[str], None]) -> None:
    """Run commands until one fails, then those of `finally`; AwsError COMMAND_EXECUTION_ERROR names the first failure.

    `deadline` is of `time.monotonic`; TimeoutError after it, EndedError when the build is stopped.
    """

    def run(command: str) -> str:
        """What to say of a command: nothing when it succeeded."""
        say(f"Running command {command}")
        succeeding = f"export CODEBUILD_BUILD_SUCCEEDING={int(build.succeeding)}"
        code = shell.run(command, deadline - time.monotonic(), succeeding)
        if code == 0:
            return ""
        say(f"Command did not exit successfully {command} exit status {code}")
        return f"Error while executing command: {command}. Reason: exit status {code}"

    failure = ""
    for command in phase.commands:
        if failure := run(command):
            break
    for command in phase.finally_:
        said = run(command)
        failure = failure or said
    if failure:
        raise AwsError("COMMAND_EXECUTION_ERROR", failure)
