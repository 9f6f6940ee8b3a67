"""What hides the values of a model's sensitive features in its records, and reads them back where it may."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from model_server.recording import masking
from monitoring.baseline import Baseline
from monitoring.features.numeric import Numeric


def key() -> str:
    """A new key in hexadecimal digits, so that whoever reads no package cannot try out which value gives a hash."""
    return secrets.token_hex(32)


def identity(key: str) -> str:
    """By what records say which key they were masked with; it tells nothing of the key."""
    return hashlib.sha256(f"masks {key}".encode()).hexdigest()[:16]


def masks(baseline: Baseline, key: str) -> dict[str, Any]:
    """The content of `masks.json`: a number is known by its band, a category by its hash, anything else as unseen."""
    spec = baseline.spec
    numbers, categories = {}, {}
    for name in spec.sensitive:
        feature = baseline.features.get(name)
        if spec.features[name] == "numeric":
            bands = feature.bands if isinstance(feature, Numeric) else None
            numbers[name] = [] if bands is None else bands.edges.tolist()
        else:
            categories[name] = [] if feature is None or isinstance(feature, Numeric) else list(feature.categories)
    return {
        "format": masking.FORMAT,
        "id": identity(key),
        "key": key,
        "row_id": spec.row_id,
        "numbers": numbers,
        "categories": categories,
    }
