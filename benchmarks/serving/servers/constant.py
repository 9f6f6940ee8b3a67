"""The HTTP server that ours stands on, with its settings, and a handler that answers a constant."""

import os
import signal
import socket
import sys
from types import FrameType
from typing import Any

import uvicorn

BODY = b"0.9271050691604614,1\n"
HEADERS = [(b"content-type", b"text/csv"), (b"content-length", b"%d" % len(BODY))]


async def app(_scope: Any, receive: Any, send: Any) -> None:
    while (await receive())["more_body"]:
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})


def serve(port: int, workers: int) -> None:
    listening = socket.create_server(("127.0.0.1", port), backlog=2048)
    listening.setblocking(False)  # noqa: FBT003  the library's own
    config = uvicorn.Config(
        app,
        timeout_keep_alive=75,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
    )
    children = []
    for _ in range(workers):
        child = os.fork()
        if not child:
            uvicorn.Server(config).run([listening])
            os._exit(0)
        children.append(child)

    def stop(number: int, _frame: FrameType | None) -> None:
        for child in children:
            os.kill(child, number)

    signal.signal(signal.SIGTERM, stop)
    for child in children:
        os.waitpid(child, 0)


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
