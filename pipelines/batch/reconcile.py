"""Holds what a batch was given against what came of it, and writes down both.

Fails where a row is lost or doubled. Writes the run's summary and, with --capture, its rows with their answers.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from model_server.recording.masking import FILE, Masker
from pipelines.batch import again, first
from pipelines.batch.objects import Objects
from pipelines.batch.places import Places, named
from pipelines.batch.screen import AGAIN
from pipelines.batch.task import Task
from pipelines.container import Container, run
from pipelines.packaging import package, sealing


def reconcile(container: Container) -> None:
    """Everything is read from the bucket and written there: what a folder of the job held could be out of date.

    Only what masks the records is from the input `model`, where --mask is given.
    """
    arguments = _arguments()
    mask = _masker(container) if arguments.mask else None
    if arguments.mask and mask is None:
        print(
            f"not recorded: the package has no {FILE}, so nothing can mask its rows; train the model again", flush=True
        )
    task = Task(
        run=named(arguments.run),
        at=arguments.at,
        package=arguments.package,
        objects=Objects.of(arguments.bucket),
        places=Places(arguments.folder),
        capture="" if arguments.mask and mask is None else arguments.capture,
        mask=mask,
    )
    summary = (again if arguments.mode == AGAIN else first).reconcile(task)
    print(json.dumps({name: value for name, value in summary.items() if name != "objects"}), flush=True)


def _masker(container: Container) -> Masker | None:
    with tempfile.TemporaryDirectory() as scratch:
        return Masker.read(sealing.unpack(container.input("model") / package.ARCHIVE, Path(scratch)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="reconcile", description=__doc__)
    parser.add_argument("--run", required=True, help="the run's name")
    parser.add_argument("--mode", choices=("first", AGAIN), required=True, help="rows that are new, or the quarantine")
    parser.add_argument("--at", required=True, help="when the rows were answered, in ISO 8601")
    parser.add_argument("--package", required=True, help="the ARN of the model package that answered")
    parser.add_argument("--bucket", required=True, help="the records bucket")
    parser.add_argument("--folder", required=True, help="batch/<team>/<model>")
    parser.add_argument("--capture", default="", help="the prefix for records; empty for none")
    parser.add_argument("--mask", action="store_true", help="whether records hide the model's sensitive features")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(run(reconcile))
