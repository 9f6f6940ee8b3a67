"""The base of every configuration type."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints


class Closed(BaseModel):
    """A frozen type that refuses fields it does not know, so that a typo fails before anything is deployed."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, validate_default=True)


Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*([-_][a-z0-9]+)*$", max_length=32)]
"""A name that becomes part of AWS names: lower-case letters, digits, single hyphens or underscores."""

Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]

InstanceType = Annotated[
    str,
    StringConstraints(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$"),
    Field(examples=["ml.m5.large", "ml.c6i.xlarge"]),
]
