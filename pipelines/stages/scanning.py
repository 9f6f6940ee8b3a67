"""What Amazon ECR's scan on push has found in an image."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from config.vulnerabilities import SEVERITIES, Vulnerabilities

PAUSE = 5.0
"""Seconds between two looks at a scan."""
APPEARS_WITHIN = 120.0
"""Seconds after which a scan on push that has not begun will not: nothing scans this repository."""
ENDS_WITHIN = 1200.0
"""Seconds after which a scan that has not ended is given up; most take less than a minute."""

_GOING_ON = ("PENDING", "IN_PROGRESS")
_DONE = ("COMPLETE", "ACTIVE")
"""A basic scan is complete; one by Amazon Inspector stays active, and goes on finding."""


@dataclass(frozen=True)
class Finding:
    """A known vulnerability in one of the image's packages."""

    name: str
    severity: str
    package: str

    def __str__(self) -> str:
        return f"{self.name} ({self.severity}, {self.package})"


@dataclass(frozen=True)
class Scan:
    """How a scan has ended: *none* has looked at nothing, and *why* says so."""

    end: Literal["done", "none", "failed"]
    findings: tuple[Finding, ...] = ()
    why: str = ""


def wait_for_scan(ecr: Any, repository: str, digest: str) -> Scan:
    """The scan of an image, when it has ended."""
    began = time.monotonic()
    while True:
        passed = time.monotonic() - began
        found = _look(ecr, repository, digest)
        status = found["imageScanStatus"] if found else {}
        why = status.get("description", "")
        match status.get("status"):
            case None if passed > APPEARS_WITHIN:
                return Scan("none", why="Amazon ECR has no scan of it; does the repository scan on push?")
            case state if state in _DONE:
                return Scan("done", tuple(_findings(ecr, repository, digest)))
            case state if state is not None and state not in _GOING_ON:
                return _other_end(state, why)
        if passed > ENDS_WITHIN:
            return Scan("failed", why=f"it has not ended after {ENDS_WITHIN / 60:.0f} minutes")
        time.sleep(PAUSE)


def refused(scan: Scan, limits: Vulnerabilities, today: date) -> list[Finding]:
    """The findings that stop an image today, the worst first."""
    found = {each for each in scan.findings if limits.stops(each.severity) and not limits.ignores(each.name, today)}
    return sorted(found, key=lambda each: (-SEVERITIES.index(each.severity), each.name, each.package))


def _look(ecr: Any, repository: str, digest: str) -> Mapping[str, Any] | None:
    try:
        return ecr.describe_image_scan_findings(repositoryName=repository, imageId={"imageDigest": digest})
    except ecr.exceptions.ScanNotFoundException:
        return None


def _other_end(state: str, why: str) -> Scan:
    """Basic scans call an operating system that they do not know a failure; Inspector has a status for it."""
    if state == "FAILED" and "UnsupportedImage" not in why:
        return Scan("failed", why=why or "Amazon ECR gives no reason")
    return Scan("none", why=f"{state}: {why}" if why else state)


def _findings(ecr: Any, repository: str, digest: str) -> Iterator[Finding]:
    pages = ecr.get_paginator("describe_image_scan_findings")
    for page in pages.paginate(repositoryName=repository, imageId={"imageDigest": digest}):
        content = page.get("imageScanFindings", {})
        yield from (_basic(each) for each in content.get("findings", ()))
        yield from (_enhanced(each) for each in content.get("enhancedFindings", ()))


def _basic(finding: Mapping[str, Any]) -> Finding:
    about = {each["key"]: each.get("value", "") for each in finding.get("attributes", ())}
    package = f"{about.get('package_name', 'a package')} {about.get('package_version', '')}".strip()
    return Finding(finding["name"], finding.get("severity", "UNDEFINED").lower(), package)


def _enhanced(finding: Mapping[str, Any]) -> Finding:
    details = finding.get("packageVulnerabilityDetails", {})
    packages = [
        f"{each.get('name')} {each.get('version', '')}".strip() for each in details.get("vulnerablePackages", ())
    ]
    name = details.get("vulnerabilityId") or finding.get("title", "a finding")
    return Finding(name, finding.get("severity", "UNTRIAGED").lower(), ", ".join(packages) or "a package")
