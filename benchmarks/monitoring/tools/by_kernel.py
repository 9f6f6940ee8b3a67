"""The same measures by the library from rows in memory, as the peers have them: `by_kernel RESULT FOLDER DATA...`.

Rows are in memory, and everything is imported and fitted on the reference, before the clock starts.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from monitoring import reading, store
from monitoring.profile import Profile
from monitoring.report import report


def main(result: Path, folder: Path, *files: str) -> None:
    baseline = store.read_baseline(folder / "baseline.json")
    batches = list(reading.batches(files, baseline.spec.columns))
    wall, cpu = time.perf_counter(), time.process_time()
    profile = Profile(baseline)
    for batch in batches:
        profile.add(batch)
    assert report(profile)["periods"]
    result.write_text(json.dumps({"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
