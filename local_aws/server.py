"""An ASGI application served on 127.0.0.1 by a thread of its own."""

import asyncio
import errno
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any

import uvicorn

from local_aws.errors import StartError

HOST = "127.0.0.1"
START_SECONDS = 30.0
SWITCH_SECONDS = 0.0005
"""How long a thread that computes may keep the interpreter from the server, which waits for it many times a request.

With Python's own 5 ms, the slowest calls beside a build that packs its artifact take a fifth longer.
"""
IDLE_SECONDS = 3600
"""A connection that the server ends at the moment in which a caller asks on it looks like a request that failed."""


def listen(port: int) -> socket.socket:
    """A socket that listens on the port of this machine alone; 0 takes any free one."""
    # Named, because asyncio lets answers go at once only on sockets that say that they are TCP.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        if error.errno != errno.EADDRINUSE:
            raise
        raise StartError(
            f"Port {port} is in use, perhaps by another local AWS; stop that, or give another with LOCAL_AWS_PORT."
        ) from error
    listener.listen(1024)
    return listener


class Server:
    """Uvicorn, in a thread with an event loop of its own."""

    def __init__(self, application: Any, listener: socket.socket) -> None:
        self.loop = asyncio.new_event_loop()
        self._listener = listener
        self._server = uvicorn.Server(
            uvicorn.Config(
                application,
                http="httptools",
                interface="asgi3",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                date_header=False,  # MiniStack adds it, and AWS names no server
                server_header=False,
                timeout_keep_alive=IDLE_SECONDS,
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(target=self._run, name="server", daemon=True)

    def start(self) -> None:
        """Serve; returns when the first request can be answered."""
        sys.setswitchinterval(SWITCH_SECONDS)
        address = self._listener.getsockname()
        self._thread.start()
        with socket.create_connection(address, START_SECONDS) as probe:
            probe.settimeout(START_SECONDS)
            probe.sendall(b"GET /_ministack/health HTTP/1.0\r\n\r\n")
            if not probe.recv(1):
                raise StartError("The local AWS does not answer; its log says why (account.log in its home).")

    def soon(self, work: Callable[[], object]) -> None:
        """Run something short on the event loop, where MiniStack's state is read and written."""
        self.loop.call_soon_threadsafe(work)

    def stop(self) -> None:
        """Serve no more."""
        self._server.should_exit = True
        self._thread.join(timeout=2)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self._server.serve(sockets=[self._listener]))
