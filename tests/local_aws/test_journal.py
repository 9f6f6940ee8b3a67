import json
from pathlib import Path

from local_aws.journal import DENIALS_KEPT, Decision, Journal


def test_decisions_are_lines_of_json_counted_by_action_and_decision(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "calls.jsonl")
    journal.record(Decision("arn:aws:iam::1:root", "s3", "s3:GetObject", "arn:aws:s3:::b/k", "allow", "r1"))
    journal.record(Decision("arn:aws:iam::1:root", "s3", "s3:GetObject", "arn:aws:s3:::b/k", "allow", "r2"))
    journal.record(Decision("arn:aws:iam::1:user/u", "s3", "s3:PutObject", "*", "implicit-deny", "r3", {"k": "v"}))
    journal.flush()
    lines = [json.loads(line) for line in journal.path.read_text().splitlines()]
    assert [line["request_id"] for line in lines] == ["r1", "r2", "r3"]
    assert lines[2] | {"time": 0} == {
        "caller": "arn:aws:iam::1:user/u",
        "service": "s3",
        "action": "s3:PutObject",
        "resource": "*",
        "decision": "implicit-deny",
        "request_id": "r3",
        "context": {"k": "v"},
        "time": 0,
    }
    assert journal.counts == {("s3:GetObject", "allow"): 2, ("s3:PutObject", "implicit-deny"): 1}
    assert [denial.request_id for denial in journal.denials] == ["r3"]
    journal.close()


def test_memory_stays_bounded_however_much_is_denied(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "calls.jsonl")
    for number in range(DENIALS_KEPT + 10):
        journal.record(Decision("c", "s3", "s3:PutObject", "*", "deny", str(number)))
    journal.flush()
    assert len(journal.denials) == DENIALS_KEPT
    assert journal.denials[-1].request_id == str(DENIALS_KEPT + 9)
    assert len(journal.path.read_text().splitlines()) == DENIALS_KEPT + 10
    journal.close()
