"""FastAPI as its tutorials show it for models."""

import os
from pathlib import Path

import joblib
import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
model = joblib.load(Path(os.environ["MODEL_FOLDER"], "fastapi.joblib"))


class Rows(BaseModel):
    instances: list[list[float]]


class Predictions(BaseModel):
    predictions: list[float]


@app.get("/ping")
def ping() -> dict[str, str]:
    return {"status": "healthy"}


@app.post("/invocations")
def invocations(rows: Rows) -> Predictions:
    scores = model.predict_proba(np.array(rows.instances, dtype=np.float32))
    return Predictions(predictions=scores[:, 1].tolist())
