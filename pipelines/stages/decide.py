"""Tells people what a release would change in production, and whether the rule approves it or a person must.

Leaves APPROVAL (needed, given, none) and SUMMARY, which is what the one who approves reads first. It runs in every
release, also in one that has nothing to approve: a pipeline cannot ask for a variable of a stage that was skipped.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from config import Model
from config.naming import NOTHING
from pipelines.packaging.archive import ArchiveError, read
from pipelines.packaging.package import CARD
from pipelines.stages.comparing import Comparison, Decision, decision
from pipelines.stages.registry import Package
from pipelines.stages.running import serving
from pipelines.stages.surroundings import Surroundings
from pipelines.stages.telling import number, pipeline_link, tell

LONGEST = 900
"""Characters of SUMMARY: what an approval shows may have 1,000."""
COMMITS = 10
_LONGEST_CARD = 10 * 1024 * 1024


@dataclass(frozen=True)
class Settings:
    """The environment of the build."""

    model: str
    package: str
    reason: str
    execution: str
    outcome: str
    trained: str
    topic: str
    bucket: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        names = ("MODEL", "PACKAGE", "REASON", "EXECUTION", "OUTCOME", "TRAINED", "TOPIC", "ARTIFACTS_BUCKET")
        return cls(*(environment.get(name, NOTHING) for name in names))


@dataclass(frozen=True)
class Verified:
    """What Verify has found, in a line, and where its report is."""

    summary: str
    bucket: str
    report: str

    @classmethod
    def read(cls, s3: Any, bucket: str, team: str, model: str, execution: str) -> Self:
        folder = f"{team}/{model}/releases/{execution}"
        found = json.load(s3.get_object(Bucket=bucket, Key=f"{folder}/verify.json")["Body"])
        return cls(found["summary"], bucket, f"{folder}/verify.html")


@dataclass(frozen=True)
class Side:
    """A package, and what its card says."""

    package: Package
    card: Mapping[str, Any]

    @classmethod
    def read(cls, s3: Any, package: Package) -> Self:
        return cls(package, card(s3, package))

    @property
    def commit(self) -> str:
        return self.package.metadata.get("commit", "") or self.card.get("commit", "")

    def __str__(self) -> str:
        return f"{number(self.package.arn)}, commit {self.commit[:8]}, data {self.card['data_version'][:12]}"


def main() -> None:
    around, settings = Surroundings(), Settings.read(os.environ)
    if settings.outcome != "registered":
        around.leave(APPROVAL="none", SUMMARY=f"Nothing to approve. {settings.trained}")
        return
    sagemaker, s3 = around.client("sagemaker"), around.client("s3")
    model = around.model(settings.model).in_environment("production")
    serves = serving(sagemaker, around.names.endpoint(model.name, "production"))
    challenger = Side.read(s3, Package.describe(sagemaker, settings.package))
    champion = Side.read(s3, serves) if serves else None
    verified = Verified.read(s3, settings.bucket, model.team, model.name, settings.execution)
    found = Comparison.of(challenger.card)
    decided = decision(model.approval, model.promotion, serves, challenger.package, found)
    text = "\n".join(message(around, settings, model, challenger, champion, found, decided, verified))
    print(text)
    tell(around.client("sns"), settings.topic, _subject(model, settings, decided), text)
    around.leave(APPROVAL="given" if decided.given else "needed", SUMMARY=summary(settings, found, decided, verified))


def card(s3: Any, package: Package) -> dict[str, Any]:
    """The card in a package's model.tar.gz: its evaluation, its data version, its commit."""
    with tarfile.open(fileobj=io.BytesIO(package.content(s3))) as archive:
        try:
            return json.loads(read(archive, CARD, _LONGEST_CARD))
        except ArchiveError as error:
            sys.exit(f"Nothing is known of {package.arn}: {error}. Train the model again.")


def message(
    around: Surroundings,
    settings: Settings,
    model: Model,
    challenger: Side,
    champion: Side | None,
    found: Comparison,
    decided: Decision,
    verified: Verified,
) -> Iterator[str]:
    """What people read, line by line."""
    yield f"{model.name}: {'it goes on by itself' if decided.given else 'somebody has to approve'}. {decided.why}"
    yield f"Reason: {settings.reason}"
    yield f"Challenger: {challenger}"
    yield f"Champion: {champion or 'none; production runs no package yet'}"
    yield ""
    yield f"The gate: {found.gate}"
    yield from (f"  {pair}" for pair in found.metrics)
    if found.periods:
        yield "By period, after training:"
        yield from (f"  {pair}" for pair in found.periods)
    if champion and found.rival != champion.package.model_data:
        yield f"The champion of these numbers is {found.rival}, not what production runs now."
    yield f"Training: {settings.trained}"
    yield f"Staging: {verified.summary}"
    yield ""
    yield from changes(around.root, champion.commit if champion else "", challenger.commit, model.name)
    yield ""
    yield from links(around, settings, model, verified)


def changes(root: Path, since: str, until: str, model: str) -> Iterator[str]:
    """The commits between two packages that may matter to the model, newest first."""
    if not since or not until or since == until:
        yield "Code: the same commit." if since and since == until else "Code: there is nothing to compare it with."
        return
    rest = [".", ":(exclude)model_code", ":(exclude)docs"]
    paths = {"the model": [f"model_code/{model}"], "what all models share": rest}
    for what, within in paths.items():
        command = [
            "git",
            "log",
            "--format=%h %an: %s",
            f"--max-count={COMMITS + 1}",
            f"{since}..{until}",
            "--",
            *within,
        ]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        if done.returncode:
            yield f"Code: this history does not hold both {since[:8]} and {until[:8]}."
            return
        lines = done.stdout.splitlines()
        yield f"Commits to {what} since {since[:8]}:{'' if lines else ' none'}"
        yield from (f"  {line}" for line in lines[:COMMITS])
        if len(lines) > COMMITS:
            yield "  ... and more"


def links(around: Surroundings, settings: Settings, model: Model, verified: Verified) -> Iterator[str]:
    """Where to look."""
    region = around.client("s3").meta.region_name
    console = f"https://{region}.console.aws.amazon.com"
    dashboard = around.names.dashboard("production", model.name)
    yield f"Report: {console}/s3/object/{verified.bucket}?region={region}&prefix={verified.report}"
    yield f"Release: {pipeline_link(around, settings.execution)}"
    yield f"Dashboard: {console}/cloudwatch/home?region={region}#dashboards/dashboard/{dashboard}"


def summary(settings: Settings, found: Comparison, decided: Decision, verified: Verified) -> str:
    """One line without quotes, which later actions may take into their configuration."""
    said = f"{decided.why} {found.gate}. {verified.summary} Reason: {settings.reason}"
    plain = " ".join(said.replace('"', "'").replace("\\", "/").split())
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 3]}..."


def _subject(model: Model, settings: Settings, decided: Decision) -> str:
    what = "goes on by its rule" if decided.given else "waits for approval"
    return f"{model.name}: {number(settings.package)} {what}"


if __name__ == "__main__":
    main()
