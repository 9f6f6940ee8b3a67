import json
import threading

import pytest
from botocore.exceptions import ClientError

from local_aws.account import Account
from local_aws.errors import AwsError
from local_aws.journal import Decision
from local_aws.service import Permission
from tests.local_aws.delivery import allow, role, unique

BUILDS = "codebuild.amazonaws.com"


def last(account: Account, action: str, resource: str) -> Decision:
    account.journal.flush()
    lines = [json.loads(line) for line in account.journal.path.read_text().splitlines()]
    return Decision(**[line for line in lines if (line["action"], line["resource"]) == (action, resource)][-1])


def trusting(account: Account, **statement: object) -> str:
    name = unique("role")
    trust = {"Effect": "Allow", "Principal": {"Service": BUILDS}, "Action": "sts:AssumeRole", **statement}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    return account.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]


def test_a_service_assumes_only_roles_that_trust_it(account: Account) -> None:
    arn = trusting(account)
    assert account.environment(arn, service_principal=BUILDS)["AWS_SESSION_TOKEN"]
    assert last(account, "sts:AssumeRole", arn).decision == "allow"
    with pytest.raises(AwsError, match=r"its trust policy does not let sagemaker\.amazonaws\.com in"):
        account.environment(arn, service_principal="sagemaker.amazonaws.com")
    refused = last(account, "sts:AssumeRole", arn)
    assert (refused.caller, refused.decision) == ("sagemaker.amazonaws.com", "implicit-deny")


def test_a_role_that_does_not_exist_cannot_be_assumed(account: Account) -> None:
    with pytest.raises(AwsError, match="there is no such role"):
        account.client("s3", "arn:aws:iam::123456789012:role/nobody", service_principal=BUILDS)


def test_a_regional_service_name_means_the_service(account: Account) -> None:
    arn = trusting(account, Principal={"Service": ["states.us-east-1.amazonaws.com", "lambda.amazonaws.com"]})
    assert account.environment(arn, service_principal="states.amazonaws.com")
    with pytest.raises(AwsError):
        account.environment(arn, service_principal="events.amazonaws.com")


def test_conditions_on_the_source_decide_too(account: Account) -> None:
    condition = {
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnLike": {"aws:SourceArn": "arn:aws:codebuild:us-east-1:123456789012:project/mine"},
    }
    arn = trusting(account, Condition=condition)
    mine, other = (account.arn("codebuild", f"project/{name}") for name in ("mine", "other"))
    assert account.environment(arn, service_principal=BUILDS, source_arn=mine)
    for source in (other, ""):
        with pytest.raises(AwsError):
            account.environment(arn, service_principal=BUILDS, source_arn=source)


def test_the_same_role_and_session_share_credentials_and_clients(account: Account) -> None:
    arn = trusting(account)
    first = account.client("s3", arn, service_principal=BUILDS, session="one")
    assert account.client("s3", arn, service_principal=BUILDS, session="one") is first
    assert account.client("s3", arn, service_principal=BUILDS, session="two") is not first


def test_the_session_bears_the_name_it_was_given(account: Account) -> None:
    arn = role(account, "codebuild", allow("sts:GetCallerIdentity"))
    sts = account.client("sts", arn, service_principal=BUILDS, session="build-7")
    name = arn.rpartition("/")[2]
    assert sts.get_caller_identity()["Arn"] == f"arn:aws:sts::123456789012:assumed-role/{name}/build-7"


def test_clients_may_be_made_by_many_threads_at_once(account: Account) -> None:
    arn = role(account, "codebuild", allow("s3:ListAllMyBuckets"))
    failures: list[Exception] = []

    def work(number: int) -> None:
        try:
            account.client("s3", arn, service_principal=BUILDS, session=f"s{number % 3}").list_buckets()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_an_explicit_deny_is_told_from_a_missing_allow(account: Account) -> None:
    deny = {"Effect": "Deny", "Action": "sagemaker:*", "Resource": "*"}
    arn = role(account, "codebuild", allow("sagemaker:*"), deny)
    key = account.environment(arn, service_principal=BUILDS)["AWS_ACCESS_KEY_ID"]
    with pytest.raises(AwsError, match="with an explicit deny in an identity-based policy"):
        account.authorization.require(key, "sagemaker", Permission("sagemaker:ListModels", "*"))
    assert last(account, "sagemaker:ListModels", "*").decision == "deny"


def test_passing_a_role_depends_on_whom_it_is_passed_to(account: Account) -> None:
    passing = allow("iam:PassRole", resource="arn:aws:iam::123456789012:role/job")
    passing["Condition"] = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    arn = role(account, "codebuild", passing)
    key = account.environment(arn, service_principal=BUILDS)["AWS_ACCESS_KEY_ID"]
    to_sagemaker = {"iam:PassedToService": "sagemaker.amazonaws.com"}
    job = "arn:aws:iam::123456789012:role/job"
    account.authorization.require(key, "iam", Permission("iam:PassRole", job, to_sagemaker))
    with pytest.raises(AwsError, match="is not authorized to perform: iam:PassRole"):
        account.authorization.require(key, "iam", Permission("iam:PassRole", job, {"iam:PassedToService": "ec2"}))


def test_decisions_of_ministack_are_journalled_with_their_caller(account: Account) -> None:
    arn = role(account, "codebuild", allow("s3:ListAllMyBuckets"))
    s3 = account.client("s3", arn, service_principal=BUILDS)
    name = unique("bucket")
    with pytest.raises(ClientError):
        s3.create_bucket(Bucket=name)
    decision = last(account, "s3:CreateBucket", f"arn:aws:s3:::{name}")
    assert decision.caller == f"arn:aws:sts::123456789012:assumed-role/{arn.rpartition('/')[2]}/codebuild"
    assert (decision.service, decision.decision) == ("s3", "implicit-deny")
    assert decision.request_id
