"""Names of one run, made those of every run: no account, no random suffix, no time, no number."""

from __future__ import annotations

import re
from collections.abc import Mapping

PATTERNS = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE), "ID"),
    (re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{64}(?![0-9A-Za-z])"), "DIGEST"),
    (re.compile(r"(?<![0-9A-Za-z])(?=[0-9a-f]*\d)[0-9a-f]{12,40}(?![0-9A-Za-z])", re.IGNORECASE), "ID"),
)
"""What is random anywhere."""

NUMBERED = ("s3", "sagemaker", "logs", "states")
"""The services whose resources are counted, dated, or named after what is."""

PACKAGE = re.compile(r"(:model-package/[^/]+)/\d+$")
"""A version of a model; the policies of a serving stack name the one that it serves."""

ARTIFACT = re.compile(r"^(arn:aws:s3:::[^/]+/[^/]+/[^/]+)/[A-Za-z0-9]{7}$")
"""An object that CodePipeline keeps for an execution."""

EXECUTIONS = (
    (re.compile(r"pipelines-[0-9a-z]{12}-(\w+)-[0-9A-Za-z]{10}"), r"pipelines-ID-\1-ID"),
    (re.compile(r"/(runs|execution)/[0-9a-z]{12}(?![0-9A-Za-z])"), r"/\1/ID"),
)
"""How SageMaker names a pipeline's jobs and executions, and ours keep what they leave."""

NUMBER = re.compile(r"\d+")


class Plain:
    """Replaces what only one run knows: `<path>` is the name of a construct's resource."""

    def __init__(self, names: Mapping[str, str], account: str, region: str) -> None:
        by_length = sorted(names, key=len, reverse=True)
        self._names = names
        self._name = re.compile("|".join(map(re.escape, by_length)) or r"(?!)")
        self._account, self._region = account, region

    def text(self, value: str) -> str:
        """A value of a condition key."""
        if value.startswith("arn:"):
            return self.resource(value)
        found = self._random(self._placed(self._named(value)))
        return NUMBER.sub("N", found) if "/" in found and "<" not in found else found

    def resource(self, arn: str) -> str:
        """The ARN of a resource."""
        found = ARTIFACT.sub(r"\1/ID", PACKAGE.sub(r"\1/1", arn))
        found = self._random(self._placed(self._named(found)))
        service, resource = _parts(found)
        if service in NUMBERED and ":model-package/" not in found:
            found = found[: len(found) - len(resource)] + _unnumbered(resource)
        return found

    def _named(self, text: str) -> str:
        return self._name.sub(lambda found: f"<{self._names[found[0]]}>", text)

    def _placed(self, text: str) -> str:
        return text.replace(self._account, "{account}").replace(self._region, "{region}")

    def _random(self, text: str) -> str:
        for pattern, form in EXECUTIONS:
            text = pattern.sub(form, text)
        for pattern, word in PATTERNS:
            text = pattern.sub(word, text)
        return text


def _parts(arn: str) -> tuple[str, str]:
    """The service of an ARN, and its resource."""
    parts = arn.split(":", 5)
    return (parts[2], parts[5]) if len(parts) == 6 else ("", arn)


def _unnumbered(resource: str) -> str:
    """Numbers are left in the paths of constructs."""
    pieces = re.split(r"(<[^>]*>)", resource)
    return "".join(piece if piece.startswith("<") else NUMBER.sub("N", piece) for piece in pieces)
