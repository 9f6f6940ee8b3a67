"""The roles and resources that questions are about, by the paths of their constructs."""

from __future__ import annotations

SERVING = "greenlight-{environment}/{team}/Serving"
JOB = "greenlight-tooling/{team}/Job"
PIPELINE = "greenlight-training-{model}/Runner/Role"
BATCH = "greenlight-serving-{model}-{environment}/Live/Batch/Machine/Role"
OF_WATCH = "greenlight-watch-production/{team}/Watch"
READ, WRITE = ("s3:GetObject", "s3:GetObjectVersion"), ("s3:PutObject", "s3:DeleteObject")
MODEL = "artifacts/{team}/{folder}/run-1/model.tar.gz"
THEIR_MODEL = "artifacts/{other}/{their_folder}/run-1/model.tar.gz"
EVENT_BUS = "events:event-bus/default"
SIGNING_KEY = "at:greenlight-tooling/SigningKey-first"
SIGNED = {"kms:MessageType": "DIGEST", "kms:SigningAlgorithm": "ECDSA_SHA_256"}
BY_AWS = {"kms:GrantIsForAWSResource": "true"}
BUILD = "greenlight-delivery/Release/Builds/{}/Project/Role"
TRAIN, SERVE, VERIFY, DECIDE, CONFIRM = (BUILD.format(s) for s in ("Train", "Serve", "Verify", "Decide", "Confirm"))
PLATFORM = "greenlight-delivery/Platform/{}/Project/Role"
CHECK, PLAN, IMAGE = (PLATFORM.format(stage) for stage in ("Check", "Plan", "Image"))
DEPLOY = "greenlight-delivery/Deploy/Project/Role"
BUILDS = "greenlight-delivery/*/Project/Role"
BACK = "greenlight-rollback-{environment}/Machine/Role"
WAVE = "greenlight-delivery/Wave/Machine/Role"
RECORDER = "greenlight-tooling/Recorder/Machine/Role"
RECORD = "artifacts/_registry/greenlight-{model}/1.json"
PUSHED = "greenlight-delivery/Platform/Pipeline/EventsRole"
RETRAINING = "greenlight-delivery/Retraining-production/Role"
ASSUME = "sts:AssumeRole"
STACK = "cloudformation:stack/greenlight-serving-{model}-{environment}/1"
CHANGE_STACK = (
    "cloudformation:UpdateStack",
    "cloudformation:CreateChangeSet",
    "cloudformation:ExecuteChangeSet",
    "cloudformation:DeleteStack",
    "cloudformation:SetStackPolicy",
)
PACKAGE = "sagemaker:model-package/greenlight-{model}/2"
ENDPOINT = "sagemaker:endpoint/greenlight-{model}-{environment}"
MODELS = ("sagemaker:model/one", "sagemaker:endpoint-config/one")
DELETE_MODELS = ("sagemaker:DeleteModel", "sagemaker:DeleteEndpointConfig")
SOURCE = (
    "artifacts/source/source.zip",
    "artifacts/greenlight-release/Code/a.zip",
    "artifacts/greenlight-platform/Code/a.zip",
)
CHECKED, TRAINED = "artifacts/greenlight-platform/Checked/a.zip", "artifacts/greenlight-release/Trained/a.zip"
RELEASE_PIPELINE, PLATFORM_PIPELINE = (
    "at:greenlight-delivery/Release/Pipeline",
    "at:greenlight-delivery/Platform/Pipeline",
)
START = ("codepipeline:StartPipelineExecution", "states:StartExecution", "sagemaker:StartPipelineExecution")
