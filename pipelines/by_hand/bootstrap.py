"""Prepares the account and region of the credentials for the CDK."""

from __future__ import annotations

import subprocess
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError


def main() -> None:
    region = boto3.session.Session().region_name
    if not region:
        sys.exit("No region is set; say which, for example: export AWS_REGION=eu-west-1")
    try:
        account = boto3.client("sts").get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"The credentials in this shell do not work ({error}); sign in to the account that is to be prepared.")
    subprocess.run(["cdk", "bootstrap", "--app", "cdk.out", f"aws://{account}/{region}"], check=True)


if __name__ == "__main__":
    main()
