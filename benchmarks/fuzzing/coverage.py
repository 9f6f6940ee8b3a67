"""Coverage-guided: atheris looks for bodies that reach new code of one decoder. It runs in an environment of its own.

python -m benchmarks.fuzzing.coverage PACKAGE FOUND KIND COUNT COUNTS CORPUS
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random
from zlib import crc32

import atheris

with atheris.instrument_imports(include=["model_server"]):
    from benchmarks.fuzzing.target import Target

from benchmarks.fuzzing import rows
from benchmarks.fuzzing.damage import damaged

_SEEDS = 40
_EVERY = 500


def main(package: str, found: str, kind: str, count: str, counts: str, corpus: str) -> None:
    """Lets atheris ask COUNT times; the counts so far are in a file, since it ends the process itself."""
    target = Target(Path(package), Path(found))
    for number in range(_SEEDS):
        (Path(corpus) / f"seed-{number}").write_bytes(rows.valid(kind, Random(number)))

    def ask(body: bytes) -> None:
        target.ask(kind, body, Random(crc32(body)))
        total = target.statuses.total()
        if not total % _EVERY or total >= int(count):
            Path(counts).write_text(json.dumps({"statuses": target.statuses, "slowest": target.slowest}))

    def mutate(body: bytes, most: int, seed: int) -> bytes:
        random = Random(seed)
        changed = damaged(kind, random, body) if random.random() < 0.5 else atheris.Mutate(body, len(body) + 16)
        return changed[:most]

    limits = ["-max_len=16384", "-rss_limit_mb=3000", "-timeout=20", f"-artifact_prefix={found}/"]
    atheris.Setup([sys.argv[0], f"-runs={count}", *limits, corpus], ask, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
