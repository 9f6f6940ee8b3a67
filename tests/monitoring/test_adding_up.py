"""Profiles add up in any grouping and order, also through files, also where values became too many."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring import baseline, store
from monitoring.baseline import Baseline
from monitoring.counting.tally import Fact
from monitoring.performance.outcomes import Outcomes
from monitoring.profile import EVERYONE, Profile
from monitoring.report import report
from monitoring.spec import Spec
from tests.monitoring.runs import SPEC, table

BASELINE = baseline.fit(Spec.parse({**SPEC, "sensitive": ["region"]}), table(2_000, months=6).to_batches())
ROWS = table(1_200, seed=8, months=3, drift=0.3)


def profile(rows: pa.Table, against: Baseline = BASELINE, *, labels: pa.Table | None = None) -> Profile:
    counted = Profile(against)
    for batch in rows.to_batches():
        counted.add(batch)
    for batch in labels.to_batches() if labels is not None else ():
        counted.add_labels(batch)
    return counted


def added(parts: Sequence[Profile]) -> Profile:
    def merge(total: Profile, part: Profile) -> Profile:
        total.merge(part)
        return total

    return reduce(merge, parts, Profile(parts[0].baseline))


def facts(one: Profile) -> dict[str, Fact]:
    """All numbers of a profile, sorted."""
    told = {}
    for name, part in one.parts().items():
        found = list(part.facts())
        if not found:
            continue
        periods, keys = (np.concatenate([fact[place] for fact in found]) for place in (0, 1))
        weights = np.concatenate([fact.weights for fact in found], axis=1)
        order = np.lexsort((keys, periods))
        order = order[weights[:, order].any(axis=0)]
        told[name] = Fact(periods[order], keys[order], weights[:, order])
    return {name: each for name, each in told.items() if len(each.keys)}


def assert_equal(one: Profile, other: Profile) -> None:
    mine, others = facts(one), facts(other)
    assert mine.keys() == others.keys()
    for name, fact in mine.items():
        assert (fact.periods == others[name].periods).all(), name
        assert (fact.keys == others[name].keys).all(), name
        assert fact.weights == pytest.approx(others[name].weights, rel=1e-12, abs=1e-12), name


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1_200, max_size=1_200), st.randoms(use_true_random=False))
def test_any_cut_in_any_order_and_grouping_is_the_whole(places: list[int], random: object) -> None:
    shard = np.array(places)
    parts = [profile(ROWS.filter(shard == place)) for place in range(5)]
    random.shuffle(parts)  # type: ignore[attr-defined]
    whole = profile(ROWS)
    assert_equal(added(parts), whole)
    assert_equal(added([added(parts[:2]), added([added(parts[2:4]), parts[4]])]), whole)


def test_a_profile_from_a_file_is_the_profile(tmp_path: Path) -> None:
    rows = profile(ROWS, labels=ROWS.select(["id", "label"]))
    store.save(rows, tmp_path / "profile")
    again = store.load(BASELINE, tmp_path / "profile")
    assert_equal(again, rows)
    assert report(again) == report(rows)


def test_the_report_of_shards_is_the_report_of_the_whole() -> None:
    shard = np.random.default_rng(0).integers(0, 3, len(ROWS))
    parts = [profile(ROWS.filter(shard == place)) for place in range(3)]
    assert _close(report(added(parts)), report(profile(ROWS)))


def test_too_many_values_become_cells_whoever_counts_them_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitoring.performance.outcomes.MOST_SCORES", 150)
    monkeypatch.setattr("monitoring.performance.reference.MOST_SCORES", 150)
    monkeypatch.setattr("monitoring.profile.MOST_VALUES", 150)
    shard = np.random.default_rng(0).integers(0, 7, len(ROWS))
    parts = [profile(ROWS.filter(shard == place)) for place in range(7)]
    whole = profile(ROWS)
    performed = whole.performed[EVERYONE]
    assert isinstance(performed, Outcomes)
    assert not performed.is_exact(whole.periods()[0])
    assert_equal(added(parts), whole)
    assert_equal(added(parts[::-1]), whole)


def test_days_become_months() -> None:
    spec = {**SPEC, "row_id": None}
    daily, monthly = (
        baseline.fit(Spec.parse({**spec, "period": period}), table(2_000, months=6).to_batches())
        for period in ("day", "month")
    )
    months = np.datetime64(0, "D") + np.arange(40_000).astype("timedelta64[D]")
    number = months.astype("datetime64[M]").astype(np.int64)
    assert_equal(profile(ROWS, daily).renumbered(lambda days: number[days]), profile(ROWS, monthly))


def _close(one: object, other: object) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_close(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_close, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return one == pytest.approx(other, rel=1e-9, abs=1e-12)
    return one == other
