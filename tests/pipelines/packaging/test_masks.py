"""Masked records are measured like those that were sent, and tell nothing of what was."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model_server import media
from model_server.recording.lines import Seen, lines
from model_server.recording.masking import Masker
from model_server.signature import Category, Number, Signature
from monitoring import baseline, reading
from monitoring.baseline import Baseline
from monitoring.profile import Profile
from monitoring.report import report
from monitoring.spec import Spec
from pipelines.packaging import masks

FEATURES = {"age": "numeric", "weight": "numeric", "colour": "categorical", "shape": "categorical"}
SENSITIVE = ["age", "colour"]
COLOURS, SHAPES = ("red", "green", "blue"), ("round", "square")
SPEC: dict[str, Any] = {
    "task": "binary",
    "features": FEATURES,
    "score": "score",
    "prediction": "prediction",
    "label": "late",
    "timestamp": "at",
    "row_id": "id",
    "period": "month",
}
SIGNATURE = Signature(
    "binary",
    "late",
    (Number("age"), Number("weight"), Category("colour", COLOURS), Category("shape", SHAPES)),
    classes=(0, 1),
)
KEY = "5a" * 32


def reference(rows: int, seed: int, *, whole: bool) -> pa.RecordBatch:
    """Ages with ties or without, some of them missing; a colour that is rare."""
    draw = np.random.default_rng(seed)
    age = draw.integers(18, 80, rows).astype(float) if whole else draw.lognormal(3, 1, rows)
    score = draw.random(rows)
    return pa.RecordBatch.from_pydict(
        {
            "age": pa.array(np.where(draw.random(rows) < 0.05, np.nan, age), from_pandas=True),
            "weight": draw.normal(70, 10, rows),
            "colour": draw.choice(COLOURS[:2], rows, p=[0.9, 0.1]),
            "shape": draw.choice(SHAPES, rows),
            "score": score,
            "prediction": (score > 0.5).astype(int),
            "late": (draw.random(rows) < score).astype(int),
        }
    )


def fitted(rows: int, *, whole: bool, sensitive: list[str]) -> Baseline:
    said = {**SPEC, "sensitive": sensitive, "masked_by": masks.identity(KEY) if sensitive else None}
    return baseline.fit(Spec.parse(said), [reference(rows, 3, whole=whole)])


NORMAL = {
    whole: (fitted(600, whole=whole, sensitive=SENSITIVE), fitted(600, whole=whole, sensitive=[]))
    for whole in (True, False)
}
"""Of ages with ties and without: with sensitive features, and with none."""

ages = st.one_of(
    st.none(),
    st.sampled_from([18, 79, 18.0, 79.0, 79.5, 17.999, 0, -1, 1e300, 3e8, "n/a", "old", "NaN"]),
    st.floats(0, 200, allow_nan=False),
    st.integers(15, 85),
)
rows_sent = st.lists(
    st.fixed_dictionaries(
        {
            "age": ages,
            "weight": st.floats(40, 100, allow_nan=False),
            "colour": st.sampled_from([*COLOURS, None, "pink", "violet", ""]),
            "shape": st.sampled_from(SHAPES),
        }
    ),
    min_size=1,
    max_size=40,
)


def masker(normal: Baseline) -> Masker:
    return Masker(SIGNATURE, masks.masks(normal, KEY))


def seen(rows: list[dict[str, Any]], kind: str) -> Seen:
    answer = "".join(f"{(place % 10) / 10},{place % 2}\n" for place in range(len(rows))).encode()
    if kind == media.CSV:
        text = io.StringIO()
        csv.writer(text).writerows([[("" if each is None else each) for each in row.values()] for row in rows])
        body = text.getvalue().encode()
    else:
        body = json.dumps({"instances": rows}).encode()
    return Seen("id", "attributes=17", f"{kind}; header=absent", body, media.CSV, answer, 1.7e9)


def read(path: Path, normal: Baseline, events: list[Seen]) -> dict[str, Any]:
    """The report of what was recorded."""
    path.write_bytes(b"".join(line for each in events for line in whole(each)))
    spec = normal.spec
    known = reading.Masks.parse(masks.masks(normal, KEY)) if spec.masked_by else None
    capture = reading.Capture(tuple(spec.features), spec.scores, spec.prediction, spec.row_id, spec.timestamp, known)
    problems, profile = reading.Problems(), Profile(normal)
    for batch in reading.batches([path], spec.columns, capture=capture, problems=problems):
        profile.add(batch)
    assert not problems.counts
    return report(profile)


def whole(each: Seen) -> list[bytes]:
    """A record in one line, however long it is."""
    cut = [json.loads(line) for line in lines(each, "event")]
    return (
        [json.dumps(cut[0]).encode() + b"\n"] if len(cut) == 1 else ["".join(c["data"] for c in cut).encode() + b"\n"]
    )


@pytest.mark.parametrize("kind", [media.JSON, media.CSV])
@pytest.mark.parametrize("ties", NORMAL)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=rows_sent)
def test_every_number_of_a_report_is_that_of_the_rows_as_they_were_sent(
    tmp_path: Path, ties: bool, kind: str, sent: list[dict[str, Any]]
) -> None:
    normal, plain = NORMAL[ties]
    sent = sent * 5
    as_sent = seen(sent, kind)
    masked = masker(normal)(as_sent)
    one, other = read(tmp_path / "sent", normal, [as_sent]), read(tmp_path / "masked", normal, [masked])
    assert one == other
    # And the bins are those of a model that has no sensitive feature.
    before = read(tmp_path / "sent", plain, [as_sent])
    for period, told in before["periods"].items():
        for name in ("age", "colour"):
            for measure in ("psi", "missing_rate", "unseen_rate", "out_of_range_rate"):
                expected, got = told["features"][name][measure], other["periods"][period]["features"][name][measure]
                assert got == (expected if expected is None else pytest.approx(expected, abs=1e-12)), (name, measure)


def test_a_record_and_what_is_counted_of_it_hold_no_sensitive_value() -> None:
    normal, _ = NORMAL[False]
    rows = [{"age": 33.37137, "weight": 71.5, "colour": "green", "shape": "round", "id": "mine"}]
    masked = masker(normal)(seen([*rows], media.JSON))
    told = b"".join(lines(masked, "event")).decode()
    assert "33.3" not in told
    assert "green" not in told
    assert "attributes" not in told.lower()
    assert KEY not in told
    assert all(word in told for word in ("71.5", "round", "mine", "band ", masks.identity(KEY)))


def test_the_baseline_of_a_sensitive_number_has_bands_and_no_value() -> None:
    normal, plain = NORMAL[False]
    given = [each for each in reference(600, 3, whole=False).column("age").to_pylist() if each is not None]
    edges = masks.masks(normal, KEY)["numbers"]["age"]
    assert len(edges) == 11

    def kept(body: dict[str, Any]) -> set[float]:
        return set(given) & {float(each) for each in re.findall(r"[-+.e\d]+\d", json.dumps(body))}

    assert kept(normal.body()) <= set(edges)
    assert len(kept(plain.body())) > 500


def test_masked_records_are_rows_only_to_who_has_their_masks(tmp_path: Path) -> None:
    normal, _ = NORMAL[False]
    masked = masker(normal)(seen([{"age": 30, "weight": 70, "colour": "red", "shape": "round"}], media.JSON))
    (tmp_path / "a.jsonl").write_bytes(b"".join(lines(masked, "event")))
    other = reading.Masks.parse(masks.masks(normal, "77" * 32))
    for known, told in ((None, "only who has the package's masks"), (other, "the key of another package")):
        capture = reading.Capture(tuple(FEATURES), {"1": "score"}, "prediction", "id", "at", known)
        problems = reading.Problems()
        assert not sum(len(each) for each in reading.batches([tmp_path], ["age"], capture=capture, problems=problems))
        (sentence,) = problems.counts
        assert told in sentence
