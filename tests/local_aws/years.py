"""What a local run has seen of its years, and what the data itself says of the same months."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

ROOT = Path(__file__).parents[2]
ACS = ROOT / "data/acs_employment_ma"
TIERS = {"green": 0, "unknown": 1, "yellow": 2, "red": 3}


@dataclass(frozen=True)
class Look:
    """One look of the watch at a model: its light, what the owners were told, the tiers of its package's periods."""

    model: str
    at: datetime
    tier: str
    period: str
    told: tuple[str, ...]
    package: str
    tiers: dict[str, str]


def looks(home: Path, model: str) -> list[Look]:
    """All looks at a model, in order."""
    found = json.loads((home / "lights.json").read_text())
    return [
        Look(
            model,
            datetime.fromisoformat(each["at"]),
            each["light"]["tier"],
            each["light"]["period"],
            tuple(each["told"]),
            each["package"].rsplit("/", 1)[-1],
            each["tiers"],
        )
        for each in found
        if each["model"] == model
    ]


def final_tiers(seen: list[Look]) -> dict[str, str]:
    """The last tier of each period, under the package that answered its rows."""
    tiers: dict[str, str] = {}
    for look in seen:
        tiers |= look.tiers
    return tiers


def drifted_months() -> set[str]:
    """The months in which another model, whose predictions came with the data, ranks people worse than in 2015."""
    reference = pd.read_parquet(ACS / "employment_MA_reference.pq")
    analysis = pd.read_parquet(ACS / "employment_MA_analysis.pq")
    labels = pd.read_parquet(ACS / "employment_MA_analysis_target.pq")
    later = analysis.merge(labels, on="id")
    normal = np.array([_auc(part) for part in _parts(reference)])
    limit = normal.mean() - 5 * normal.std()
    months: dict[str, pd.DataFrame] = {}
    for year, rows in later.groupby("year"):
        months |= {f"{year}-{number:02}": part for number, part in enumerate(_parts(rows), 1)}
    return {month for month, part in months.items() if _auc(part) < limit}


def _parts(rows: pd.DataFrame) -> list[pd.DataFrame]:
    return [rows.iloc[len(rows) * number // 12 : len(rows) * (number + 1) // 12] for number in range(12)]


def _auc(rows: pd.DataFrame) -> float:
    return float(roc_auc_score(rows["employed"], rows["predicted_probability"]))
