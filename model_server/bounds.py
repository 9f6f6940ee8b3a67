"""What one request may cost at most. Behind SageMaker or in front of it, a body is somebody else's word."""

from __future__ import annotations

MB = 1024 * 1024

HEAD_BYTES = 32 * 1024
"""Of a request's line and headers, or of whatever else is no body: trailers, chunk extensions, empty lines."""
HEADERS = 100
"""Of one request, its trailers among them."""
CONNECTIONS: int = 1000
"""Of one worker; those beyond, of which GUESTS may be there at once, get the answer to a health check and no other."""
GUESTS: int = 64
GUEST_SECONDS: int = 2
PIPELINED = 64
"""Requests that wait on one connection for the answer to an earlier one."""
PATIENCE_SECONDS: float = 20
"""For all of a request's head and a small body; a longer body, and an answer, then have to keep the pace."""
PACE = 100_000
"""Bytes a second that a caller sends of a body, or takes of an answer, on average and once its 20 seconds are over."""
KEEP_ALIVE_SECONDS: int = 75
"""A connection without a request; longer than a router keeps one, so that ours is not the side that closes it."""
LINGER_SECONDS = 2
"""What still comes after a refusal is read and dropped for so long, so that its sender gets to see the refusal."""

GZIP_MEMBERS = 4000
"""Of one body: each costs its own, though it hold nothing."""
LINE_BYTES = 4 * MB
"""Of one line of CSV or JSON Lines: it is read in one piece."""
JSON_BYTES = 25 * MB
"""Of a JSON document: unlike lines it can't be read piece by piece."""
JSON_ALONE_BYTES = MB
"""A larger document is parsed and answered alone: what it is parsed to takes up to thirty times its size."""
BATCH_ROWS = 16_384
"""Rows of a body that are checked and scored together, at the most."""
UNPACKED_TIMES = 100
"""What a Parquet file or Arrow stream may unpack to, as a multiple of its size; UNPACKED_LEAST is free for all."""
UNPACKED_LEAST = 16 * MB
UNPACKED_MOST = 1024 * MB
ANSWER_BYTES = 256 * MB
"""What the answers to one body may take until they are sent."""


def unpacked(size: int) -> int:
    """How many bytes a columnar body of *size* bytes may unpack to."""
    return min(UNPACKED_MOST, max(UNPACKED_LEAST, size * UNPACKED_TIMES))
