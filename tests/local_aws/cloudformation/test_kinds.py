import json
from pathlib import Path

import cfnlint
import pytest

from local_aws.cloudformation.kind import Kind
from local_aws.cloudformation.kinds import KINDS
from local_aws.protocol import service_model

SCHEMAS = Path(cfnlint.__file__).parent / "data/schemas"
OURS = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.type)


def schema(kind: Kind) -> dict:
    identifier = json.loads((SCHEMAS / "providers/us-east-1.json").read_text())[kind.type]
    return json.loads((SCHEMAS / f"resources/{identifier}.json").read_text())


@OURS
def test_what_replaces_a_resource_is_what_cloudformations_schema_says(kind: Kind) -> None:
    create_only = {pointer.removeprefix("/properties/") for pointer in schema(kind)["createOnlyProperties"]}
    assert set(kind.create_only) == create_only


@OURS
def test_attributes_are_those_of_cloudformations_schema(kind: Kind) -> None:
    read_only = {pointer.removeprefix("/properties/") for pointer in schema(kind).get("readOnlyProperties", [])}
    named = {kind.name} if kind.service == "sagemaker" else set()  # which older schemas gave, and the CDK still does
    assert set(kind.attributes) - named <= read_only | {"Id"}


@OURS
def test_operations_are_those_of_the_service(kind: Kind) -> None:
    operations = {kind.create, kind.update, kind.delete, kind.describe} - {""}
    if kind.tagging:
        operations |= {kind.tagging.tag, kind.tagging.untag}
    assert operations <= set(service_model(kind.service).operation_names)
