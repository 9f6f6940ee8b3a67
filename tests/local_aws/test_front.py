import http.client
import json
import socket
import time
import urllib.request
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from local_aws.account import Account
from tests.local_aws.delivery import allow, bucket, role, unique


def error_of(call: Any, **params: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    return {**caught.value.response["Error"], "Status": caught.value.response["ResponseMetadata"]["HTTPStatusCode"]}


def test_it_listens_on_this_machine_alone(account: Account) -> None:
    port = urlsplit(account.url).port
    assert port
    assert urlsplit(account.url).hostname == "127.0.0.1"
    others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), port)} - {"127.0.0.1", "::1"}
    for address in others:
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((str(address), port), timeout=1)


def test_a_request_goes_to_the_service_that_it_is_signed_for(account: Account) -> None:
    assert account.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")
    assert account.client("sts").get_caller_identity()["Arn"] == "arn:aws:iam::123456789012:root"


def test_every_answer_of_ours_has_the_id_that_its_decisions_have(account: Account) -> None:
    answer = account.client("sagemaker").list_endpoints()
    account.journal.flush()
    request = answer["ResponseMetadata"]["RequestId"]
    assert f'"request_id": "{request}"' in account.journal.path.read_text()


def test_a_caller_without_the_permission_is_refused_in_awss_words(account: Account) -> None:
    reader = role(account, "codebuild", allow("sagemaker:ListEndpoints"))
    client = account.client("sagemaker", reader, service_principal="codebuild.amazonaws.com", session="build")
    assert client.list_endpoints()["Endpoints"] is not None
    error = error_of(client.list_models)
    name = reader.rpartition("/")[2]
    assert error == {
        "Code": "AccessDeniedException",
        "Message": (
            f"User: arn:aws:sts::123456789012:assumed-role/{name}/build is not authorized to perform: "
            "sagemaker:ListModels on resource: * "
            "because no identity-based policy allows the sagemaker:ListModels action"
        ),
        "Status": 400,
    }


def test_a_connection_that_waits_for_its_next_request_stays_open(account: Account) -> None:
    connection = http.client.HTTPConnection(urlsplit(account.url).netloc, timeout=10)
    for pause in (5.5, 0):  # servers end an idle connection after five seconds if nobody says otherwise
        connection.request("GET", "/_ministack/health")
        answer = connection.getresponse()
        assert answer.read()
        assert answer.status == http.client.OK
        connection.auto_open = 0
        time.sleep(pause)
    connection.close()


def test_a_wrong_signature_is_refused(account: Account) -> None:
    name = unique("user")
    iam = account.client("iam")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
    forged = account.authorization.root.__class__(key, "not the secret")
    error = error_of(account.client_as("sagemaker", forged).list_endpoints)
    assert (error["Status"], error["Code"]) == (403, "InvalidSignatureException")


def test_parameters_are_held_to_the_services_own_description(account: Account) -> None:
    error = error_of(account.client("sagemaker").describe_endpoint, EndpointName="under_score")
    assert error["Code"] == "ValidationException"
    assert error["Message"].startswith("1 validation error detected: Value 'under_score' at 'endpointName'")


def test_an_operation_that_is_not_rehearsed_says_so_and_which_are(account: Account) -> None:
    error = error_of(account.client("application-autoscaling").describe_scheduled_actions, ServiceNamespace="sagemaker")
    assert error["Status"] == 501
    assert "DescribeScheduledActions is not rehearsed on the local AWS; it has DeleteScalingPolicy," in error["Message"]


def test_only_sagemaker_answers_invocations(account: Account) -> None:
    error = error_of(account.client("sagemaker-runtime").invoke_endpoint, EndpointName=unique("none"), Body=b"")
    assert error["Code"] in ("ValidationError", "ValidationException")


def test_an_unsigned_request_is_no_bodys_request(account: Account) -> None:
    headers = {"X-Amz-Target": "SageMaker.ListEndpoints", "Content-Type": "application/x-amz-json-1.1"}
    request = urllib.request.Request(account.url, data=b"{}", headers=headers, method="POST")
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(request)


def test_buckets_that_insist_on_tls_are_served(account: Account) -> None:
    name = bucket(account)
    insist = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": f"arn:aws:s3:::{name}/*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    s3 = account.client("s3")
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [insist]}))
    writer = role(account, "codebuild", allow("s3:PutObject"))
    client = account.client("s3", writer, service_principal="codebuild.amazonaws.com")
    assert client.put_object(Bucket=name, Key="key", Body=b"content")["ETag"]
