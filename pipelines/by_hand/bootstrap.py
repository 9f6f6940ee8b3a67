"""Prepares the account and region of the credentials for the CDK.

Where project.yaml names a boundary, bootstrap/policies.yaml is made first: it, and what CloudFormation may do.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError, NoRegionError

from config.project import Project
from pipelines.by_hand.plainly import plainly
from pipelines.stages.surroundings import Surroundings

TEMPLATE = Path("bootstrap") / "policies.yaml"


def main() -> None:
    around = Surroundings()
    region = boto3.session.Session().region_name
    if not region:  # STS answers without one, the CDK does not
        raise NoRegionError
    account = boto3.client("sts").get_caller_identity()["Account"]
    command = ["cdk", "bootstrap", "--app", "cdk.out", f"aws://{account}/{region}"]
    if around.project.boundary:
        make_policies(boto3.client("cloudformation"), around.project, (around.root / TEMPLATE).read_text())
        command += ["--cloudformation-execution-policies", execution_policy(account, around.project)]
    subprocess.run(command, check=True)


def execution_policy(account: str, project: Project) -> str:
    """The ARN of the policy that CloudFormation has in the place of AdministratorAccess."""
    return f"arn:aws:iam::{account}:policy/{project.name}-execution"


def make_policies(cloudformation: Any, project: Project, template: str) -> None:
    """Makes or updates the stack of the policies, with the rights of who calls."""
    stack = f"bootstrap-{project.name}"  # not among the project's, which `make destroy` deletes
    values = {"Project": project.name, "Boundary": project.boundary}
    given = {
        "StackName": stack,
        "TemplateBody": template,
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()],
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
    }
    try:
        cloudformation.create_stack(**given)
        wanted = "stack_create_complete"
    except cloudformation.exceptions.AlreadyExistsException:
        try:
            cloudformation.update_stack(**given)
        except ClientError as error:
            if "No updates are to be performed" in error.response["Error"]["Message"]:
                return
            raise
        wanted = "stack_update_complete"
    cloudformation.get_waiter(wanted).wait(StackName=stack, WaiterConfig={"Delay": 3})
    print(f"{stack} holds the policies of {TEMPLATE}.")


if __name__ == "__main__":
    with plainly():
        main()
