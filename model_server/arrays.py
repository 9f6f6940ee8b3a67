"""What AWS's own containers give to scripts, and write for them: NumPy arrays without a schema."""

from __future__ import annotations

import csv
import io
from typing import Any, NoReturn

import numpy as np
import orjson

from model_server import media
from model_server.bodies import npy
from model_server.bounds import JSON_BYTES
from model_server.contract import Answer
from model_server.errors import BadRequest, NotAcceptable, TooLarge, UnsupportedType

TYPES = (media.JSON, media.JSON_LINES, media.CSV, media.NPY)


def read(body: bytes, content_type: str) -> np.ndarray:
    """A body as an array; CSV always as rows x columns, one row too. Raises BadRequest or UnsupportedType."""
    kind, _ = media.content_type(content_type)
    try:
        match kind:
            case media.JSON:
                return np.array(orjson.loads(body)) if len(body) <= JSON_BYTES else _too_large()
            case media.JSON_LINES:
                return np.array([orjson.loads(line) for line in body.splitlines() if line.strip()])
            case media.CSV:
                return np.loadtxt(io.BytesIO(body), delimiter=",", ndmin=2)
            case media.NPY:
                return npy.array(body)
    except (ValueError, EOFError) as error:
        raise BadRequest("malformed", f"the body cannot be read as {kind}: {error}") from error
    raise UnsupportedType("content_type", f"Content-Type is {content_type!r}; send one of: {', '.join(TYPES)}")


def _too_large() -> NoReturn:
    raise TooLarge("too_large", f"a JSON body has at most {JSON_BYTES} bytes; send JSON Lines or CSV instead")


def write(prediction: Any, kind: str) -> Answer:
    """An array, or what can become one, as AWS's containers write it; raises NotAcceptable."""
    array = np.asarray(prediction)
    rows = array.tolist()
    match kind:
        case media.CSV:
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(row if isinstance(row, list) else [row] for row in rows)
            content = text.getvalue().encode()
        case media.JSON_LINES:
            content = b"".join(orjson.dumps(row) + b"\n" for row in rows)
        case media.NPY:
            file = io.BytesIO()
            np.save(file, array)
            content = file.getvalue()
        case media.JSON:
            content = orjson.dumps(rows)
        case _:
            raise NotAcceptable("accept", f"this model answers in: {', '.join(TYPES)}; {kind} is asked for")
    return Answer(kind, content, len(rows) if isinstance(rows, list) else 1)
