"""The kernel and model.yaml speak of the same limits."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from config.light import Light
from config.loading import load_models, load_project
from monitoring.rules import Rules
from monitoring.spec import Spec
from pipelines.packaging.watching import spec

ROOT = Path(__file__).parents[3]


def test_the_limits_of_model_yaml_are_those_of_the_kernel() -> None:
    assert {name: field.default for name, field in Light.model_fields.items()} == {
        each.name: each.default for each in fields(Rules)
    }


def test_every_model_has_a_spec_that_the_kernel_reads() -> None:
    for model in load_models(ROOT, load_project(ROOT)):
        read = Spec.parse(spec(model, (0, 1)))
        assert read.name == model.name
        assert list(read.features) == [each.name for each in model.features]
        assert read.rules == Rules()
        assert read.period == model.monitoring.period
        assert set(read.sensitive) == {each.name for each in model.features if each.sensitive}
