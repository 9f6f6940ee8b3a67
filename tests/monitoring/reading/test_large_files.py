"""What is larger than memory should hold at once, and what reads ahead."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.monitoring.reading.events import event

ROWS = 2_000_000
NAMES = [f"x{place}" for place in range(16)]

ROOT = Path(__file__).parents[3]
STATUS = Path("/proc/self/status")

PREPARING = """
import json, re, sys
from monitoring.reading import Capture, Problems, batches
capture = Capture(("age", "job"), {"1": "p"}, "predicted")
names = json.loads(sys.argv[2])
reading = batches([sys.argv[1]], names, capture=capture, problems=Problems())
"""
MEASURING = """
def most():
    # Unlike ru_maxrss it does not begin with what the process had that started this one.
    return int(re.search("VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1])

before, rows = most(), 0
for batch in reading:
    assert batch.num_columns == len(names)
    rows += batch.num_rows
print(rows, (most() - before) // 1024)
"""
STOPPING = """
next(reading)
sys.exit("stopped")
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
    path.write_text((json.dumps(answered) + "\n") * (ROWS // 400))


WRITERS: dict[str, tuple[Callable[[Path], None], list[str]]] = {
    "t.parquet": (parquet, NAMES),
    "t.arrow": (arrow, NAMES),
    "t.csv": (csv, NAMES),
    "t.jsonl": (json_lines, NAMES[:4]),
    "capture.jsonl": (capture, ["age", "job", "p", "predicted"]),
}


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("large")
    for name, (write, _) in WRITERS.items():
        write(folder / name)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(not STATUS.exists(), reason="only Linux tells the peak of one process")
@pytest.mark.parametrize("name", WRITERS)
def test_memory_does_not_grow_with_the_file(name: str, large: Path) -> None:
    rows, megabytes = map(int, run(MEASURING, large / name, WRITERS[name][1]).stdout.split())

    assert rows == (ROWS // 4 if name == "capture.jsonl" else ROWS)
    assert megabytes < 200


@pytest.mark.parametrize("name", WRITERS)
def test_a_program_that_stops_in_the_middle_ends(name: str, large: Path) -> None:
    done = run(STOPPING, large / name, WRITERS[name][1])

    assert (done.returncode, done.stderr) == (1, "stopped\n")


def run(program: str, path: Path, names: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PREPARING + program, str(path), json.dumps(names)]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, timeout=60)
