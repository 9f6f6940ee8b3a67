from tests.local_aws.codepipeline.conftest import delivery
from tests.local_aws.sagemaker.conftest import stage

__all__ = ["delivery", "stage"]
