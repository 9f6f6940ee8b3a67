"""Packages that are bad in six ways, each made from a good one and registered beside it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config import Model
from config.features import Category, Number
from local_aws.account import Account
from local_aws.sagemaker.storage import split
from model_server import seal as sealed
from pipelines.packaging.package import pack, unpack
from pipelines.packaging.sealing import ALGORITHM, seal
from pipelines.stages.registry import Package

CATEGORIES = 3


@dataclass(frozen=True)
class Rare:
    """Rows that tests seldom hold and users send now and then: a number at its maximum, categories at their last."""

    values: Mapping[str, float | str]

    @classmethod
    def of(cls, model: Model) -> Rare:
        """Of the first number that has a maximum, and the first categories."""
        numbers = [each for each in model.features if isinstance(each, Number) and each.maximum is not None]
        categories = [each for each in model.features if isinstance(each, Category)]
        last = {each.name: each.values[-1] for each in categories[:CATEGORIES]}
        return cls({each.name: each.maximum for each in numbers[:1] if each.maximum is not None} | last)

    def row(self, row: dict[str, Any]) -> dict[str, Any]:
        """The row, made rare."""
        return row | dict(self.values)

    @property
    def condition(self) -> str:
        """Python that says whether `data` of predict_fn holds such a row."""
        return f"({' & '.join(f'(data[{name!r}] == {value!r})' for name, value in self.values.items())}).any()"


Change = Callable[[Path, Rare], None]


def _script(text: str) -> Change:
    def write(folder: Path, rare: Rare) -> None:
        (folder / "code").mkdir(exist_ok=True)
        (folder / "code" / "inference.py").write_text(text.replace("RARE", rare.condition))

    return write


def _other_schema(folder: Path, _: Rare) -> None:
    file = folder / "signature.json"
    signature = json.loads(file.read_text())
    signature["features"][0]["name"] += "_renamed"
    file.write_text(json.dumps(signature))


FAULTS: dict[str, Change | None] = {
    "crashes at start": _script('raise SystemExit("this package ends its server")\n'),
    "fails on some rows": _script(
        "def predict_fn(data, model):\n"
        "    if RARE:\n"
        '        raise RuntimeError("this package fails on rare rows")\n'
        "    return model.score(data)\n"
    ),
    "answers slowly": _script(
        "import time\n\n\n"
        "def predict_fn(data, model):\n"
        "    if RARE:\n"
        "        time.sleep(0.5)\n"
        "    return model.score(data)\n"
    ),
    "answers in the wrong order": _script(
        "def predict_fn(data, model):\n    return model.score({name: rows[::-1] for name, rows in data.items()})\n"
    ),
    "has another schema": _other_schema,
    "is corrupt": None,
}
"""What is done to a package that is unpacked, and then signed anew, as what somebody has trained and did not mean.

None: its bytes are cut.
"""


class Faults:
    """Registers packages that are made from *good*, signed with the key of that alias."""

    def __init__(self, account: Account, good: Package, rare: Rare, key: str) -> None:
        self._sagemaker, self._s3, self._kms = (account.client(name) for name in ("sagemaker", "s3", "kms"))
        self._good, self._rare, self._signing_key = good, rare, key
        self._bucket, self._key = split(good.model_data)

    def register(self, name: str) -> str:
        """The ARN of an approved package with this fault."""
        data = self._s3.get_object(Bucket=self._bucket, Key=self._key)["Body"].read()
        change = FAULTS[name]
        broken = self._changed(data, change) if change else data[: len(data) // 2]
        key = self._key.replace("model.tar.gz", f"{name.replace(' ', '-')}/model.tar.gz")
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=broken)
        return self._add(f"s3://{self._bucket}/{key}", name)

    def same(self) -> str:
        """The ARN of another approved package with the very same model."""
        return self._add(self._good.model_data, "the same model again")

    def _add(self, model_data: str, description: str) -> str:
        found = self._sagemaker.describe_model_package(ModelPackageName=self._good.arn)
        specification = found["InferenceSpecification"]
        specification["Containers"] = [
            {"Image": container["Image"], "ModelDataUrl": model_data} for container in specification["Containers"]
        ]
        copied = {name: found[name] for name in ("CustomerMetadataProperties", "ModelMetrics") if name in found}
        return self._sagemaker.create_model_package(
            ModelPackageGroupName=self._good.group,
            ModelPackageDescription=description,
            ModelApprovalStatus="Approved",
            InferenceSpecification=specification,
            **copied,
        )["ModelPackageArn"]

    def _changed(self, data: bytes, change: Change) -> bytes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "good.tar.gz").write_bytes(data)
            package = folder / "package"
            package.mkdir()
            unpack(folder / "good.tar.gz", package)
            change(package, self._rare)
            manifest = json.loads((package / sealed.MANIFEST).read_bytes())
            seal(package, {key: said for key, said in manifest.items() if key not in ("format", "files")}, self._sign)
            pack(package, folder / "bad.tar.gz")
            return (folder / "bad.tar.gz").read_bytes()

    def _sign(self, digest: bytes) -> bytes:
        return self._kms.sign(
            KeyId=self._signing_key, Message=digest, MessageType="DIGEST", SigningAlgorithm=ALGORITHM
        )["Signature"]
