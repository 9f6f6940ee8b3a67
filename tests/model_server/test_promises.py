"""What any model is held to, and that a model which breaks it is found out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from model_server.testing import Client, broken_promises
from tests.pipelines import jobs


def changed(release: jobs.Release, folder: Path, file: str, change: Callable[[Any], None]) -> Client:
    shutil.copytree(release.package, folder / "package")
    content = json.loads((folder / "package" / file).read_text())
    change(content)
    (folder / "package" / file).write_text(json.dumps(content))
    return Client(folder / "package")


def test_a_released_model_keeps_them_all(release: jobs.Release) -> None:
    assert not broken_promises(Client(release.package))


@pytest.mark.parametrize("action", ["flag", "refuse", "quarantine"])
def test_whatever_its_policy(release: jobs.Release, tmp_path: Path, action: str) -> None:
    policy = {"invalid": action, "unseen": action}
    assert not broken_promises(
        changed(release, tmp_path, "signature.json", lambda content: content.update(policy=policy))
    )


def test_a_forgotten_answer_is_found_out(release: jobs.Release, tmp_path: Path) -> None:
    def forget(golden: Any) -> None:
        golden["requests"][7]["answer"] = '{"predictions":[{"probability":0.75,"prediction":1}]}'

    (broken,) = broken_promises(changed(release, tmp_path, "golden.json", forget))
    assert broken.startswith("golden request 7: the answer.predictions[0].p")
