"""What Plan says of what it starts, and of models whose folder is gone; tests/local_aws/planning has the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from config.naming import NOTHING
from pipelines.stages.gone import Gone, has_folder, model_of
from pipelines.stages.plan import LONGEST_REASON, NAMED, Release, shortened, summary
from pipelines.stages.surroundings import Surroundings


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    teams: dict[str, Any] = {"team": {"owners": ["a@example.com"]}}
    project = {"name": "shop", "source": {"kind": "s3"}, "teams": teams}
    (tmp_path / "project.yaml").write_text(yaml.safe_dump(project))
    return Surroundings(tmp_path)


def test_the_summary_names_what_is_released_and_how() -> None:
    trained, patched = Release("letters", "why"), Release("parcels", "why", package="arn", image="newest")
    assert summary([trained, patched], 5) == "2 of 5 models to release: letters, parcels (image only)."
    assert summary([], 5) == "0 of 5 models to release: none."
    assert summary([], 5, ["letters"]).endswith(
        " none. A newer package waits to come to production, or was taken back: letters."
    )


def test_a_summary_of_hundreds_of_models_stays_short() -> None:
    many = [Release(f"model-{number}", "why") for number in range(500)]
    said = summary(many, 500)
    assert said.endswith(f" and {500 - NAMED} more.")
    assert len(said) < 1000
    assert len(shortened("x" * 1000)) == LONGEST_REASON
    assert shortened("It has no package yet.") == "It has no package yet."


@pytest.mark.parametrize(
    ("stack", "model"),
    [
        ("shop-training-old-parcels", "old-parcels"),
        ("shop-serving-old-parcels-staging", "old-parcels"),
        ("shop-serving-old-parcels-production", "old-parcels"),
        ("shop-staging", None),
        ("shop-delivery", None),
        ("shop-watch-production", None),
        ("shop-rollback-production", None),
        ("shops-training-parcels", None),
    ],
)
def test_a_stack_is_of_a_model_by_its_name(around: Surroundings, stack: str, model: str | None) -> None:
    assert model_of(stack, around) == model


def test_what_python_leaves_of_a_folder_is_no_model(around: Surroundings) -> None:
    folder = around.root / "model_code/old_parcels"
    (folder / "__pycache__").mkdir(parents=True)
    (folder / "__pycache__/train.pyc").write_text("")
    assert not has_folder(around, "old_parcels")
    (folder / "train.py").write_text("")
    assert has_folder(around, "old_parcels")
    assert has_folder(around, "old-parcels")
    assert not has_folder(around, "old")


def test_of_what_is_gone_people_read_the_command_and_nothing_where_all_is_there() -> None:
    left = Gone({"letters": ("shop-training-letters",)})
    assert left.summary.endswith("the stacks are still there. To delete: make teardown MODEL=letters.")
    assert "Nothing of this is deleted until somebody says so." in left.text
    assert Gone({}).summary == ""
    assert Release("parcels", "why").package == NOTHING
