"""How wrong a regression was: measured against labels, or expected by a model of its losses."""

from __future__ import annotations

import numpy as np

from monitoring.counting.tally import Groups, Part, Sums
from monitoring.outputs import Outputs


class Residuals:
    """A regression's errors by period.

    Rows come with an absolute and a squared error, known or expected, and with the value whose variance R2 compares
    them to: the label where it is known, else the prediction. Values are counted from `centre`, so that a variance far
    from zero does not vanish in rounding.
    """

    def __init__(self, centre: float) -> None:
        self.centre = centre
        self.sums = Sums(("n", "absolute", "squared", "value", "value_squared"))

    def estimate(self, groups: Groups, outputs: Outputs, expected: np.ndarray) -> None:
        """Adds rows with their expected absolute and squared errors (rows x 2)."""
        self._add(groups, expected[:, 0], expected[:, 1], outputs.predicted)

    def realize(self, groups: Groups, outputs: Outputs) -> None:
        """Adds rows with their labels."""
        errors = outputs.labels - outputs.predicted
        self._add(groups, np.abs(errors), errors**2, outputs.labels)

    def _add(self, groups: Groups, absolute: np.ndarray, squared: np.ndarray, values: np.ndarray) -> None:
        """Rows with NaN in any are left out."""
        known = ~np.isnan(absolute + squared + values)
        if not known.all():
            groups, absolute, squared, values = groups.where(known), absolute[known], squared[known], values[known]
        centred = values - self.centre
        rows = {"n": np.ones(len(values)), "absolute": absolute, "squared": squared}
        self.sums.add(groups, rows | {"value": centred, "value_squared": centred**2})

    def parts(self) -> dict[str, Part]:
        """What adds up, by name."""
        return {"sums": self.sums}

    def periods(self) -> list[int]:
        """The periods that have rows."""
        return sorted(self.sums.periods())

    def rows(self, period: int) -> float:
        """How many rows have an error."""
        return self.sums.of(period)["n"]

    def variance(self, period: int) -> float:
        """The variance of the values."""
        sums = self.sums.of(period)
        return max(sums["value_squared"] / sums["n"] - (sums["value"] / sums["n"]) ** 2, 0.0)

    def metrics(self, period: int, *, realized: bool) -> dict[str, float]:
        """Every metric; NaN without rows.

        The estimate of R2 takes the prediction for the mean of the label given the row, so that the label's variance
        is that of the predictions and the mean squared error together.
        """
        if not self.rows(period):
            return {"mae": np.nan, "rmse": np.nan, "r2": np.nan}
        sums, variance = self.sums.of(period), self.variance(period)
        squared = sums["squared"] / sums["n"]
        total = variance if realized else variance + squared
        r2 = 1 - squared / total if total else np.nan
        return {"mae": sums["absolute"] / sums["n"], "rmse": float(np.sqrt(squared)), "r2": r2}
