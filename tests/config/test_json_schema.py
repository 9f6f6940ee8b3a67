"""The schemas that editors read are those of the types."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from config.json_schema import FOLDER, SCHEMAS, render

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_committed_schema_is_current(name: str) -> None:
    assert (FOLDER / name).read_text() == render(name), "run: make schemas"


@pytest.mark.parametrize(
    ("schema", "file"), [("project.json", "project.yaml"), ("model.json", "model_code/employment/model.yaml")]
)
def test_the_shipped_files_fit_their_schema(schema: str, file: str) -> None:
    jsonschema.validate(yaml.safe_load((ROOT / file).read_text()), json.loads(render(schema)))


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_field_has_a_sentence(name: str) -> None:
    schema = json.loads(render(name))
    for definition in (schema, *schema["$defs"].values()):
        for field, content in definition.get("properties", {}).items():
            assert "const" in content or content.get("description"), (
                f"{definition.get('title')}.{field} lacks a sentence"
            )
