"""What AWS documents that its services do under our roles, with the page that says so."""

from __future__ import annotations

from tests.iam.roles import BY_AWS
from tests.iam.use.documented import Need

JOBS = ("greenlight-tooling/{team}/Job",)
SERVING = ("greenlight-{environment}/{team}/Serving",)
WATCH = ("greenlight-watch-{environment}/{team}/Watch",)
CONTAINERS = (*JOBS, *SERVING, *WATCH)
BUILDS = (
    "greenlight-delivery/Deploy/Project/Role",
    "greenlight-delivery/*/*/Project/Role",
    "greenlight-delivery/*/*/*/Project/Role",
)
MACHINES = (
    "greenlight-serving-{model}-{environment}/Live/Batch/Machine/Role",
    "greenlight-rollback-{environment}/Machine/Role",
    "greenlight-watch-{environment}/Judging-{team}/Machine/Role",
    "greenlight-delivery/Wave/Machine/Role",
    "greenlight-tooling/Recorder/Machine/Role",
)
PIPELINES = ("greenlight-delivery/Release/Pipeline/Role", "greenlight-delivery/Platform/Pipeline/Role")
RUNNERS = ("greenlight-training-{model}/Runner/Role",)
READERS = (
    *(f"greenlight-delivery/Release/Builds/{stage}/Project/Role" for stage in ("Train", "Verify", "Decide", "Confirm")),
    *RUNNERS,
)
OF_CHECKED = (
    "greenlight-delivery/Deploy/Project/Role",
    "greenlight-delivery/Platform/Image/Project/Role",
    "greenlight-delivery/Platform/Plan/Project/Role",
)
OF_TRAINED = tuple(
    f"greenlight-delivery/Release/Builds/{stage}/Project/Role" for stage in ("Serve", "Verify", "Decide", "Confirm")
)
WAVE = ("greenlight-delivery/Wave/Machine/Role",)

ROLES, BUILD = "sagemaker/latest/dg/sagemaker-roles.html", "codebuild/latest/userguide/setting-up-service-role.html"
VOLUMES = "sagemaker/latest/APIReference/API_CreateEndpointConfig.html"
PIPELINE = "codepipeline/latest/userguide/how-to-custom-role.html"
GROUP = "arn:aws:logs:{region}:{account}:log-group:"
ARTIFACTS = "arn:aws:s3:::<greenlight-tooling/Artifacts>"


def _logs(roles: tuple[str, ...], *groups: str) -> Need:
    actions = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")
    resources = tuple(f"{GROUP}/aws/sagemaker/{group}:log-stream:" for group in groups)
    return Need("SageMaker writes logs", ROLES, roles, actions, resources)


def _metrics(roles: tuple[str, ...], *namespaces: str) -> list[Need]:
    return [
        Need(
            "SageMaker publishes metrics",
            ROLES,
            roles,
            ("cloudwatch:PutMetricData",),
            ("*",),
            {"cloudwatch:namespace": f"/aws/sagemaker/{namespace}"},
        )
        for namespace in namespaces
    ]


def _artifacts(roles: tuple[str, ...], folder: str) -> list[Need]:
    resources = (f"{ARTIFACTS}/greenlight-{folder}/ID",)
    return [Need("CodeBuild gets its source", BUILD, roles, ("s3:GetObject", "s3:GetObjectVersion"), resources)]


CONTAINER = (
    Need("SageMaker pulls images", ROLES, CONTAINERS, ("ecr:GetAuthorizationToken",), ("*",)),
    Need(
        "SageMaker pulls images",
        ROLES,
        CONTAINERS,
        ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
        ("arn:aws:ecr:{region}:{account}:repository/<greenlight-tooling/Images>",),
    ),
    _logs(JOBS, "ProcessingJobs", "TrainingJobs"),
    _logs(SERVING, "Endpoints/greenlight-{model}-{environment}", "ProcessingJobs", "TransformJobs"),
    _logs(WATCH, "ProcessingJobs"),
    *_metrics(JOBS, "ProcessingJobs", "TrainingJobs"),
    *_metrics(SERVING, "Endpoints", "ProcessingJobs", "TransformJobs"),
    *_metrics(WATCH, "ProcessingJobs"),
)

OBJECTS = (
    Need(
        "SageMaker reads a job's input",
        ROLES,
        JOBS,
        ("s3:ListBucket",),
        ("arn:aws:s3:::<greenlight-tooling/Data>", ARTIFACTS),
    ),
    Need(
        "SageMaker reads a job's input", ROLES, JOBS, ("s3:GetObject",), (ARTIFACTS + "/{team}/{folder}/runs/ID/train",)
    ),
    Need(
        "SageMaker writes a job's output",
        ROLES,
        JOBS,
        ("s3:PutObject",),
        (ARTIFACTS + "/{team}/{folder}/runs/ID/model",),
    ),
    Need("SageMaker loads a model", ROLES, SERVING, ("s3:ListBucket",), (ARTIFACTS,)),
    Need(
        "SageMaker loads a model",
        ROLES,
        SERVING,
        ("s3:GetObject",),
        (ARTIFACTS + "/{team}/{folder}/runs/ID/model.tar.gz",),
    ),
    Need(
        "SageMaker captures requests",
        "sagemaker/latest/dg/model-monitor-data-capture-endpoint.html",
        SERVING,
        ("s3:PutObject",),
        ("arn:aws:s3:::<greenlight-{environment}/Records>/capture/{team}/greenlight-{model}-{environment}/a",),
    ),
    *(
        Need("SageMaker passes the key on to volumes", page, roles, ("kms:CreateGrant",), (key,), BY_AWS)
        for page, roles, key in (
            (ROLES, JOBS, "arn:aws:kms:{region}:{account}:key/<greenlight-tooling/Key>"),
            (VOLUMES, SERVING, "arn:aws:kms:{region}:{account}:key/<greenlight-{environment}/Key>"),
            (ROLES, WATCH, "arn:aws:kms:{region}:{account}:key/<greenlight-{environment}/Key>"),
        )
    ),
    Need(
        "S3 writes and reads in parts under a key",
        "AmazonS3/latest/userguide/UsingKMSEncryption.html",
        SERVING,
        ("kms:GenerateDataKey", "kms:Decrypt"),
        ("arn:aws:kms:{region}:{account}:key/<greenlight-{environment}/Key>",),
    ),
)

GUARDRAILS = (
    Need(
        "A roll-out looks at its alarms",
        "sagemaker/latest/dg/deployment-guardrails-configuration.html",
        SERVING,
        ("cloudwatch:DescribeAlarms",),
        ("arn:aws:cloudwatch:{region}:{account}:alarm:greenlight-{model}-{environment}-Errors5xx",),
    ),
)

CODE = (
    *_artifacts(("greenlight-delivery/Platform/Check/Project/Role",), "platform/Code"),
    *_artifacts(OF_CHECKED, "platform/Checked"),
    *_artifacts(("greenlight-delivery/Release/Builds/Train/Project/Role",), "release/Code"),
    *_artifacts(OF_TRAINED, "release/Trained"),
    Need(
        "CodeBuild writes logs",
        BUILD,
        BUILDS,
        ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"),
        (f"{GROUP}/aws/codebuild/greenlight-{{word}}:log-stream:",),
    ),
    Need(
        "CodePipeline keeps artifacts",
        PIPELINE,
        PIPELINES,
        ("s3:GetBucketVersioning", "s3:GetBucketAcl", "s3:GetBucketLocation"),
        (ARTIFACTS,),
    ),
    Need(
        "CodePipeline keeps artifacts",
        PIPELINE,
        PIPELINES,
        ("s3:PutObject", "s3:GetObject", "s3:GetObjectVersion"),
        (ARTIFACTS + "/greenlight-{word}/Source/ID",),
    ),
)

STATES = (
    Need(
        "Step Functions sets up the log of its executions",
        "step-functions/latest/dg/cw-logs.html",
        MACHINES,
        (
            *("logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery"),
            *("logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies"),
            "logs:DescribeLogGroups",
        ),
        ("*",),
    ),
    Need(
        "A distributed map starts and looks after its executions",
        "step-functions/latest/dg/iam-policies-eg-dist-map.html",
        WAVE,
        ("states:StartExecution",),
        ("arn:aws:states:{region}:{account}:stateMachine:greenlight-wave",),
    ),
    Need(
        "A distributed map starts and looks after its executions",
        "step-functions/latest/dg/iam-policies-eg-dist-map.html",
        WAVE,
        ("states:DescribeExecution", "states:StopExecution"),
        ("arn:aws:states:{region}:{account}:execution:greenlight-wave:a",),
    ),
    Need(
        "A distributed map is taken up again",
        "step-functions/latest/dg/iam-policies-eg-dist-map.html",
        WAVE,
        ("states:RedriveExecution",),
        ("arn:aws:states:{region}:{account}:execution:greenlight-wave/Releases:a",),
    ),
)

MISSING = "AmazonS3/latest/API/API_GetObject.html"
RECORDS = "arn:aws:s3:::<greenlight-{environment}/Records>"

LISTING = (
    Need("S3 says that an object is missing only to who may list", MISSING, READERS, ("s3:ListBucket",), (ARTIFACTS,)),
    Need(
        "S3 says that an object is missing only to who may list",
        MISSING,
        WATCH,
        ("s3:ListBucket",),
        (ARTIFACTS, RECORDS, "arn:aws:s3:::<greenlight-tooling/Data>"),
    ),
    Need("S3 says that an object is missing only to who may list", MISSING, SERVING, ("s3:ListBucket",), (RECORDS,)),
)

RESOLVING = (
    Need(
        "CloudFormation reads a template's parameters in Parameter Store as who updates the stack",
        "AWSCloudFormation/latest/UserGuide/cloudformation-supplied-parameter-types.html",
        ("greenlight-rollback-{environment}/Machine/Role",),
        ("ssm:GetParameters",),
        ("arn:aws:ssm:{region}:{account}:parameter/cdk-bootstrap/hnb659fds/version",),
    ),
)

STOPPING = (
    Need(
        "A pipeline that is stopped stops its jobs",
        "sagemaker/latest/dg/build-and-manage-access.html",
        RUNNERS,
        ("sagemaker:StopTrainingJob",),
        ("arn:aws:sagemaker:{region}:{account}:training-job/pipelines-ID-Train-ID",),
    ),
    Need(
        "A pipeline that is stopped stops its jobs",
        "sagemaker/latest/dg/build-and-manage-access.html",
        RUNNERS,
        ("sagemaker:StopProcessingJob",),
        ("arn:aws:sagemaker:{region}:{account}:processing-job/pipelines-ID-Prepare-ID",),
    ),
)

SCALING = (
    Need(
        "Application Auto Scaling makes and deletes the alarms of a policy as its caller",
        "autoscaling/application/userguide/security_iam_id-based-policy-examples.html",
        ("greenlight-delivery/Release/Builds/Serve/Project/Role",),
        ("cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"),
        (
            "arn:aws:cloudwatch:{region}:{account}:alarm:TargetTracking-endpoint/greenlight-{model}-production/variant/a",
        ),
    ),
)

NEEDS = (*CONTAINER, *OBJECTS, *LISTING, *GUARDRAILS, *CODE, *STATES, *RESOLVING, *STOPPING, *SCALING)
