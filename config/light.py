"""When a period of a model is yellow, red or unknown."""

from __future__ import annotations

from pydantic import Field

from config.closed import Closed


class Light(Closed):
    """The limits that turn measures into a light.

    Thresholds of the measures themselves come from the reference; these say how much of it matters.
    """

    min_rows: int = Field(default=100, ge=1)
    """A period with fewer rows is unknown."""
    min_labels: int = Field(default=100, ge=1)
    """With fewer labels the realized performance decides nothing."""
    label_coverage: float = Field(default=0.5, ge=0, le=1)
    """The share of a period's rows that have a label, below which realized performance is at most yellow."""
    psi: float = Field(default=0.1, ge=0)
    """The population stability index of a feature from which its drift counts, where it is above its threshold too."""
    contribution: float = Field(default=0.01, ge=0)
    """The part of the reference's performance that a feature's changed mix must explain for its drift to count."""
    quality: float = Field(default=0.01, ge=0, le=1)
    """The share of rows that break the schema (missing, unseen, out of range) from which that counts."""
    schema_break: float = Field(default=0.5, gt=0, le=1)
    """The share of rows without a feature's column, or with values of another type, from which a period is red."""
    periods: int = Field(default=2, ge=1)
    """How many periods in a row must look bad before suspicion becomes red."""
    metrics: tuple[str, ...] = ()
    """The metrics that decide; empty for the task's own (roc_auc and accuracy, or mae)."""
    green_without_labels: bool = False
    """Whether a period without labels may be green; an estimate sees only a changed mix of rows."""
