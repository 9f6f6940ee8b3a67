"""Starts one release for each model that this commit affects."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from config import Model
from pipelines.stages.registry import Package
from pipelines.stages.surroundings import Surroundings

SHARED = ("config", "model_server", "monitoring", "pipelines", "uv.lock")
"""What every model's training and serving depend on."""


@dataclass(frozen=True)
class Settings:
    """The environment of the build."""

    revision: str
    revision_type: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        return cls(revision=environment["REVISION"], revision_type=environment["REVISION_TYPE"])


def main() -> None:
    around, settings = Surroundings(), Settings.read(os.environ)
    released: list[str] = []
    for model in around.models:
        reason = why_release(around, model)
        if reason:
            released.append(model.name)
            execution = _release(around, settings, model, reason)
            print(f"{model.name}: {reason} Release {execution} started.")
        else:
            print(f"{model.name}: not affected by this commit.")
    around.leave(SUMMARY=f"{len(released)} of {len(around.models)} models to release: {', '.join(released) or 'none'}.")


def why_release(around: Surroundings, model: Model) -> str | None:
    """The reason to release *model* now, or None."""
    champion = Package.newest_approved(around.client("sagemaker"), around.names.package_group(model.name))
    if champion is None:
        return "It has no package yet."
    since = champion.metadata.get("commit", "")
    changed = changed_files(around.root, since, (f"model_code/{model.name}", *SHARED))
    if changed is None:
        return f"Its package was trained at commit {since[:8] or 'unknown'}, which this history does not hold."
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        return f"{changed[0]}{more} changed since its package of commit {since[:8]}."
    return None


def changed_files(root: Path, since: str, paths: tuple[str, ...]) -> list[str] | None:
    """Files below *paths* that differ between commit *since* and now; None if there is no such commit here."""
    command = ["git", "diff", "--name-only", since, "HEAD", "--", *paths]
    found = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return found.stdout.split() if since and found.returncode == 0 else None


def _release(around: Surroundings, settings: Settings, model: Model, reason: str) -> str:
    return around.client("codepipeline").start_pipeline_execution(
        name=around.names.delivery_pipeline("release"),
        variables=[{"name": "MODEL", "value": model.name}, {"name": "REASON", "value": reason}],
        sourceRevisions=[
            {"actionName": "Source", "revisionType": settings.revision_type, "revisionValue": settings.revision}
        ],
    )["pipelineExecutionId"]


if __name__ == "__main__":
    main()
