"""Puts the repository where an S3 source looks for it."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from config.project import S3Source
from pipelines.by_hand.outputs import stack_output
from pipelines.by_hand.plainly import plainly
from pipelines.by_hand.snapshot import snapshot, write_zip
from pipelines.stages.surroundings import Surroundings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--if-s3", action="store_true", help="do nothing when the source is not S3")
    arguments = parser.parse_args()
    around = Surroundings()
    source = around.project.source
    if isinstance(source, S3Source):
        print(f"{push(around, source)} is in the artifacts bucket.")
    elif not arguments.if_s3:
        sys.exit(f"project.yaml: source.kind is {source.kind!r}; push with git, only a source of kind s3 needs this.")


def push(around: Surroundings, source: S3Source) -> str:
    """Uploads the zip; gives the commit that is in it."""
    commit = snapshot(around.root)
    put(around, source, around.root, commit.commit)
    return str(commit)


def put(around: Surroundings, source: S3Source, repository: Path, commit: str) -> None:
    """Uploads a zip of *repository*, which may be a bare one, at *commit*."""
    bucket = stack_output(around.client("cloudformation"), around.names.stack("tooling"), "ArtifactsBucketName")
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "source.zip"
        write_zip(repository, commit, archive)
        around.client("s3").upload_file(str(archive), bucket, source.key)


if __name__ == "__main__":
    with plainly():
        main()
