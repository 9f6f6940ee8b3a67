"""The two data sets that a seed makes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from tests.monitoring.oracle.tables import Draw, Numbers, table, within

Parts = tuple[dict[str, Any], pa.Table, pa.Table, pa.Table | None]


def small() -> Parts:
    """3,000 rows of reference: fewer than the 10,000 from which on histograms stand for exact distributions."""
    draw = Draw(20_260_103)
    months = [(2023, month, 500, 0.0) for month in range(1, 7)]
    months += [(2023, 7, 400, 0.0), (2023, 8, 600, 0.2), (2023, 9, 500, 0.6), (2023, 10, 60, 0.0), (2023, 11, 900, 1.2)]
    parts = [_applicants(draw, *month) for month in months]
    everything = pa.concat_tables(parts)
    everything = everything.append_column("id", pa.array(np.arange(len(everything))))
    reference, later = everything.slice(0, 3_000), everything.slice(3_000)
    known = draw.where(0.9, len(later))
    labels = later.select(["id", "late"]).filter(pa.array(known))
    features = dict.fromkeys(("income", "balance", "age", "share"), "numeric")
    features |= dict.fromkeys(("region", "owner"), "categorical")
    spec = {"task": "binary", "features": features, "score": "score", "prediction": "prediction", "label": "late"}
    spec |= {"timestamp": "asked_at", "row_id": "id", "period": "month"}
    return spec, reference, later.drop_columns(["late"]), labels


def _applicants(draw: Draw, year: int, month: int, rows: int, drift: float) -> pa.Table:
    income = np.round(np.exp(10 + 0.5 * draw.normal(rows) + 0.4 * drift), 2)
    balance = np.round(1_000 * draw.normal(rows) * (1 + drift), 3)
    age = np.floor(18 + 60 * draw.uniform(rows) ** (1 + drift))
    share = np.where(draw.where(0.3, rows), 0.0, np.round(draw.uniform(rows), 6))
    region = np.array(["north", "south", "east", "west", "abroad"])[
        draw.choice([0.4, 0.3 - 0.1 * drift, 0.2, 0.1, 0.05 * drift], rows)
    ]
    owner = np.array(["no", "yes"])[draw.choice([0.5 + 0.2 * drift, 0.5], rows)]
    pull = 0.8 * (np.log(income) - 10) - balance / 1_500 + (age - 45) / 25 + (region == "north") - share
    score = 1 / (1 + np.exp(-pull - 0.2))
    late = draw.where(score, rows)  # scores that need no calibration
    columns = {"asked_at": within(year, month, rows), "income": income, "balance": balance, "age": age, "share": share}
    columns |= {"region": region, "owner": owner, "score": score, "prediction": (score >= 0.6).astype(np.int64)}
    gaps = {"income": draw.where(0.05 + 0.05 * drift, rows), "age": draw.where(0.01, rows)}
    gaps["region"] = draw.where(0.04 * (1 + drift), rows)
    return table(columns | {"late": late.astype(np.int64)}, gaps)


CARDS = ("standard", "basic", "premium", "student")


def credit() -> Parts:
    """20,000 rows of reference and of analysis, four classes: one is more than half of all, one is rare."""
    draw = Draw(20_260_202)
    months = [(2023 + month // 12, month % 12 + 1) for month in range(20)]
    drifts = [0.0] * 13 + [0.1, 0.3, 0.6, 1.0, 1.0, 0.4, 0.0]
    parts = [_customers(draw, *month, 2_000, drift) for month, drift in zip(months, drifts, strict=True)]
    features = dict.fromkeys(("income", "bureau", "age", "utilisation", "accounts"), "numeric")
    features |= dict.fromkeys(("channel", "segment", "city"), "categorical")
    spec = {"task": "multiclass", "features": features, "score": {card: f"p_{card}" for card in CARDS}}
    spec |= {"prediction": "prediction", "label": "card", "timestamp": "asked_at", "period": "month"}
    return spec, pa.concat_tables(parts[:10]), pa.concat_tables(parts[10:]), None


def _customers(draw: Draw, year: int, month: int, rows: int, drift: float) -> pa.Table:
    income = np.round(np.exp(10.2 + 0.45 * draw.normal(rows) + 0.3 * drift), 2)
    bureau = np.round(650 + 60 * (np.log(income) - 10.2) / 0.45 + 70 * draw.normal(rows) - 90 * drift)
    bureau[draw.where(0.01 * drift, rows)] = 0
    age = np.floor(18 + 55 * draw.uniform(rows) ** 1.3)
    utilisation = np.round(np.clip(0.4 + 0.3 * draw.normal(rows) + 0.5 * drift * draw.uniform(rows), 0, None), 4)
    utilisation[draw.where(0.01 * drift, rows)] = 9.99
    accounts = draw.choice([5, 9, 8, 5, 3, 2, 1 + 3 * drift, 0.5], rows).astype(np.int64)
    channel = np.array(["web", "branch", "phone", "partner", "app"])[
        draw.choice([4, 3, 2, 1, 2 * max(drift - 0.2, 0)], rows)
    ]
    segment = np.array(["s1", "s2", "s3"])[draw.choice([5, 3 + drift, 2], rows)]
    city = np.char.add("c", draw.choice(1 / np.arange(1, 301 + int(60 * drift)) ** 1.1, rows).astype(str))
    standing = np.log(income) - 10.2
    pulls = np.column_stack(
        [
            1.2 + 0.3 * standing,
            0.6 - 1.2 * standing - (bureau - 650) / 120,
            -1.4 + 1.6 * standing + (bureau - 650) / 150 + (segment == "s3"),
            -0.8 - (age - 30) / 12 - 0.5 * standing + (channel == "web"),
        ]
    )
    scores = _softmax(pulls)
    card = draw.choice(scores, rows)
    scores[:, 0] += 0.4 * scores[:, 1]  # two classes are calibrated, two are not
    scores[:, 1] *= 0.6
    names = np.array(CARDS)
    columns = {"asked_at": within(year, month, rows), "income": income, "bureau": bureau, "age": age}
    columns |= {"utilisation": utilisation, "accounts": accounts, "channel": channel, "segment": segment, "city": city}
    columns |= {f"p_{name}": scores[:, place] for place, name in enumerate(CARDS)}
    gaps = {"income": draw.where(0.03 + 0.07 * drift, rows), "utilisation": draw.where(0.2, rows)}
    gaps["channel"] = draw.where(0.02 + 0.05 * drift, rows)
    gaps["city"] = draw.where(0.08 * drift, rows)
    return table(columns | {"prediction": names[scores.argmax(axis=1)], "card": names[card]}, gaps)


def _softmax(pulls: Numbers) -> Numbers:
    raised = np.exp(pulls - pulls.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)
