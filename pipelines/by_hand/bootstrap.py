"""Prepares the account and region of the credentials for the CDK."""

from __future__ import annotations

import subprocess

import boto3
from botocore.exceptions import NoRegionError

from pipelines.by_hand.plainly import plainly


def main() -> None:
    region = boto3.session.Session().region_name
    if not region:  # STS answers without one, the CDK does not
        raise NoRegionError
    account = boto3.client("sts").get_caller_identity()["Account"]
    subprocess.run(["cdk", "bootstrap", "--app", "cdk.out", f"aws://{account}/{region}"], check=True)


if __name__ == "__main__":
    with plainly():
        main()
