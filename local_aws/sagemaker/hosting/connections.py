"""Keep-alive HTTP connections to one server on this machine."""

from __future__ import annotations

import http.client
import select
import socket
from collections.abc import Mapping
from typing import NamedTuple

HOST = "127.0.0.1"


class Response(NamedTuple):
    """What a server answered; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connections:
    """Connections that any thread may use; the one used last is used first, so that few stay open."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[http.client.HTTPConnection] = []

    def request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None, timeout: float = 60
    ) -> Response:
        """Send a request and wait for its answer; OSError or http.client.HTTPException when there is none."""
        connection = self._idle_connection() or http.client.HTTPConnection(HOST, self._port)
        connection.timeout = timeout
        if connection.sock:
            connection.sock.settimeout(timeout)
        try:
            connection.request(method, path, body or None, dict(headers or {}))
            answer = connection.getresponse()
            content = answer.read()
        except BaseException:
            connection.close()
            raise
        if not answer.will_close:
            self._idle.append(connection)
        return Response(answer.status, {name.lower(): value for name, value in answer.getheaders()}, content)

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop().close()

    def _idle_connection(self) -> http.client.HTTPConnection | None:
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread took the last one
                return None
            # A server closes what was idle too long; there is nothing to read from a connection that is still good.
            if connection.sock and not _is_readable(connection.sock):
                return connection
            connection.close()
        return None


def _is_readable(sock: socket.socket) -> bool:
    watched = select.poll()  # unlike select.select it takes any number of open files
    watched.register(sock, select.POLLIN)
    return bool(watched.poll(0))
