"""Values that a model server has masked in its records, as the kernel counts them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitoring.errors import DataError
from monitoring.features.bands import Bands
from monitoring.reading.bodies import Unreadable
from monitoring.reading.gathering import Plain, Rows

FORMAT = 1
_LETTERS = 16

Value = str | float


@dataclass(frozen=True)
class Masks:
    """What masked values stand for, by feature; `id` is that of the key that they were masked with."""

    id: str
    values: Mapping[str, Mapping[str, Value]]

    @classmethod
    def parse(cls, body: Any) -> Masks:
        """From the `masks.json` of a package: a number stands for its band, a category for itself."""
        if not isinstance(body, dict) or body.get("format") != FORMAT:
            said = body.get("format") if isinstance(body, dict) else type(body).__name__
            raise DataError(f"the masks' format is {said!r}, this program reads {FORMAT}; train the model again")
        key = bytes.fromhex(body["key"])
        values: dict[str, Mapping[str, Value]] = {}
        for name, edges in body["numbers"].items():
            stand_ins = Bands.parse(edges).values.tolist() if edges else []
            values[name] = {f"band {place}": value for place, value in enumerate(stand_ins)}
        for name, known in body["categories"].items():
            values[name] = {_hashed(key, name, value): value for value in known}
        return cls(body["id"], values)

    def read(self, identity: Any, names: Sequence[str], rows: Rows) -> Rows:
        """Rows of a record whose values were masked; what stands for nothing stays, as a value never seen."""
        if identity != self.id:
            raise Unreadable("a record is masked with the key of another package")
        places = [(place, self.values[name]) for place, name in enumerate(names) if name in self.values]
        found: list[list[Any]] = [list(row) for row in (rows.rows() if isinstance(rows, Plain) else rows)]
        for row in found:
            for place, known in places:
                if isinstance(masked := row[place], str):
                    row[place] = known.get(masked, masked)
        return found


def _hashed(key: bytes, name: str, value: str) -> str:
    return hmac.new(key, f"{name}\0{value}".encode(), hashlib.sha256).hexdigest()[:_LETTERS]
