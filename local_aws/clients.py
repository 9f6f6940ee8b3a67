"""What a program or a thread needs to call the account: environment variables, or a client."""

import gc
import os
import threading
from functools import lru_cache
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from local_aws.authorization import Authorization, Credentials
from local_aws.settings import Settings

CLIENTS_KEPT = 256  # a client weighs about a megabyte, and every build and job has a session of its own
CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 2},
    connect_timeout=5,
    read_timeout=300,
    max_pool_connections=64,
)


class Clients:
    """Clients of the account under a role, and the same for child processes."""

    def __init__(self, settings: Settings, url: str, authorization: Authorization) -> None:
        self.settings = settings
        self.url = url
        self.authorization = authorization
        self._session = boto3.Session(
            botocore_session=botocore.session.get_session(), region_name=settings.region
        )  # one for all, because each session reads botocore's service descriptions anew
        self._lock = threading.Lock()  # botocore's sessions are not made for threads
        self._kept = lru_cache(CLIENTS_KEPT)(self._make)
        self._described: set[str] = set()

    def environment(self, credentials: Credentials) -> dict[str, str]:
        """The variables with which any AWS client, and the CDK CLI, calls this account and no other."""
        token = {"AWS_SESSION_TOKEN": credentials.token} if credentials.token else {}
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
            **token,
            "AWS_REGION": self.settings.region,
            "AWS_DEFAULT_REGION": self.settings.region,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
            "CDK_HOME": str(self.settings.home / "cdk"),
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
        }

    def client(self, service: str, credentials: Credentials) -> Any:
        """A boto3 client, the same for the same arguments; any thread may use it."""
        with self._lock:
            return self._kept(service, credentials)

    def _make(self, service: str, credentials: Credentials) -> Any:
        make: Any = self._session.client  # typed by the service's name, which is a variable here
        client = make(
            service,
            endpoint_url=self.url,
            aws_access_key_id=credentials.access_key,
            aws_secret_access_key=credentials.secret_key,
            aws_session_token=credentials.token,
            config=CONFIG,
        )
        if service not in self._described:
            self._described.add(service)
            # Botocore keeps what describes a service, 200,000 objects for all. A full garbage collection would walk
            # through them while every caller waits half a second.
            gc.freeze()
        return client
