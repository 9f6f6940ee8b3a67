"""What counts of what a scan has found."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from config.vulnerabilities import Vulnerabilities
from pipelines.stages.scanning import Finding, Scan, _basic, _enhanced, refused

TODAY = date(2026, 11, 25)
REASON = "the package is there, and nothing calls it"


def limits(**content: Any) -> Vulnerabilities:
    return Vulnerabilities.model_validate(content)


def scan(**severities: str) -> Scan:
    return Scan("done", tuple(Finding(name, severity, "openssl 3") for name, severity in severities.items()))


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("critical", ["c"]), ("high", ["c", "h"]), ("medium", ["c", "h", "m"]), ("low", list("chml"))],
)
def test_a_finding_as_severe_as_the_limit_or_worse_counts_the_worst_first(limit: str, expected: list[str]) -> None:
    found = scan(l="low", m="medium", h="high", c="critical", u="undefined", t="untriaged", i="informational")
    assert [finding.name for finding in refused(found, limits(limit=limit), TODAY)] == expected


@pytest.mark.parametrize(("until", "counts"), [(None, False), ("2026-11-25", False), ("2026-11-24", True)])
def test_what_is_ignored_counts_again_after_its_last_day(until: str | None, counts: bool) -> None:
    ignored = {"id": "CVE-2026-1", "reason": REASON, "until": until}
    found = Scan("done", (Finding("CVE-2026-1", "critical", "openssl 3"),))
    assert bool(refused(found, limits(ignore=[ignored]), TODAY)) == counts


def test_a_finding_needs_a_reason_and_is_listed_once() -> None:
    with pytest.raises(ValidationError, match="at least 20"):
        limits(ignore=[{"id": "CVE-2026-1", "reason": "no"}])
    with pytest.raises(ValidationError, match="CVE-2026-1 is listed more than once"):
        limits(ignore=[{"id": "CVE-2026-1", "reason": REASON}] * 2)


def test_both_of_amazons_scans_are_understood() -> None:
    attributes = [{"key": "package_version", "value": "3.5"}, {"key": "package_name", "value": "openssl"}]
    assert str(_basic({"name": "CVE-2026-1", "severity": "HIGH", "attributes": attributes})) == (
        "CVE-2026-1 (high, openssl 3.5)"
    )
    details = {"vulnerabilityId": "CVE-2026-2", "vulnerablePackages": [{"name": "numpy", "version": "2.5"}]}
    assert str(_enhanced({"severity": "CRITICAL", "packageVulnerabilityDetails": details})) == (
        "CVE-2026-2 (critical, numpy 2.5)"
    )
