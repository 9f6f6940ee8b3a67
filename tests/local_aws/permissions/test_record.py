"""A journal becomes a record: each call once, with its scenes; people and the CDK's roles are not in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from local_aws.permissions.__main__ import write
from local_aws.permissions.lived import Lived, Scene
from local_aws.permissions.record import magnitude
from local_aws.rehearsal.failure import RehearsalError

SESSION = "arn:aws:sts::123456789012:assumed-role/one-Job-1a2b3c4d5e6f7/SageMaker"
BUCKET = "one-data-1a2b3c4d5e6f7"


def call(time: float, **more: Any) -> dict[str, Any]:
    given = {"caller": SESSION, "action": "s3:GetObject", "resource": f"arn:aws:s3:::{BUCKET}/labour/{int(time)}.csv"}
    return {**given, "decision": "allow", "context": {}, "time": time, **more}


def lived(home: Path, *calls: dict[str, Any]) -> Path:
    home.mkdir(exist_ok=True)
    (home / "calls.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in calls))
    scenes = (Scene("first", 0.0), Scene("second", 100.0))
    paths = {BUCKET: "one/Data"}
    Lived(home, paths, {"one-Job-1a2b3c4d5e6f7": "one/Job"}, scenes, ("123456789012", "us-east-1")).keep()
    return home


def rows(target: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in target.read_text().splitlines()]


def test_the_same_call_is_one_line_with_its_scenes(tmp_path: Path) -> None:
    calls = [call(float(second)) for second in (1, 2, 3, 150)]
    root = call(4.0, caller="arn:aws:iam::123456789012:root")
    identity = call(5.0, action="sts:GetCallerIdentity", resource="*")
    write(tmp_path / "record", [lived(tmp_path / "home", *calls, root, identity)])
    assert rows(tmp_path / "record") == [
        {
            "who": "one/Job",
            "action": "s3:GetObject",
            "resource": "arn:aws:s3:::<one/Data>/labour/N.csv",
            "calls": {"first": 1, "second": 1},
        }
    ]


def test_a_service_that_becomes_a_role_is_in_it(tmp_path: Path) -> None:
    role = "arn:aws:iam::123456789012:role/one-Job-1a2b3c4d5e6f7"
    given = {"caller": "sagemaker.amazonaws.com", "action": "sts:AssumeRole", "resource": role}
    write(
        tmp_path / "record",
        [lived(tmp_path / "home", call(1.0, **given, context={"aws:SourceAccount": "123456789012"}))],
    )
    (row,) = rows(tmp_path / "record")
    assert row["who"] == "service:sagemaker.amazonaws.com"
    assert row["context"] == {"aws:SourceAccount": "{account}"}


def test_lives_add_up(tmp_path: Path) -> None:
    homes = [lived(tmp_path / "a", call(1.0)), lived(tmp_path / "b", call(1.0), call(2.0, action="s3:PutObject"))]
    write(tmp_path / "record", homes)
    assert [row["action"] for row in rows(tmp_path / "record")] == ["s3:GetObject", "s3:PutObject"]


def test_a_denied_call_leaves_no_record(tmp_path: Path) -> None:
    home = lived(tmp_path / "home", call(1.0, decision="implicit-deny"))
    with pytest.raises(RehearsalError, match=r"one/Job may not s3:GetObject on .*<one/Data>"):
        write(tmp_path / "record", [home])
    assert not (tmp_path / "record").exists()


@pytest.mark.parametrize(("count", "expected"), [(1, 1), (9, 1), (10, 10), (4321, 1000)])
def test_a_count_is_told_by_its_magnitude(count: int, expected: int) -> None:
    assert magnitude(count) == expected
