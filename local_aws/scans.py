"""Image scans: nothing here knows vulnerabilities, so a scan on push says that it was not rehearsed.

A test of what becomes of findings puts them in: `account.scans.put(repository, digest, [Found(...)])`.
"""

# ruff: noqa: SLF001 - MiniStack's private names, all of them listed and checked in emulator.py

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local_aws.account import Account

UNSUPPORTED = {
    "status": "UNSUPPORTED_IMAGE",
    "description": "Not rehearsed: the local AWS scans no images for vulnerabilities.",
}
OPERATION = "DescribeImageScanFindings"


@dataclass(frozen=True)
class Found:
    """A vulnerability as a basic scan tells of it; the severity in AWS's words: CRITICAL, HIGH, MEDIUM, LOW."""

    name: str
    severity: str
    package: str = "openssl"
    version: str = "3.0"

    def shape(self) -> dict[str, Any]:
        attributes = {"package_name": self.package, "package_version": self.version}
        return {
            "name": self.name,
            "severity": self.severity,
            "attributes": [{"key": key, "value": value} for key, value in attributes.items()],
        }


class Scans:
    """What scans of images have found, by repository and digest."""

    def __init__(self) -> None:
        self._ended: dict[tuple[str, str], tuple[Mapping[str, str], Sequence[Found]]] = {}

    def put(
        self, repository: str, digest: str, found: Sequence[Found], *, status: str = "COMPLETE", description: str = ""
    ) -> None:
        """Let the scan of an image be like this, whether the image is there yet or not; no status is no scan."""
        self._ended[repository, digest] = {"status": status, "description": description}, tuple(found)

    def answer(self, repository: str, digest: str) -> dict[str, Any]:
        """Status and findings of an image's scan."""
        status, found = self._ended.get((repository, digest), (UNSUPPORTED, ()))
        answer: dict[str, Any] = {"imageScanStatus": status}
        if status["status"] == "COMPLETE":
            answer["imageScanFindings"] = {
                "findings": [each.shape() for each in found],
                "findingSeverityCounts": Counter(each.severity for each in found),
            }
        return answer


def install(account: Account) -> None:
    """Answer DescribeImageScanFindings, which MiniStack does not know."""
    ecr = account.emulator.ecr
    others = ecr.handle_request

    async def handle_request(method: str, path: str, headers: Mapping[str, str], body: bytes, query: Any) -> Any:
        if headers.get("x-amz-target", "").rpartition(".")[2] == OPERATION:
            return _describe(account, json.loads(body or b"{}"))
        return await others(method, path, headers, body, query)

    ecr.handle_request = handle_request


def _describe(account: Account, asked: Mapping[str, Any]) -> Any:
    ecr = account.emulator.ecr
    name, wanted = asked.get("repositoryName", ""), asked.get("imageId", {})
    if name not in ecr._repositories:
        message = f"The repository with name '{name}' does not exist"
        return ecr.error_response_json("RepositoryNotFoundException", message, 400)
    image = ecr._find_image(name, wanted)
    if image is None:
        message = f"The image with imageId {json.dumps(wanted)} does not exist within the repository '{name}'"
        return ecr.error_response_json("ImageNotFoundException", message, 400)
    digest = image["imageDigest"]
    answer = account.scans.answer(name, digest)
    if not answer["imageScanStatus"]["status"]:
        message = f"Image scan does not exist for the image with '{json.dumps(wanted)}' in the repository '{name}'"
        return ecr.error_response_json("ScanNotFoundException", message, 400)
    about = {"registryId": ecr._registry_id(), "repositoryName": name, "imageId": {"imageDigest": digest}}
    return ecr.json_response(about | answer)
