from typing import Any

from local_aws.account import Account
from tests.local_aws.cloudformation.stacks import Stacks, output
from tests.local_aws.delivery import allow, role, unique


def test_a_bucket_keeps_what_the_template_says(account: Account, stacks: Stacks) -> None:
    stack = unique("Stack")
    key = account.client("kms").create_key()["KeyMetadata"]["Arn"]

    def resources(**more: Any) -> dict[str, Any]:
        encryption = {
            "ServerSideEncryptionConfiguration": [
                {
                    "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key},
                    "BucketKeyEnabled": True,
                }
            ]
        }
        return {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketEncryption": encryption, **more}}}

    rules = [
        {"Id": "old", "Status": "Enabled", "NoncurrentVersionExpiration": {"NoncurrentDays": "30"}},
        {
            "Id": "parts",
            "Status": "Enabled",
            "Prefix": "uploads/",
            "ExpirationInDays": 365,
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
            "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": 90}],
        },
    ]
    first = resources(
        LifecycleConfiguration={"Rules": rules},
        LoggingConfiguration={"DestinationBucketName": "logs", "LogFilePrefix": "data/"},
        OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        Tags=[{"Key": "team", "Value": "x"}],
    )
    tags = [{"Key": "project", "Value": "p"}]
    assert stacks.deploy(stack, first, tags=tags) == "CREATE_COMPLETE", stacks.failures(stack)
    s3, name = account.client("s3"), stacks.resource(stack, "Bucket")
    (rule,) = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    assert rule["BucketKeyEnabled"] is True
    logged = s3.get_bucket_logging(Bucket=name)["LoggingEnabled"]
    assert (logged["TargetBucket"], logged["TargetPrefix"]) == ("logs", "data/")
    old, parts = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    assert old["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert parts["Filter"] == {"Prefix": "uploads/"}
    assert parts["Transitions"] == [{"Days": 90, "StorageClass": "GLACIER"}]
    kept = {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=name)["TagSet"]}
    assert kept == {"team": "x", "project": "p"}
    assert stacks.deploy(stack, resources(), tags=tags) == "UPDATE_COMPLETE", stacks.failures(stack)
    assert "Rules" not in _or_nothing(s3.get_bucket_lifecycle_configuration, Bucket=name)
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=name)
    assert stacks.resource(stack, "Bucket") == name


def _or_nothing(call: Any, **params: Any) -> dict[str, Any]:
    try:
        return call(**params)
    except call.__self__.exceptions.ClientError:
        return {}


def test_a_permissions_boundary_limits_the_role(account: Account, stacks: Stacks) -> None:
    stack = unique("Stack")
    everything = {"Version": "2012-10-17", "Statement": [allow("*")]}
    buckets = {"Version": "2012-10-17", "Statement": [allow("s3:ListAllMyBuckets")]}
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "codebuild.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    resources = {
        "Boundary": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": buckets}},
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": trust,
                "Policies": [{"PolicyName": "all", "PolicyDocument": everything}],
                "PermissionsBoundary": {"Ref": "Boundary"},
            },
        },
    }
    values = output(Role={"Fn::GetAtt": ["Role", "Arn"]})
    assert stacks.deploy(stack, resources, Outputs=values) == "CREATE_COMPLETE", stacks.failures(stack)
    arn = stacks.outputs(stack)["Role"]
    assert account.client("s3", arn, service_principal="codebuild.amazonaws.com").list_buckets()["Buckets"] is not None
    topics = account.client("sns", arn, service_principal="codebuild.amazonaws.com")
    assert "AuthorizationError" in _code(topics.list_topics) or "AccessDenied" in _code(topics.list_topics)


def _code(call: Any) -> str:
    try:
        call()
    except call.__self__.exceptions.ClientError as error:
        return error.response["Error"]["Code"]
    return ""


def test_a_topic_keeps_its_key(account: Account, stacks: Stacks) -> None:
    stack = unique("Stack")
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"KmsMasterKeyId": "alias/aws/sns"}}
    assert stacks.deploy(stack, {"Topic": topic}) == "CREATE_COMPLETE", stacks.failures(stack)
    arn = stacks.resource(stack, "Topic")
    attributes = account.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]
    assert attributes["KmsMasterKeyId"] == "alias/aws/sns"


def test_gaps_are_filled_with_the_rights_of_the_stacks_role(account: Account) -> None:
    creating = role(account, "cloudformation", allow("s3:CreateBucket"))
    stack = unique("Stack")
    stacks = Stacks(account)
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"Tags": [{"Key": "a", "Value": "b"}]}}
    assert stacks.deploy(stack, {"Bucket": bucket}, roleARN=creating) == "ROLLBACK_COMPLETE"
    assert "is not authorized to perform: s3:PutBucketTagging" in stacks.failures(stack)["Bucket"]
    names = [found["Name"] for found in account.client("s3").list_buckets()["Buckets"]]
    assert not [name for name in names if name.startswith(stack.lower())]
