"""How a model answers, wherever it does."""

from __future__ import annotations

from typing import Literal

from config.closed import Closed

Action = Literal["refuse", "flag", "quarantine"]


class Serving(Closed):
    """What computes the answers, and what becomes of rows that are not as the model expects them.

    A refused row refuses its whole request. A flagged row is answered, and its answer says what is wrong with it. A
    quarantined row is left out, and the reason stands in its answer's place.

    In a batch a row is scored or waits in quarantine: one that breaks the schema always waits.
    """

    engine: Literal["onnx", "native", "auto"] = "onnx"
    """ONNX Runtime; or the library that fitted the model; or whichever of the two is right, and fast for many rows."""
    invalid: Action = "refuse"
    """What becomes of a row that breaks the schema."""
    unseen: Action = "flag"
    """What becomes of a row with a category that is listed in `values`, but did not occur in training; in a batch it is
    scored if flagged, else it waits in quarantine until a package that knows it is in production."""

    @property
    def image(self) -> Literal["serving", "serving-native"]:
        """The target of the Dockerfile that can serve the model."""
        return "serving" if self.engine == "onnx" else "serving-native"
