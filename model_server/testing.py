"""For the tests of model authors: the whole request path of the server, without a socket."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from model_server import loading, media
from model_server.routes import Request, Response, Routes


class Client:
    """Sends requests to the model of an unpacked package, as the endpoint would get them."""

    def __init__(self, folder: Path) -> None:
        self._routes = Routes(loading.load(folder))

    def ping(self) -> Response:
        """What the health check gets."""
        return self._routes.handle(Request("GET", "/ping"))

    def invoke(self, body: bytes | str, content_type: str = media.JSON, accept: str = "*/*") -> Response:
        """The response to a body of any content type."""
        content = body.encode() if isinstance(body, str) else body
        return self._routes.handle(Request("POST", "/invocations", content_type, accept, content))

    def predict(self, rows: Sequence[Any]) -> list[Any]:
        """The predictions for rows (objects or lists); raises AssertionError with the model's own words if refused."""
        response = self.invoke(orjson.dumps({"instances": rows}), accept=media.JSON)
        assert response.status == 200, f"{response.status}: {response.body.decode()}"
        return orjson.loads(response.body)["predictions"]
