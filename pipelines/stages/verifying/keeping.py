"""Where the report of a release is kept."""

from __future__ import annotations

import json
from typing import Any

from pipelines.stages.verifying import page
from pipelines.stages.verifying.findings import Findings


def keep(s3: Any, bucket: str, team: str, found: Findings) -> str:
    """Puts the report beside what else the release keeps, as JSON and as a page; the page's URI."""
    folder = f"{team}/{found.model}/releases/{found.execution}"
    content = json.dumps(found.to_json(), indent=2).encode()
    s3.put_object(Bucket=bucket, Key=f"{folder}/verify.json", Body=content, ContentType="application/json")
    written = page.write(found).encode()
    s3.put_object(Bucket=bucket, Key=f"{folder}/verify.html", Body=written, ContentType="text/html; charset=utf-8")
    return f"s3://{bucket}/{folder}/verify.html"
