"""A process that puts bad bodies of one content type through the decoders; its last words are its counts.

python -m benchmarks.fuzzing.mutation PACKAGE FOUND KIND COUNT SEED
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random

import psutil

from benchmarks.fuzzing.damage import bad
from benchmarks.fuzzing.memory import slope
from benchmarks.fuzzing.target import Target

_SAMPLES = 40


def main(package: str, found: str, kind: str, count: str, seed: str) -> None:
    """Asks COUNT times; the body at hand is in a file, so that a crash tells which it was."""
    random = Random(int(seed))
    target = Target(Path(package), Path(found))
    at_hand = Path(found) / f"at-hand-{kind.rpartition('/')[2]}"
    at_hand.parent.mkdir(parents=True, exist_ok=True)
    process = psutil.Process()
    sizes: list[tuple[float, float]] = []
    every = max(1, int(count) // _SAMPLES)
    with at_hand.open("wb", buffering=0) as file:
        for number in range(int(count)):
            body = bad(kind, random)
            file.seek(0)
            file.write(len(body).to_bytes(8, "little") + body)
            target.ask(kind, body, random)
            if not number % every:
                sizes.append((float(number), process.memory_info().rss / 2**20))
    at_hand.unlink()
    grown = slope(sizes[_SAMPLES // 4 :], per=10_000)
    print(json.dumps({"statuses": target.statuses, "slowest": target.slowest, "mb_per_10000": grown}))


if __name__ == "__main__":
    main(*sys.argv[1:])
