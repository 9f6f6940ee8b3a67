"""A batch from its rows to its summary, on the very state machine, under the very roles."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter

from tests.local_aws.batch.world import FOLDER, World
from tests.local_aws.delivery import eventually

GOOD = b"5,red\n6.5,green\n"
MIXED = b"5,red\n7,blue\nfive,red\n\n8,blue\r\n9,green"


def test_every_row_is_scored_or_waits_with_its_reason(world: World) -> None:
    world.give("one", a=GOOD, b=MIXED)
    summary = world.scored("one", at="2026-03-04T05:06:07Z")

    assert (summary["in"], summary["scored"], summary["quarantined"], summary["pending"]) == (8, 4, 4, 4)
    assert summary["reasons"] == {"category_unseen/colour": 2, "no_rows": 1, "type/size": 1}
    assert [each["name"] for each in summary["objects"]] == ["a.csv", "b.csv"]
    assert world.get(f"{FOLDER}/accepted/one/b.csv") == b"5,red\n9,green"
    assert world.get(f"{FOLDER}/out/one/b.csv.out").count(b"\n") == 2
    pending = [json.loads(line) for line in world.get(f"{FOLDER}/quarantine/one/b.csv.jsonl").splitlines()]
    assert [(each["line"], each["row"]) for each in pending] == [
        (2, "7,blue"),
        (3, "five,red"),
        (4, ""),
        (5, "8,blue\r"),
    ]

    records = world.records()
    assert world.keys("capture/") == [f"capture/post/{world.endpoint}/batch/2026/03/04/05/one-0.jsonl"]
    assert [each["eventMetadata"]["inferenceId"] for each in records] == ["one/a.csv", "one/b.csv"]
    assert {each["eventMetadata"]["inferenceTime"] for each in records} == {"2026-03-04T05:06:07Z"}
    assert records[1]["captureData"]["endpointInput"]["data"] == "5,red\n9,green"
    assert records[1]["captureData"]["endpointOutput"]["data"].encode() == world.get(f"{FOLDER}/out/one/b.csv.out")


def test_a_run_of_nothing_but_broken_rows_ends_well_and_scores_nothing(world: World) -> None:
    world.give("broken", a=b"x,red\n" * 3)
    summary = world.scored("broken")
    assert (summary["scored"], summary["quarantined"]) == (0, 3)
    assert not world.keys(f"{FOLDER}/out/")
    assert not world.records()


def test_a_run_that_is_done_again_writes_the_same_and_records_nothing_twice(world: World) -> None:
    world.give("twice", a=MIXED)
    first = world.scored("twice")
    kept = {key: world.get(key) for key in world.keys(f"capture/post/{world.endpoint}/")}
    assert world.scored("twice") == first
    assert {key: world.get(key) for key in world.keys(f"capture/post/{world.endpoint}/")} == kept


def test_a_newer_package_that_knows_the_value_empties_the_quarantine_by_itself(world: World) -> None:
    world.give("march", a=GOOD, b=b"5,red\n7,blue\n8,blue\n", deeper=b"1,blue\n2,mauve\n")
    assert world.scored("march")["pending"] == 4
    newer = world.register(world.packages.newer)
    world.release(newer)

    told = eventually(lambda: world.summary("march").get("scored_later"), 60)
    (run,) = told
    (again,) = [each for each in world.executions() if json.loads(each["input"])["run"] == run]
    assert again["status"] == "SUCCEEDED", again.get("cause")
    summary = world.summary("march")
    assert run.startswith("again-")
    assert summary["scored_later"] == {run: 3}
    assert summary["in"] == summary["scored"] + 3 + summary["pending"]
    assert "scored_twice" not in summary
    assert world.keys(f"{FOLDER}/quarantine/") == [f"{FOLDER}/quarantine/march/deeper.csv.jsonl"]
    (left,) = world.get(f"{FOLDER}/quarantine/march/deeper.csv.jsonl").splitlines()
    assert json.loads(left)["reason"]["code"] == "category_unknown"
    assert world.get(f"{FOLDER}/again/{run}/march/b.csv.lines") == b"2\n3\n"
    assert world.get(f"{FOLDER}/out/{run}/march/b.csv.out").count(b"\n") == 2
    told = world.summary(run)
    assert (told["package"], told["in"], told["scored"]) == (newer, 4, 3)
    ids = Counter(each["eventMetadata"]["inferenceId"] for each in world.records())
    assert ids[f"{run}/march/b.csv"] == 1

    # The same package in service once more, as after scaling: what it could not score is not screened again.
    ended = world.start("again-by-hand", again=True)
    assert ended["status"] == "SUCCEEDED"
    assert not world.keys(f"{FOLDER}/again/again-by-hand/")


def test_an_endpoint_that_has_gone_back_to_another_config_screens_nothing_again(world: World) -> None:
    world.give("april", a=b"5,red\n7,blue\n")
    assert world.scored("april")["pending"] == 1
    world.serve_by_another_config()
    started = eventually(lambda: [each for each in world.executions() if "again" in each["input"]][1:], 60)
    assert {each["status"] for each in started} == {"SUCCEEDED"}
    assert not world.keys(f"{FOLDER}/again/")
    assert world.summary("april")["pending"] == 1


def test_a_lost_answer_fails_the_run_with_a_sentence_and_an_alarm(world: World) -> None:
    world.give("lossy", a=GOOD)
    stop = threading.Event()

    def lose() -> None:
        """Takes a line from the answers as soon as they are there, before they are held against the rows."""
        key = f"{FOLDER}/out/lossy/a.csv.out"
        while not stop.is_set():
            if world.keys(key):
                world.s3.put_object(Bucket=world.bucket, Key=key, Body=world.get(key).splitlines(keepends=True)[0])
                return
            time.sleep(0.005)

    thief = threading.Thread(target=lose)
    thief.start()
    ended = world.start("lossy")
    stop.set()
    thief.join()

    assert (ended["status"], ended["error"]) == ("FAILED", "ReconcileFailed")
    assert "of a.csv 2 rows were accepted, and 1 have an answer" in ended["cause"]
    assert "start the run again" in ended["cause"]
    assert not world.records()
    sqs = world.account.client("sqs")
    mail = eventually(lambda: sqs.receive_message(QueueUrl=world.mail).get("Messages"), 90)
    alarm = json.loads(json.loads(mail[0]["Body"])["Message"])
    assert alarm["AlarmName"] == f"{world.endpoint}-batch-Failed"
    assert "start the state machine" in alarm["AlarmDescription"]

    assert world.scored("lossy")["scored"] == 2
