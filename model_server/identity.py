"""The id of an answer, by which what turned out to be true can be joined to it later."""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random

Headers = Mapping[bytes, bytes]

INFERENCE_ID = b"x-amzn-sagemaker-inference-id"
ATTRIBUTES = b"x-amzn-sagemaker-custom-attributes"
_NAME = b"inference-id="
_NAMED = re.compile(rb"(?:^|;)\s*inference-id=([^;]+)")
_USABLE = re.compile(rb"[ -~]{1,64}")
"""What SageMaker takes as an InferenceId."""
_LONGEST_ATTRIBUTES = 1024
"""In bytes: SageMaker hands no more to the caller."""


class Ids:
    """Gives each invocation an id; one object for each process, since forks of it would give the same ids."""

    def __init__(self) -> None:
        self._bits = Random().getrandbits  # noqa: S311  it has to be new, not secret; a sixth of a UUID's time

    def of(self, headers: Headers) -> str:
        """The id that the caller gave, as InferenceId or among the custom attributes, else a new one."""
        if INFERENCE_ID in headers or ATTRIBUTES in headers:
            given = headers.get(INFERENCE_ID) or _within(headers.get(ATTRIBUTES, b""))
            if _USABLE.fullmatch(given):
                return given.decode()
        return self._bits(96).to_bytes(12).hex()


def attributes(headers: Headers, identity: str) -> bytes:
    """The custom attributes of the answer, the one header of ours that SageMaker hands to callers.

    They are the caller's own, and then the id where it has room.
    """
    own = _NAME + identity.encode()
    theirs = headers.get(ATTRIBUTES)
    if not theirs:
        return own
    both = theirs + b";" + own
    return theirs if len(both) > _LONGEST_ATTRIBUTES or _within(theirs) == identity.encode() else both


def _within(text: bytes) -> bytes:
    found = _NAMED.findall(text)
    return found[-1].strip() if found else b""
