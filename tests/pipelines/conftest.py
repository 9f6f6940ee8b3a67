from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pipelines.packaging import package
from tests.pipelines import jobs


@pytest.fixture(scope="session")
def release() -> jobs.Release:
    """The three programs, run once on a sample of the real data."""
    return jobs.release()


@pytest.fixture(scope="session")
def bucket(release: jobs.Release) -> Iterator[str]:
    """The endpoint of an object store that holds one object: s3://models/released/model.tar.gz."""
    content = (release.evaluated.output("package") / package.ARCHIVE).read_bytes()

    class Store(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            found = self.path == "/models/released/model.tar.gz"
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", str(len(content) if found else 0))
            self.send_header("ETag", '"one"')
            self.end_headers()

        def do_GET(self) -> None:
            self.do_HEAD()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None: ...  # noqa: A002

    server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def at(endpoint: str) -> dict[str, str]:
    """The environment of a client of the object store."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_REGION": "us-east-1",
    }
