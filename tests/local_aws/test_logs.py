from typing import Any

from local_aws.account import Account
from tests.local_aws.delivery import LOGS, allow, eventually, role, unique

JOBS = "sagemaker.amazonaws.com"


def messages(account: Account, group: str, stream: str) -> list[str]:
    logs: Any = account.client("logs")
    try:
        found = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [event["message"] for event in found["events"]]


def test_lines_come_to_cloudwatch_logs_while_the_stream_is_open(account: Account) -> None:
    group = f"/aws/{unique('group')}"
    stream = account.log_stream(group, "a/b", role(account, "sagemaker", LOGS), service_principal=JOBS)
    stream.write("one")
    stream.write("")
    eventually(lambda: messages(account, group, "a/b") == ["one", " "])
    stream.write("two")
    stream.close()
    assert messages(account, group, "a/b") == ["one", " ", "two"]
    assert stream.path.read_text() == "one\n\ntwo\n"


def test_many_and_long_lines_arrive_in_order(account: Account) -> None:
    group = f"/aws/{unique('group')}"
    stream = account.log_stream(group, "many")
    sent = [f"{number} {'x' * 30_000}" for number in range(60)]
    for line in sent:
        stream.write(line)
    stream.close()
    assert messages(account, group, "many") == sent


def test_what_the_role_may_not_write_is_in_the_file_and_in_the_journal(account: Account) -> None:
    arn = role(account, "sagemaker", allow("s3:GetObject"))
    group = f"/aws/{unique('group')}"
    stream = account.log_stream(group, "silent", arn, service_principal=JOBS)
    stream.write("nobody reads this in the cloud")
    stream.close()
    assert messages(account, group, "silent") == []
    assert stream.path == account.settings.home / "logs" / group.strip("/") / "silent.log"
    assert stream.path.read_text() == "nobody reads this in the cloud\n"
    account.journal.flush()
    denied = [denial for denial in account.journal.denials if arn.rpartition("/")[2] in denial.caller]
    assert {(denial.action, denial.decision) for denial in denied} == {("logs:CreateLogStream", "implicit-deny")}


def test_a_group_with_its_own_retention_is_left_as_it_is(account: Account) -> None:
    group = f"/aws/{unique('group')}"
    logs = account.client("logs")
    logs.create_log_group(logGroupName=group)
    logs.put_retention_policy(logGroupName=group, retentionInDays=7)
    stream = account.log_stream(group, "s")
    stream.write("line")
    stream.close()
    assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["retentionInDays"] == 7
