"""How wrong a regression was: measured against labels, or expected by a model of its losses."""

from __future__ import annotations

import numpy as np

from monitoring.counting.tally import Groups, Part, Sums
from monitoring.outputs import Outputs
from monitoring.performance.outcomes import KINDS, Kind


class Residuals:
    """A regression's errors by period.

    Rows come with an absolute and a squared error, known or expected, and with the value whose variance R2 compares
    them to: the label where it is known, else the prediction. Values are counted from `centre`, so that a variance far
    from zero does not vanish in rounding.
    """

    def __init__(self, centre: float) -> None:
        self.centre = centre
        self._sums = {kind: Sums(("n", "absolute", "squared", "value", "value_squared")) for kind in KINDS}

    def add(self, groups: Groups, outputs: Outputs, expected: np.ndarray | None, *, labelled: bool = True) -> None:
        """Adds rows with their expected absolute and squared errors (rows x 2), where there are any, and labels."""
        if expected is not None:
            self._add("estimated", groups, expected[:, 0], expected[:, 1], outputs.predicted)
        if labelled:
            errors = outputs.labels - outputs.predicted
            self._add("realized", groups, np.abs(errors), errors**2, outputs.labels)

    def _add(self, kind: Kind, groups: Groups, absolute: np.ndarray, squared: np.ndarray, values: np.ndarray) -> None:
        """Rows with NaN in any are left out."""
        known = ~np.isnan(absolute + squared + values)
        if not known.all():
            groups, absolute, squared, values = groups.where(known), absolute[known], squared[known], values[known]
        centred = values - self.centre
        rows = {"n": np.ones(len(values)), "absolute": absolute, "squared": squared}
        self._sums[kind].add(groups, rows | {"value": centred, "value_squared": centred**2})

    def parts(self) -> dict[str, Part]:
        """What adds up, by name."""
        return dict(self._sums.items())

    def rows(self, period: int, kind: Kind) -> float:
        """How many rows have an error of the kind."""
        return self._sums[kind].of(period)["n"]

    def metrics(self, period: int, kind: Kind) -> dict[str, float]:
        """Every metric; NaN without rows.

        The estimate of R2 takes the prediction for the mean of the label given the row, so that the label's variance
        is that of the predictions and the mean squared error together.
        """
        sums = self._sums[kind].of(period)
        n = sums["n"]
        if not n:
            return {"mae": np.nan, "rmse": np.nan, "r2": np.nan}
        squared = sums["squared"] / n
        variance = max(sums["value_squared"] / n - (sums["value"] / n) ** 2, 0.0)
        total = variance if kind == "realized" else variance + squared
        r2 = 1 - squared / total if total else np.nan
        return {"mae": sums["absolute"] / n, "rmse": float(np.sqrt(squared)), "r2": r2}
