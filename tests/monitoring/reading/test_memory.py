from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.monitoring.reading.events import event

ROWS = 2_000_000
NAMES = [f"x{place}" for place in range(16)]

STATUS = Path("/proc/self/status")

PROGRAM = """
import json, re, sys
from monitoring.reading import Capture, Problems, batches

def most():
    # Unlike ru_maxrss it does not begin with what the process had that started this one.
    return int(re.search("VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1])

path, names = sys.argv[1], json.loads(sys.argv[2])
before, rows = most(), 0
for batch in batches([path], names, capture=Capture(("age", "job"), {"1": "p"}, "predicted"), problems=Problems()):
    assert batch.num_columns == len(names)
    rows += batch.num_rows
print(rows, (most() - before) // 1024)
"""


def parquet(path: Path) -> None:
    """Its only row group holds 256 MB."""
    numbers = pa.array(np.random.default_rng(0).normal(size=ROWS))
    pq.write_table(pa.table(dict.fromkeys(NAMES, numbers)), path, row_group_size=ROWS, use_dictionary=False)


def arrow(path: Path) -> None:
    """Its only batch holds 256 MB."""
    batch = pa.record_batch(dict.fromkeys(NAMES, pa.array(np.arange(float(ROWS)))))
    with pa.ipc.new_file(path, batch.schema) as file:
        file.write_batch(batch)


def lines(path: Path, line: str, header: str = "") -> None:
    with path.open("w") as file:
        file.write(header)
        for _ in range(100):
            file.write((line + "\n") * (ROWS // 100))


def csv(path: Path) -> None:
    lines(path, ",".join(["0.123456"] * 16), ",".join(NAMES) + "\n")


def json_lines(path: Path) -> None:
    lines(path, json.dumps(dict.fromkeys(NAMES[:4], 0.123456)))


def capture(path: Path) -> None:
    answered = event("\n".join(["30,clerk"] * 100), "\n".join(["0.5,1"] * 100), "text/csv")
    path.write_text((json.dumps(answered) + "\n") * (ROWS // 100))


def measured(path: Path, names: list[str]) -> tuple[int, int]:
    """The rows of a file, and the megabytes that reading it takes."""
    program = [sys.executable, "-c", PROGRAM, str(path), json.dumps(names)]
    done = subprocess.run(program, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[3])
    rows, megabytes = done.stdout.split()
    return int(rows), int(megabytes)


@pytest.mark.skipif(not STATUS.exists(), reason="only Linux tells the peak of one process")
@pytest.mark.parametrize(
    ("name", "write", "names", "most"),
    [
        ("t.parquet", parquet, NAMES, 120),
        ("t.arrow", arrow, NAMES, 300),
        ("t.csv", csv, NAMES, 200),
        ("t.jsonl", json_lines, NAMES[:4], 200),
        ("capture.jsonl", capture, ["age", "job", "p", "predicted"], 200),
    ],
)
def test_memory_does_not_grow_with_the_file(
    tmp_path: Path, name: str, write: Callable[[Path], None], names: list[str], most: int
) -> None:
    write(tmp_path / name)

    rows, megabytes = measured(tmp_path / name, names)
    print(name, rows, megabytes, (tmp_path / name).stat().st_size >> 20)

    assert rows == ROWS
    assert megabytes < most
