from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from model_server.scoring import Rows
from pipelines.packaging import speed

ROWS = Rows(np.zeros((7, 2), np.float32), np.empty((7, 0), object))


class Engine:
    """It takes no time, and says how many milliseconds it would."""

    def __init__(self, milliseconds: Callable[[int], float]) -> None:
        self._milliseconds = milliseconds
        self.asked: list[int] = []

    def __call__(self, rows: Rows) -> np.ndarray:
        self.asked.append(len(rows))
        return np.array(self._milliseconds(len(rows)) / 1e3)


@pytest.fixture(autouse=True)
def _told_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "_seconds", lambda engine, rows: float(engine(rows)))


@pytest.mark.parametrize(
    ("native", "expected"),
    [
        (lambda count: 5 + count * 0.004, 1_000),
        (lambda count: count * 0.001, 1),
        (lambda count: 100 + count * 0.001, 20_000),
        (lambda count: count * 0.008, None),
        (lambda count: count * 0.02, None),
    ],
    ids=["from some rows on", "always", "only with the most", "hardly", "never"],
)
def test_another_engine_takes_over_where_it_begins_to_win(native: Callable[[int], float], expected: int | None) -> None:
    assert speed.batch_from(Engine(lambda count: count * 0.01), Engine(native), ROWS) == expected


def test_rows_are_repeated_until_there_are_enough() -> None:
    engine = Engine(lambda _: 1.0)
    assert speed.batch_from(engine, engine, ROWS) is None
    assert engine.asked == [20_000, 20_000]


def test_the_least_of_several_runs_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    engine = Engine(lambda _: 1.0)
    assert 0 < speed._seconds(engine, ROWS) < 0.1
    assert engine.asked == [7] * 5
