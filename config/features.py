"""The columns that a model reads, as training, serving, batch and monitoring all see them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from config.closed import Closed


class _Column(Closed):
    name: str
    """The column's name in the data and in requests."""
    description: str = ""
    """What the column means, for people."""
    nullable: bool = False
    """Whether a row may leave it empty."""
    sensitive: bool = False
    """Whether it tells something about a person that must not appear in logs or reports."""


class Number(_Column):
    """A real number."""

    type: Literal["number"]
    minimum: float | None = None
    """The lowest value that makes sense; a row below it violates the schema."""
    maximum: float | None = None
    """The highest value that makes sense; a row above it violates the schema."""

    @model_validator(mode="after")
    def _ordered(self) -> Number:
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum} is above maximum {self.maximum}; swap them")
        return self


class Category(_Column):
    """One of a closed list of values; values are text, also where they look like numbers."""

    type: Literal["category"]
    values: tuple[str, ...] = Field(min_length=2)
    """Every value that training may see; a row with any other violates the schema."""

    @model_validator(mode="after")
    def _distinct(self) -> Category:
        repeated = sorted({value for value in self.values if self.values.count(value) > 1})
        if repeated:
            raise ValueError(f"values lists {', '.join(repeated)} more than once; list each value once")
        return self


Feature = Annotated[Number | Category, Field(discriminator="type")]
