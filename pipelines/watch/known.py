"""What is known of a version of a model: its model.yaml and its baseline."""

from __future__ import annotations

import json
import tarfile
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from config import ConfigError, Model, load_model
from model_server import seal
from model_server.errors import PackageError
from model_server.recording import masking
from monitoring.baseline import Baseline
from monitoring.errors import MonitoringError
from monitoring.reading import Masks
from monitoring.rules import Rules
from pipelines.packaging.archive import extract
from pipelines.packaging.watching import BASELINE
from pipelines.watch.places import Places
from pipelines.watch.serving import Unwatchable
from pipelines.watch.shelf import Shelf
from pipelines.watch.state import Version

_SETTINGS = "model.yaml"
_ABSENT = ("NoSuchKey", "404", "NoSuchBucket")


@dataclass(frozen=True)
class Known:
    """A version, what its model.yaml says in this environment, and what is normal for it."""

    version: Version
    model: Model
    baseline: Baseline


def know(shelf: Shelf, places: Places, version: Version, environment: str) -> Known:
    """Reads both; raises Unwatchable where one is not there, or is not what it must be."""
    model = _model(shelf.s3, version, places.model).in_environment(environment)
    body = _baseline(shelf, places, version)
    try:
        baseline = Baseline.parse(body)
    except (MonitoringError, KeyError, TypeError, AttributeError) as error:
        raise Unwatchable(
            f"the baseline of {version.package} cannot be read ({error}); train the model again"
        ) from error
    # An environment may have other limits and other periods than the one that the baseline was written for.
    rules = Rules.parse(model.monitoring.light.model_dump(mode="json"))
    spec = replace(baseline.spec, rules=rules, period=model.monitoring.period)
    return Known(replace(version, fingerprint=baseline.fingerprint), model, replace(baseline, spec=spec))


def _model(s3: Any, version: Version, name: str) -> Model:
    code = version.metadata.get("code", "")
    if not code.startswith("s3://"):
        raise Unwatchable(f"{version.package} does not say where its {_SETTINGS} is; train the model again")
    content = _object(s3, f"{code.rstrip('/')}/{_SETTINGS}")
    if content is None:
        raise Unwatchable(
            f"{code.rstrip('/')}/{_SETTINGS}, which {version.package} was built from, is gone; train again"
        )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, name, _SETTINGS)
        file.parent.mkdir()
        file.write_bytes(content)
        try:
            return load_model(file.parent)
        except ConfigError as error:
            raise Unwatchable(str(error).replace(str(file), f"{code.rstrip('/')}/{_SETTINGS}")) from error


def _baseline(shelf: Shelf, places: Places, version: Version) -> Any:
    """From beside the profiles that were counted against it, else out of the package, and then put there."""
    key = f"{places.profiles(version.fingerprint)}{BASELINE}"
    if version.fingerprint and (kept := shelf.read(key)):
        return json.loads(kept.content)
    content = _packed(shelf.s3, version)
    try:
        body = json.loads(content)
        shelf.replace(f"{places.profiles(body['fingerprint'])}{BASELINE}", content, None)
    except (ValueError, KeyError, TypeError) as error:
        raise Unwatchable(f"the baseline of {version.package} is not whole; train the model again") from error
    return body


def masks(shelf: Shelf, known: Known) -> Masks | None:
    """What reads the records of a version that mask values: out of its package, and kept nowhere else."""
    if known.baseline.spec.masked_by is None:
        return None
    try:
        return Masks.parse(json.loads(_packed(shelf.s3, known.version, masking.FILE)))
    except (ValueError, KeyError, TypeError, MonitoringError) as error:
        raise Unwatchable(f"the masks of {known.version.package} are not whole; train the model again") from error


def _packed(s3: Any, version: Version, name: str = BASELINE) -> bytes:
    content = _object(s3, version.model_data)
    if content is None:
        raise Unwatchable(f"{version.model_data}, the archive of {version.package}, is gone; release another package")
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder, "archive")
        archive.write_bytes(content)
        try:
            with tarfile.open(archive) as packed:
                extract(packed, Path(folder, "package"))
            if seal.is_required():
                seal.check(Path(folder, "package"))
        except PackageError as error:
            raise Unwatchable(f"{version.package} is not as it was released: {error}") from error
        except tarfile.TarError as error:
            raise Unwatchable(f"{version.model_data} cannot be unpacked ({error}); train the model again") from error
        file = Path(folder, "package", name)
        if not file.is_file():
            raise Unwatchable(
                f"{version.package} has no {name}, so nobody knows what is normal for it; train the model again"
            )
        return file.read_bytes()


def _object(s3: Any, uri: str) -> bytes | None:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    try:
        return s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in _ABSENT:
            return None
        raise
