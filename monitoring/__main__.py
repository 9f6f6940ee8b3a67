"""python -m monitoring baseline|profile|report: the command line that jobs and people use."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from monitoring import baseline as baselines
from monitoring import reading, store
from monitoring.errors import MonitoringError
from monitoring.profile import Profile
from monitoring.records import LABELLED_AT
from monitoring.report import report
from monitoring.spec import Spec


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; 0 when it is done, 2 with a sentence on standard error when it is not."""
    try:
        execute(arguments)
    except MonitoringError as error:
        print(f"monitoring: {error}", file=sys.stderr)
        return 2
    return 0


def execute(arguments: Sequence[str] | None) -> None:
    """Runs one command; raises MonitoringError."""
    said = _parser().parse_args(arguments)
    said.run(said)


def _baseline(said: argparse.Namespace) -> None:
    spec = Spec.parse(store.read_json(said.spec))
    fitted = baselines.fit(spec, reading.batches(said.reference, spec.columns))
    store.write_json(said.out, fitted.body())
    _tell(fitted.problems)


def _profile(said: argparse.Namespace) -> None:
    baseline = store.read_baseline(said.baseline)
    if not said.data and not said.labels:
        raise MonitoringError("there is nothing to count; give --data, --labels, or both")
    if said.labels and not baseline.spec.row_id:
        raise MonitoringError(
            "the spec has no row_id, so labels in files of their own find no row; make the baseline with one"
        )
    profile, problems = Profile(baseline), reading.Problems()
    if said.data:
        capture = _capture(baseline.spec)
        _note_columns(profile, reading.schema(said.data, capture=capture))
        for batch in reading.batches(said.data, baseline.spec.columns, capture=capture, problems=problems):
            profile.add(batch)
    if said.labels:
        wanted = (baseline.spec.row_id, baseline.spec.label, LABELLED_AT)
        for batch in reading.batches(said.labels, [name for name in wanted if name]):
            profile.add_labels(batch)
    profile.note(problems.counts)
    store.save(profile, said.out)
    _tell(list(problems))


def _report(said: argparse.Namespace) -> None:
    baseline = store.read_baseline(said.baseline)
    total = Profile(baseline)
    for path in store.profiles(said.profiles):
        total.merge(store.load(baseline, path))
    body = report(total)
    store.write_json(said.out, body)
    if said.html:
        from monitoring.page import page  # noqa: PLC0415  most runs draw nothing

        with store.whole(said.html) as file:
            file.write(page(body).encode())
    print(f"{body['tier']}: {body['why'][0]}")


def _capture(spec: Spec) -> reading.Capture:
    """What captured requests and answers hold."""
    return reading.Capture(tuple(spec.features), spec.scores, spec.prediction, spec.row_id, spec.timestamp)


def _note_columns(profile: Profile, schema: pa.Schema) -> None:
    """Names the columns that nobody watches, so that none is skipped in silence."""
    baseline = profile.baseline
    for field in schema:
        if field.name not in baseline.spec.columns:
            profile.not_monitored[field.name] = f"the spec does not name this column ({field.type})"
    for name in baseline.spec.features:
        if name not in baseline.features:
            profile.not_monitored[name] = "it has no value in the reference"


def _tell(problems: Sequence[str]) -> None:
    for problem in problems:
        print(f"monitoring: {problem}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m monitoring", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    fit = commands.add_parser("baseline", help="fit what is normal from reference data with the model's outputs")
    fit.add_argument("--spec", type=Path, required=True, help="JSON that says what the columns mean")
    fit.add_argument(
        "--reference", nargs="+", required=True, help="files, folders or patterns with the reference's rows"
    )
    fit.set_defaults(run=_baseline)
    count = commands.add_parser("profile", help="count rows, or labels, or both, against a baseline")
    count.add_argument("--data", nargs="+", default=[], help="files, folders or patterns with rows")
    count.add_argument("--labels", nargs="+", default=[], help="files, folders or patterns with labels by row id")
    count.set_defaults(run=_profile)
    tell = commands.add_parser("report", help="add profiles up and say what they mean")
    tell.add_argument("--profiles", nargs="+", type=Path, required=True, help="what `profile` wrote, or folders of it")
    tell.add_argument("--html", type=Path, help="a page for people, beside the JSON")
    tell.set_defaults(run=_report)
    for command in (count, tell):
        command.add_argument("--baseline", type=Path, required=True, help="what `baseline` wrote")
    for command in (fit, count, tell):
        command.add_argument("--out", type=Path, required=True, help="the file to write")
    return parser


if __name__ == "__main__":
    sys.exit(main())
