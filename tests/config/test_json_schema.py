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


def test_the_shipped_files_fit_their_schema() -> None:
    models = sorted((ROOT / "model_code").glob("*/model.yaml"))
    assert models
    for schema, file in [("project.json", ROOT / "project.yaml"), *(("model.json", model) for model in models)]:
        jsonschema.validate(yaml.safe_load(file.read_text()), json.loads(render(schema)))


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_field_has_a_sentence(name: str) -> None:
    schema = json.loads(render(name))
    for definition in (schema, *schema["$defs"].values()):
        for field, content in definition.get("properties", {}).items():
            assert "const" in content or content.get("description"), (
                f"{definition.get('title')}.{field} lacks a sentence"
            )
