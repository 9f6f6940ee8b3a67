"""Who started a release may not approve it, by whatever ARN each comes."""

from __future__ import annotations

import pytest

from pipelines.stages.four_eyes import person, refusal

SESSION = "arn:aws:sts::123456789012:assumed-role"
USER = "arn:aws:iam::123456789012:user"


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        (f"{SESSION}/Admin/ada@example.com", "ada@example.com"),
        (f"{USER}/people/ada", "ada"),
        (f"{USER}/ada", "ada"),
        ("arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:root"),
        ("arn:aws-us-gov:sts::123456789012:assumed-role/Admin/ada", "ada"),
    ],
)
def test_a_person_is_a_session_or_a_user(arn: str, name: str) -> None:
    assert person(arn) == name


@pytest.mark.parametrize(
    ("starter", "approver", "refused"),
    [
        (f"{SESSION}/Admin/ada", f"{SESSION}/Admin/ada", True),
        (f"{SESSION}/Admin/ada", f"{SESSION}/Approver/ada", True),
        (f"{SESSION}/Admin/ada", f"{SESSION}/Admin/grace", False),
        (f"{USER}/ada", f"{SESSION}/Approver/ada", True),
        (f"{USER}/ada", f"{USER}/grace", False),
        (f"{SESSION}/plan/AWSCodeBuild-1", f"{SESSION}/Admin/ada", False),
        (f"{USER}/ada", "", True),
    ],
)
def test_the_same_person_is_told_from_another(starter: str, approver: str, refused: bool) -> None:
    assert (refusal(starter, approver) is not None) is refused
