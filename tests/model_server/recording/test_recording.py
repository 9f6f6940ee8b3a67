"""What the server records of itself, as a process over real sockets."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.model_server.cases import ARROW, CSV, JSON, ONE, PARQUET
from tests.model_server.serving import Serving, serve

Record = dict[str, Any]


def recorded(serving: Serving) -> list[Record]:
    """The records that are complete, by the lines of the log, of which each is whole."""
    found: list[Record] = []
    parts: dict[str, dict[int, str]] = defaultdict(dict)
    for line in serving.logged():
        if "captureData" in line:
            found.append(line)
        elif "record" in line:
            parts[line["record"]][line["part"]] = line["data"]
            if len(parts[line["record"]]) == line["parts"]:
                found.append(json.loads("".join(data for _, data in sorted(parts.pop(line["record"]).items()))))
    return found


def awaited(serving: Serving, count: int, seconds: float = 10) -> list[Record]:
    deadline = time.monotonic() + seconds
    while len(recorded(serving)) < count and time.monotonic() < deadline:
        time.sleep(0.02)
    return recorded(serving)


def sides(record: Record) -> tuple[bytes, bytes]:
    """The request and the answer of a record."""
    found = [record["captureData"][side] for side in ("endpointInput", "endpointOutput")]
    one, other = (
        base64.b64decode(side["data"]) if side["encoding"] == "BASE64" else side["data"].encode() for side in found
    )
    return one, other


def counted(serving: Serving, outcome: str) -> float:
    metrics = serving.request("GET", "/metrics")[1].decode()
    (line,) = [line for line in metrics.splitlines() if f'records_total{{outcome="{outcome}"}}' in line]
    return float(line.split()[-1])


def test_nothing_is_recorded_unless_it_is_asked_for(parcels: Path, tmp_path: Path) -> None:
    with serve(tmp_path, parcels) as serving:
        assert serving.invoke(b"3,red\n", CSV)[0] == 200
        serving.terminate()
        serving.ended()
    assert not recorded(serving)


def test_requests_of_each_type_and_size_are_recorded_with_their_answers(parcels: Path, tmp_path: Path) -> None:
    many = b"3,red\n" * 50_000
    with serve(tmp_path, parcels, RECORD_PERCENT="100", SAGEMAKER_MODEL_SERVER_WORKERS="2") as serving:
        asked = [
            (body, serving.invoke(body, kind)[1])
            for kind, body in [
                (CSV, ONE[CSV]),
                (JSON, ONE[JSON]),
                (PARQUET, ONE[PARQUET]),
                (ARROW, ONE[ARROW]),
                (CSV, many),
            ]
        ]
        zipped = serving.request("POST", "/invocations", gzip.compress(many), content_type=CSV, content_encoding="gzip")
        asked.append((many, zipped[1]))
        assert serving.invoke(b"3,pink\n", CSV)[0] == 422
        records = awaited(serving, 6)
        assert counted(serving, "written") == 6
        serving.terminate()
        serving.ended()
    assert sorted(map(sides, records)) == sorted(asked)
    assert len({record["eventMetadata"]["eventId"] for record in records}) == 6
    said = [json.loads(answer)["id"] for request, answer in map(sides, records) if request == ONE[JSON]]
    assert said == [record["eventMetadata"]["inferenceId"] for record in records if sides(record)[0] == ONE[JSON]]


def test_the_last_requests_are_recorded_before_the_server_ends(parcels: Path, tmp_path: Path) -> None:
    with serve(tmp_path, parcels, RECORD_PERCENT="100") as serving:
        for _ in range(20):
            serving.invoke(b"3,red\n", CSV)
        serving.terminate()
        assert serving.ended() == 0
    assert len(recorded(serving)) == 20


def test_a_share_of_requests_is_recorded(parcels: Path, tmp_path: Path) -> None:
    with serve(tmp_path, parcels, RECORD_PERCENT="25", SAGEMAKER_MODEL_SERVER_WORKERS="1") as serving:
        _load(serving, 4, lambda _: [(b"3,red\n", 100)])
        serving.terminate()
        serving.ended()
    assert 50 < len(recorded(serving)) < 150


def test_a_body_that_is_too_large_is_answered_and_counted(parcels: Path, tmp_path: Path) -> None:
    body = b"3,red\n" * (1 << 20) + b"4,red\n" * 2000
    with serve(tmp_path, parcels, RECORD_PERCENT="100") as serving:
        assert serving.invoke(body, CSV)[0] == 200
        assert serving.invoke(b"3,red\n", CSV)[0] == 200
        assert len(awaited(serving, 1)) == 1
        assert counted(serving, "too_large") == 1


def test_four_workers_under_load_write_whole_lines_and_lose_none(parcels: Path, tmp_path: Path) -> None:
    with serve(tmp_path, parcels, RECORD_PERCENT="100", SAGEMAKER_MODEL_SERVER_WORKERS="4") as serving:
        answers = _load(serving, 16, lambda client: [(b"%d,red\n" % (client % 10), 60), (b"5,blue\n" * 2000, 4)])
        records = awaited(serving, len(answers), 20)
        serving.terminate()
        serving.ended()
    assert len(records) == len(answers) == 16 * 64
    assert sorted(map(sides, records)) == sorted(answers.values())
    for record in records:
        assert answers[record["eventMetadata"]["inferenceId"]] == sides(record)


def _load(
    serving: Serving, clients: int, bodies: Callable[[int], list[tuple[bytes, int]]]
) -> dict[str, tuple[bytes, bytes]]:
    """The requests and answers, by their ids, of clients that send bodies of their own so many times, all at once."""
    found: dict[str, tuple[bytes, bytes]] = {}

    def ask(client: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", serving.port, timeout=30)
        for body, times in bodies(client):
            for _ in range(times):
                connection.request("POST", "/invocations", body, {"Content-Type": CSV})
                response = connection.getresponse()
                identity = response.headers["x-amzn-sagemaker-custom-attributes"].removeprefix("inference-id=")
                found[identity] = body, response.read()
        connection.close()

    threads = [threading.Thread(target=ask, args=(client,)) for client in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found
