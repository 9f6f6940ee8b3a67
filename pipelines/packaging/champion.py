"""The package that serves now, measured on the same rows as its challenger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from config.model import Model, Promotion
from config.naming import NOTHING
from model_server.errors import PackageError
from model_server.scoring import Model as Packaged
from pipelines.container import StepError
from pipelines.packaging import metrics, package, sealing
from pipelines.rows.columns import model_columns
from pipelines.rows.splitting import HOLDOUT

FAR = 1e9
"""Worse than any challenger: below every metric, above every error."""


@dataclass(frozen=True)
class Champion:
    """Where the champion's package is, its metrics on held-out rows, which those are, and why it has none if so."""

    uri: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""
    rows: str = HOLDOUT

    def to_json(self, promotion: Promotion) -> dict[str, Any]:
        """`value` is its promotion metric, `bar` what a challenger must reach; both are beaten by any without one."""
        value = self.metrics.get(promotion.metric)
        beaten_by_any = FAR if promotion.is_error else -FAR
        return {
            "uri": self.uri,
            "rows": self.rows,
            "metrics": {name: {"value": found} for name, found in self.metrics.items()},
            "value": beaten_by_any if value is None else value,
            "bar": beaten_by_any if value is None else promotion.bar(value),
            "reason": self.reason,
        }


def fetch(uri: str, folder: Path) -> Packaged | str:
    """The champion at *uri*, unpacked into *folder*, or the reason why there is none to measure.

    Raises StepError if there is one and it cannot be downloaded.
    """
    if uri == NOTHING:
        return "no package has been released yet"
    archive = _download(uri, folder.with_name(f"{folder.name}.archive"))
    try:
        unpacked = sealing.unpack(archive, folder)
    except PackageError as error:
        return f"the champion's package is not trusted: {error}"
    try:
        return Packaged.read(unpacked)
    except PackageError as error:
        return f"the champion needs another image than this: {error}"


def measure(uri: str, model: Packaged | str, challenger: Model, rows: pa.Table, name: str = HOLDOUT) -> Champion:
    """Measures the champion on the rows of that name, on which its challenger is measured too."""
    if isinstance(model, str):
        return Champion(uri, reason=model, rows=name)
    own = [feature for feature in challenger.features if feature.name in model.signature.names]
    gone = set(model.signature.names).difference(feature.name for feature in own)
    if gone or model.signature.target != challenger.target:
        missing = ", ".join(sorted(gone)) or f"the target {model.signature.target}"
        return Champion(uri, reason=f"the champion needs {missing}, which the data no longer has", rows=name)
    truth = rows[challenger.target].to_numpy()
    return Champion(uri, metrics.measure(truth, model.score(model_columns(rows, own))), rows=name)


def _download(uri: str, folder: Path) -> Path:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not key:
        raise StepError(f"--champion is {uri!r}; give the s3:// URI of a model.tar.gz, or {NOTHING!r}")
    import boto3  # noqa: PLC0415  a first release needs no AWS
    from botocore.exceptions import ClientError  # noqa: PLC0415

    folder.mkdir()
    file = folder / package.ARCHIVE
    try:
        boto3.client("s3").download_file(bucket, key, str(file))
    except ClientError as error:
        raise StepError(f"the champion {uri} cannot be read: {error}") from error
    return file
