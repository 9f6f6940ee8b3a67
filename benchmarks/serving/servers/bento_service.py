"""BentoML with two workers."""

import os
from pathlib import Path

import bentoml
import joblib
import numpy as np


@bentoml.service(
    workers=2, http={"host": "127.0.0.1"}, metrics={"enabled": True}, logging={"access": {"enabled": False}}
)
class Model:
    def __init__(self) -> None:
        self.model = joblib.load(Path(os.environ["MODEL_FOLDER"], "bentoml.joblib"))

    @bentoml.api(route="/invocations")
    def invocations(self, instances: list[list[float]]) -> list[float]:
        return self.model.predict_proba(np.array(instances, dtype=np.float32))[:, 1].tolist()
