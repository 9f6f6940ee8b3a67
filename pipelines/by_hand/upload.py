"""Copies a model's data to the project's data bucket."""

from __future__ import annotations

import sys
from pathlib import Path

from config import Model
from pipelines.by_hand.outputs import stack_output
from pipelines.by_hand.plainly import plainly
from pipelines.stages.surroundings import Surroundings


def main() -> None:
    name, given = (*sys.argv[1:], "", "")[:2]
    around = Surroundings()
    model = around.model(name)
    folder = Path(given or f"data/{model.data.prefix}")
    if not folder.is_dir():
        sys.exit(
            f"FROM is {str(folder)!r}: no such folder; say where the data is: make data MODEL={name} FROM=<folder>"
        )
    count = upload(around, model, folder)
    print(
        f"{count} {'files' if count > 1 else 'file'} of {model.name} {'are' if count > 1 else 'is'} in the data bucket."
    )


def upload(around: Surroundings, model: Model, folder: Path) -> int:
    """Copies every file of *folder* below the model's prefix; gives their number."""
    bucket = stack_output(around.client("cloudformation"), around.names.stack("tooling"), "DataBucketName")
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    for file in files:
        key = f"{model.team}/{model.data.prefix}/{file.relative_to(folder).as_posix()}"
        around.client("s3").upload_file(str(file), bucket, key)
    return len(files)


if __name__ == "__main__":
    with plainly():
        main()
