"""What a period's rows were: counts and sums that add up, whoever counted them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from monitoring.counting.tally import Groups, Part, Sums, Tally
from monitoring.counting.unseen import Unseen
from monitoring.counting.values import Values
from monitoring.features.categorical import Categorical
from monitoring.features.numeric import LARGEST, MOST_VALUES, TAILS, Numeric
from monitoring.frame import Frame, frame
from monitoring.outputs import Outputs
from monitoring.performance.outcomes import Outcomes
from monitoring.performance.residuals import Residuals
from monitoring.records import Joined, Records

if TYPE_CHECKING:
    from monitoring.baseline import Baseline

Performed = Outcomes | Residuals

Segment = tuple[str, ...]
"""A sensitive feature and the number of one of its bins; EVERYONE has neither."""

EVERYONE: Segment = ()


@dataclass(frozen=True)
class Counted:
    """What was counted of one feature."""

    tally: Tally
    tails: Sums
    unseen: Unseen
    values: Values | None


class Profile:
    """The rows of some periods, counted against a baseline.

    Adding is all that a profile does, so profiles of shards, instances and days add up to the same numbers as one pass
    over all rows; sums of fractions agree to rounding. With a `row_id` in the spec it keeps of each row what a label
    that comes late needs.
    """

    def __init__(self, baseline: Baseline) -> None:
        self.baseline = baseline
        self.rows = Sums(("n",))
        self.features = {
            name: Counted(
                Tally(feature.width),
                Sums(TAILS),
                Unseen(),
                Values(feature.grid, MOST_VALUES, 1) if isinstance(feature, Numeric) and feature.values else None,
            )
            for name, feature in baseline.features.items()
        }
        self.multivariate = Sums(("n", "error", "error_squared"))
        self.performed = self._start()
        self.records = Records()
        self.problems: dict[str, int] = {}
        self.not_monitored: dict[str, str] = {}

    def add(self, batch: pa.RecordBatch) -> None:
        """Counts the rows of a batch."""
        self.count(frame(self.baseline.spec, self.baseline.features, batch))

    def count(self, rows: Frame) -> None:
        """Counts the rows of a frame."""
        groups = Groups(rows.periods)
        self._note(rows)
        if not rows.rows:
            return
        self.rows.add(groups, {"n": np.ones(rows.rows)})
        for name in self.features:
            self._count_feature(name, rows, groups)
        self._count_multivariate(rows, groups)
        self._count_performance(rows, groups)

    def add_labels(self, batch: pa.RecordBatch) -> None:
        """Keeps labels for the rows of their ids, whether these were counted already or come later."""
        self.records.add_labels(self.baseline.spec, batch)

    def merge(self, other: Profile) -> None:
        """Adds all that another profile counted against the same baseline."""
        self._take(other.parts())
        self.records.merge(other.records)
        for name, counted in self.features.items():
            counted.unseen.merge(other.features[name].unseen)
        self.note(other.problems)
        self.not_monitored |= other.not_monitored

    def note(self, problems: Mapping[str, int]) -> None:
        """Adds what was wrong with rows, with how often it was."""
        for sentence, times in problems.items():
            self._say(sentence, times)

    def renumbered(self, number: Callable[[np.ndarray], np.ndarray]) -> Profile:
        """The same rows in other periods, such as the months of days; without records."""
        moved = Profile(self.baseline)
        moved._take(self.parts(), number)
        return moved

    def realized(self) -> tuple[Mapping[Segment, Performed], Joined]:
        """The realized performance, with the labels that came in files of their own joined to their rows."""
        if not self.baseline.spec.row_id:
            return self.performed, Joined()
        realized, found = self._start(), Joined()
        for numbers, said, bins in self.records.joined(self.baseline.spec, found):
            _perform(realized, Groups(numbers), said, bins, None, labelled=True)
        return realized, found

    def periods(self) -> list[int]:
        """The numbers of the periods that have rows, in time order."""
        return sorted(period for period in self.rows.periods() if self.rows.of(period)["n"])

    def parts(self) -> dict[str, Part]:
        """Everything that adds up, by a name that is the same in every profile against the same baseline."""
        parts: dict[str, Part] = {"rows": self.rows, "multivariate": self.multivariate}
        for name, counted in self.features.items():
            parts |= {f"cells/{name}": counted.tally, f"tails/{name}": counted.tails}
            if counted.values is not None:
                parts[f"values/{name}"] = counted.values
        for segment, each in self.performed.items():
            parts |= {"/".join(["performed", *segment, name]): part for name, part in each.parts().items()}
        return parts

    def _take(self, parts: Mapping[str, Part], number: Callable[[np.ndarray], np.ndarray] = np.asarray) -> None:
        """Adds another profile's parts, their periods numbered anew."""
        for name, mine in self.parts().items():
            for fact in parts[name].facts():
                mine.take(fact._replace(periods=number(fact.periods)))

    def _start(self) -> dict[Segment, Performed]:
        segments = self.baseline.segments
        return {segment: self.baseline.performance.start(segment=bool(segment)) for segment in [EVERYONE, *segments]}

    def _note(self, rows: Frame) -> None:
        spec = self.baseline.spec
        if rows.undated:
            self._say(f"rows without a readable {spec.timestamp} belong to no period and were left out", rows.undated)
        if rows.ids is not None and rows.ids.null_count:
            self._say(f"rows have no {spec.row_id}, so no label finds them", rows.ids.null_count)
        for name, times in rows.invalid.items():
            if name not in spec.features:
                self._say(f"values of {name} could not be read, or are not what they must be", times)

    def _say(self, sentence: str, times: int) -> None:
        self.problems[sentence] = self.problems.get(sentence, 0) + times

    def _count_feature(self, name: str, rows: Frame, groups: Groups) -> None:
        counted, feature, column = self.features[name], self.baseline.features[name], rows.features[name]
        if name in rows.absent:
            counted.tails.add(groups, {"absent": np.ones(rows.rows)})
        if name in rows.invalid:
            # Which of the rows these were does not matter to any measure, only to which period they belong.
            counted.tails.add(groups, {"invalid": np.full(rows.rows, rows.invalid[name] / rows.rows)})
        if isinstance(feature, Categorical):
            counted.tally.add(groups, column)
            if name in rows.unseen:
                places, texts = rows.unseen[name]
                counted.unseen.add(groups.where(places).each(places), texts)
            return
        cells = feature.cells(column)
        counted.tally.add(groups, cells)
        for tail, cell in (("below", 0), ("above", feature.grid.count - 1)):
            places = np.flatnonzero(cells == cell)
            if len(places):
                values = column[places]
                infinite = np.abs(values) >= LARGEST
                sums = {tail: np.where(infinite, 0, values), "infinite": infinite.astype(float)}
                counted.tails.add(groups.where(places), sums)
        if counted.values is not None:
            present = np.abs(column) < LARGEST
            counted.values.add(groups.where(present), column[present], np.ones((1, int(present.sum()))))

    def _count_multivariate(self, rows: Frame, groups: Groups) -> None:
        if self.baseline.multivariate is None:
            return
        errors = self.baseline.multivariate.errors(list(self.baseline.features.values()), list(rows.features.values()))
        sums = {"n": np.ones(len(errors)), "error": errors, "error_squared": errors**2}
        self.multivariate.add(groups, sums)

    def _count_performance(self, rows: Frame, groups: Groups) -> None:
        bins = self.baseline.bins(rows.features)
        expected = self.baseline.performance.expect(rows.features, rows.outputs)
        _perform(self.performed, groups, rows.outputs, bins, expected, labelled=rows.ids is None)
        if rows.ids is not None:
            self.records.add(rows.ids, groups.each(rows.periods), rows.outputs, bins)


def _perform(
    performed: Mapping[Segment, Performed],
    groups: Groups,
    said: Outputs,
    bins: Mapping[str, np.ndarray],
    expected: np.ndarray | None,
    *,
    labelled: bool,
) -> None:
    for segment, each in performed.items():
        if segment == EVERYONE:
            each.add(groups, said, expected, labelled=labelled)
        else:
            chosen = np.flatnonzero(bins[segment[0]] == int(segment[1]))
            some = None if expected is None else expected[chosen]
            each.add(groups.where(chosen), said.where(chosen), some, labelled=labelled)
