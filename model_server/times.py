"""Where the time of requests goes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Times:
    """Seconds spent in each part of answering since the server started."""

    decode: float = 0.0
    check: float = 0.0
    score: float = 0.0
    encode: float = 0.0
