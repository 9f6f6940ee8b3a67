"""Gradient boosting on the calendar and the weather of an hour."""

from __future__ import annotations

import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder

TARGET = "cnt"


def fit(frame: pd.DataFrame, **hyperparameters: float) -> Pipeline:
    """Fits on *frame*: the features, categories in the order of model.yaml, and the target.

    Hours, weekdays and months have an order that trees can cut, so their codes go in as numbers. The loss is the
    squared error: the ONNX export of a Poisson loss is silently wrong.
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
    boosting = HistGradientBoostingRegressor(early_stopping=False, random_state=0, **hyperparameters)
    return make_pipeline(columns, boosting).fit(features, frame[TARGET])
