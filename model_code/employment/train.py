"""Gradient boosting on the answers to the survey."""

from __future__ import annotations

import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder

TARGET = "employed"


def fit(frame: pd.DataFrame, **hyperparameters: float) -> Pipeline:
    """Fits on *frame*: the features, categories in the order of model.yaml, and the target.

    Category codes go in as ordered numbers, not through `categorical_features`, whose ONNX export is silently wrong.
    Measured against one column per category: a third of the time to fit, and slightly better in every held-out year.
    """
    features = frame.drop(columns=TARGET)
    categories = features.select_dtypes("category")
    codes = OrdinalEncoder(
        categories=[list(column.cat.categories) for _, column in categories.items()],
        handle_unknown="use_encoded_value",
        unknown_value=-1,
        dtype="float32",
    )
    columns = make_column_transformer((codes, make_column_selector(dtype_include="category")), remainder="passthrough")
    boosting = HistGradientBoostingClassifier(early_stopping=False, random_state=0, **hyperparameters)
    return make_pipeline(columns, boosting).fit(features, frame[TARGET])
