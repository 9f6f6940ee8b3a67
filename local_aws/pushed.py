"""What happens after a push to the repository of the local AWS: its hook runs this, and git shows what it prints."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from botocore.exceptions import EndpointConnectionError

from config import ConfigError
from config.project import S3Source
from pipelines.by_hand.push import put
from pipelines.stages.surroundings import Surroundings

BRANCH = "refs/heads/main"
START_SECONDS = 10.0
LOOK_SECONDS = 0.2
QUERY = "actionExecutionDetails[].[stageName,status,output.executionResult.externalExecutionSummary]"


def main() -> None:
    checkout, repository = map(Path, sys.argv[1:])
    for line in sys.stdin:
        old, new, ref = line.split()
        if ref == BRANCH:
            _deliver(Surroundings(checkout), repository, old, new)
        else:
            print(f"{ref.removeprefix('refs/heads/')} is kept, and starts nothing: only a push to main does.")


def _deliver(around: Surroundings, repository: Path, old: str, new: str) -> None:
    """Puts the commit where the platform pipeline looks; where that fails main goes back, and a push tries again."""
    delivered = False
    try:
        _start(around, repository, new)
        delivered = True
    except EndpointConnectionError:
        print("The local AWS does not run any more; start it with: make local")
    except ConfigError as error:
        print(error)
    except SystemExit as refused:
        print(refused.code)
    finally:
        if not delivered:
            restore = ["update-ref", BRANCH, old] if int(old, 16) else ["update-ref", "-d", BRANCH]
            subprocess.run(["git", *restore], cwd=repository, check=True)
            print("Nothing starts, and main is where it was before; push again when that is mended.")


def _start(around: Surroundings, repository: Path, commit: str) -> None:
    source, pipeline = around.project.source, around.names.delivery_pipeline("platform")
    if not isinstance(source, S3Source):
        sys.exit(f"project.yaml: source.kind is {source.kind!r}, and {pipeline} does not look here; it must be s3.")
    client = around.client("codepipeline")
    try:
        before = set(_executions(client, pipeline))
    except client.exceptions.PipelineNotFoundException:
        sys.exit(f"There is no pipeline {pipeline} yet; it comes with: make delivery")
    put(around, source, repository, commit)
    print(f"Commit {commit[:8]} is the source of {pipeline} now.")
    execution = _new(client, pipeline, before)
    if not execution:
        print(f"No execution of it has started within {START_SECONDS:.0f} seconds; look at its rule in EventBridge.")
        return
    print(
        f"Execution {execution} has started. In the end it releases the models that the commit affects. To follow it:"
    )
    print('  eval "$(make local-env)"')
    asked = ["--pipeline-name", pipeline, "--filter", f"pipelineExecutionId={execution}", "--query", QUERY]
    print(f"  aws codepipeline list-action-executions {shlex.join(asked)} --output text")


def _executions(client: Any, pipeline: str) -> list[str]:
    """The newest executions, the newest first."""
    found = client.list_pipeline_executions(pipelineName=pipeline)["pipelineExecutionSummaries"]
    return [each["pipelineExecutionId"] for each in found]


def _new(client: Any, pipeline: str, before: Collection[str]) -> str:
    """The execution that was not there before, as soon as it is; empty where none comes."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        for execution in _executions(client, pipeline):
            if execution not in before:
                return execution
        time.sleep(LOOK_SECONDS)
    return ""


if __name__ == "__main__":
    main()
