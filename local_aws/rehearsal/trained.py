"""What the training run of a package has left: its evaluation, and the rows of each period after training."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any, Self

import pandas as pd

from local_aws.account import Account
from local_aws.sagemaker.storage import split


@dataclass(frozen=True)
class Trained:
    """A run; `prefix` is its folder in `bucket`."""

    s3: Any
    bucket: str
    prefix: str
    evaluation: dict[str, Any]

    @classmethod
    def of(cls, account: Account, package: str) -> Self:
        """The run that made *package*, which its registration names."""
        described = account.client("sagemaker").describe_model_package(ModelPackageName=package)
        bucket, key = split(described["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"])
        s3 = account.client("s3")
        evaluation = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        return cls(s3, bucket, key.removesuffix("/evaluation/evaluation.json"), evaluation)

    @property
    def periods(self) -> list[str]:
        """The periods after training, oldest first."""
        return sorted(self.evaluation["periods"])

    def rows(self, period: str) -> pd.DataFrame:
        """The labelled rows of a period, as the Prepare step left them."""
        found = self.s3.get_object(Bucket=self.bucket, Key=f"{self.prefix}/test/{period}.parquet")
        return pd.read_parquet(io.BytesIO(found["Body"].read()))
