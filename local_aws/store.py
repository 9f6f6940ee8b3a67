"""Moto in this process, as the memory of what does not run."""

import threading
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.core.botocore_stubber import BotocoreStubber

from local_aws.errors import AwsError
from local_aws.settings import Settings

# Moto goes by AWS's own addresses, which nothing here ever connects to.
OPTIONS: dict[str, Any] = {"retries": {"total_max_attempts": 1}, "ignore_configured_endpoint_urls": True}


class Store:
    """A service of moto: it remembers what was created, and runs nothing."""

    _answers: Any = BotocoreStubber()
    _answers.enabled = True

    def __init__(self, service: str, settings: Settings) -> None:
        self.service = service
        self._lock = threading.Lock()  # moto's dictionaries are not made for threads
        self._client: Any = botocore.session.get_session().create_client(
            service,
            region_name=settings.region,
            aws_access_key_id=settings.account,
            aws_secret_access_key=settings.account,
            config=Config(**OPTIONS),
        )
        self._client.meta.events.register("before-send", self._answers)

    def call(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """Do an operation, such as "CreateModel"; what moto refuses or does not know is an AwsError."""
        try:
            with self._lock:
                answer = getattr(self._client, xform_name(operation))(**params)
        except ClientError as error:
            details, metadata = error.response["Error"], error.response["ResponseMetadata"]
            raise AwsError(details["Code"], details["Message"], metadata["HTTPStatusCode"]) from error
        except NotImplementedError as error:
            message = f"{self.service}:{operation} is not rehearsed on the local AWS: {error}."
            raise AwsError("NotImplemented", message, 501) from error
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}
