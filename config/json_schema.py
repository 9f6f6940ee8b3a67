"""The JSON schemas that editors use to complete and check project.yaml and model.yaml."""

from __future__ import annotations

import json
from pathlib import Path

from config.model import Model
from config.project import Project

FOLDER = Path(__file__).parent / "schemas"
SCHEMAS = {"project.json": Project, "model.json": Model}


def render(name: str) -> str:
    """The schema file *name* as it must be."""
    return json.dumps(SCHEMAS[name].model_json_schema(), indent=2) + "\n"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name in SCHEMAS:
        (FOLDER / name).write_text(render(name))
        print(f"Wrote {FOLDER.name}/{name}.")


if __name__ == "__main__":
    main()
