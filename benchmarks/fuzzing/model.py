"""The model that is attacked: `size`, from 0 to 10 or null, and `colour`, one of three."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.serving.environments import ROOT, clean


def write(folder: Path) -> Path:
    """Fits and packages it below *folder*, in a process of its own; where it is."""
    package = folder / "model"
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.fuzzing.model", str(package)]
    subprocess.run(command, env=clean(), cwd=ROOT, check=True, capture_output=True)
    return package


def main(folder: Path) -> None:
    """Fits and packages the model."""
    import numpy as np  # noqa: PLC0415  the process that measures does without
    import pandas as pd  # noqa: PLC0415
    from sklearn.compose import ColumnTransformer  # noqa: PLC0415
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import OneHotEncoder  # noqa: PLC0415

    from config.features import Category, Number  # noqa: PLC0415
    from model_server import engines, signature  # noqa: PLC0415
    from pipelines.packaging.export import export  # noqa: PLC0415

    colours = ["blue", "green", "red"]
    draw = np.random.default_rng(7)
    frame = pd.DataFrame({"size": draw.uniform(0, 10, 500).astype(np.float32), "colour": draw.choice(colours, 500)})
    late = (frame["size"] / 5 - 1 + (frame["colour"] == "red") + draw.normal(size=500) > 0).astype(int)
    split = [("numbers", "passthrough", ["size"]), ("codes", OneHotEncoder(handle_unknown="ignore"), ["colour"])]
    trees = HistGradientBoostingClassifier(max_iter=10)
    fitted = make_pipeline(ColumnTransformer(split, sparse_threshold=0), trees).fit(frame, late)
    features = [
        Number(name="size", type="number", minimum=0, maximum=10, nullable=True),
        Category(name="colour", type="category", values=tuple(colours)),
    ]
    described = signature.Signature(
        "binary",
        "late",
        (
            signature.Number("size", minimum=0, maximum=10, nullable=True),
            signature.Category("colour", tuple(colours), seen=tuple(colours)),
        ),
        (0, 1),
    )
    folder.mkdir(parents=True)
    (folder / engines.ONNX_FILE).write_bytes(export(fitted, features))
    (folder / signature.FILE).write_text(json.dumps(described.to_json()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
