"""What AWS calls SageMaker's resources: in shapes, in ARNs and in sentences."""

from dataclasses import dataclass

from local_aws.errors import AwsError


@dataclass(frozen=True)
class Kind:
    """A kind of resource that is remembered by name.

    `name` begins its members (TrainingJobName, TrainingJobArn, TrainingJobStatus), `path` its ARNs.
    `missing` and `existing` are the code and sentence of AWS's answer, with {name} and {arn} to fill in.
    `lower`: its ARNs are in lower case, whatever the name.
    """

    name: str
    path: str
    missing: tuple[str, str]
    existing: tuple[str, str]
    newest_first: bool = True
    page: int = 10
    lower: bool = False

    @property
    def key(self) -> str:
        """The member that holds the name."""
        return f"{self.name}Name"

    @property
    def arn(self) -> str:
        """The member that holds the ARN."""
        return f"{self.name}Arn"

    @property
    def status(self) -> str:
        """The member that holds the status."""
        return f"{self.name}Status"

    def resource(self, name: str) -> str:
        """The resource part of the ARN of the one with this name."""
        return f"{self.path}/{name.lower() if self.lower else name}"

    def is_missing(self, name: str, arn: str) -> AwsError:
        """The answer to a question about a resource that is not there."""
        return _error(self.missing, name, arn)

    def is_existing(self, name: str, arn: str) -> AwsError:
        """The answer to the creation of what is there already."""
        return _error(self.existing, name, arn)


def _error(answer: tuple[str, str], name: str, arn: str) -> AwsError:
    code, sentence = answer
    return AwsError(code, sentence.format(name=name, arn=arn))


def _hosted(name: str, path: str, label: str) -> Kind:
    missing = ("ValidationException", f'Could not find {label} "{{arn}}".')
    existing = ("ValidationException", f'Cannot create already existing {label} "{{arn}}".')
    return Kind(name, path, missing, existing, lower=True)


JOB_EXISTS = "Job name must be unique within an AWS account and region, and a job with this name already exists ({arn})"
JOB_MISSING = ("ValidationException", "Could not find requested job with name: {name}")

MODEL = _hosted("Model", "model", "model")
ENDPOINT_CONFIG = _hosted("EndpointConfig", "endpoint-config", "endpoint configuration")
ENDPOINT = _hosted("Endpoint", "endpoint", "endpoint")
TRAINING_JOB = Kind(
    "TrainingJob",
    "training-job",
    ("ValidationException", "Requested resource not found."),
    ("ResourceInUse", f"Training {JOB_EXISTS[0].lower()}{JOB_EXISTS[1:]}"),
    newest_first=False,
)
PROCESSING_JOB = Kind("ProcessingJob", "processing-job", JOB_MISSING, ("ResourceInUse", JOB_EXISTS), newest_first=False)
TRANSFORM_JOB = Kind("TransformJob", "transform-job", JOB_MISSING, ("ResourceInUse", JOB_EXISTS))
PIPELINE = Kind(
    "Pipeline",
    "pipeline",
    ("ResourceNotFound", "Pipeline '{arn}' does not exist."),
    (
        "ValidationException",
        "Pipeline names must be unique within an AWS account and region. Pipeline with name ({name}) already exists.",
    ),
)
PIPELINE_EXECUTION = Kind(
    "PipelineExecution",
    "pipeline",
    ("ResourceNotFound", "Pipeline execution '{arn}' does not exist."),
    ("ConflictException", "Pipeline execution '{arn}' already exists."),
    page=100,
)
MODEL_PACKAGE_GROUP = Kind(
    "ModelPackageGroup",
    "model-package-group",
    ("ValidationException", "ModelPackageGroup {arn} does not exist."),
    ("ValidationException", "Model Package Group already exists: {arn}"),
    newest_first=False,
    page=100,
)
MODEL_PACKAGE = Kind(
    "ModelPackage",
    "model-package",
    ("ValidationException", "ModelPackage {arn} does not exist."),
    ("ConflictException", "Model package already exists: {arn}"),
    newest_first=False,
    page=100,
)
