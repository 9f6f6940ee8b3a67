from __future__ import annotations

from typing import Any

import pytest

from local_aws.sagemaker.hosting.tracking import Scaled, wanted


def policy(target: float = 100, name: str = "one", **members: Any) -> dict[str, Any]:
    return {"PolicyName": name, "TargetTrackingScalingPolicyConfiguration": {"TargetValue": target, **members}}


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        ([250, 250, 101], 5),
        ([250, 250, 100], None),
        ([250, 250], None),
        ([250, None, 250, 250], None),
        ([101, 101, 101], 3),
        ([40] * 15, 1),
        ([60] * 15, 2),
        ([40] * 14, None),
        ([40] * 14 + [90], None),
        ([None] * 15, None),
    ],
)
def test_three_minutes_above_the_target_scale_out_and_fifteen_well_below_it_in(
    minutes: list[float | None], expected: int | None
) -> None:
    found = wanted([policy()], minutes, 2)
    assert found == (None if expected is None else (expected, "one"))


def test_a_policy_that_only_scales_out_does_not_scale_in() -> None:
    assert wanted([policy(DisableScaleIn=True)], [40] * 15, 2) is None


@pytest.mark.parametrize(
    ("last", "busy", "calm"),
    [
        (Scaled(out=True, ago=59), False, False),
        (Scaled(out=True, ago=61), True, True),
        (Scaled(out=False, ago=59), True, True),
        (Scaled(out=False, ago=29), True, False),
    ],
)
def test_a_cooldown_holds_back_what_scaled_last_but_never_a_scaling_out_after_one_in(
    last: Scaled, *, busy: bool, calm: bool
) -> None:
    policies = [policy(ScaleOutCooldown=60, ScaleInCooldown=30)]
    assert (wanted(policies, [250] * 3, 2, last) is not None) == busy
    assert (wanted(policies, [40] * 15, 2, last) is not None) == calm


def test_without_a_cooldown_five_minutes_are_waited() -> None:
    assert wanted([policy()], [250] * 3, 2, Scaled(out=True, ago=299)) is None
    assert wanted([policy()], [250] * 3, 2, Scaled(out=True, ago=301)) == (5, "one")


def test_of_several_policies_one_scales_out_and_all_scale_in() -> None:
    high, low = policy(100), policy(1000, "two")
    assert wanted([high, low], [250] * 15, 2) == (5, "one")
    assert wanted([high, low], [95] * 15, 2) is None
    found = wanted([high, low], [40] * 15, 2)
    assert found
    assert found[0] == 1
