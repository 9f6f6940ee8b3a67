from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pyarrow as pa
import pytest
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from pipelines.container import StepError
from pipelines.packaging.export import export
from tests.pipelines import models
from tests.pipelines.tables import CATEGORY, NUMBER, model

TABLE = models.random_rows()
LATE = TABLE["late"].to_numpy().astype(int)


def test_each_kind_of_feature_is_one_input() -> None:
    pipeline, _ = models.fitted(model(), TABLE, models.one_hot(LogisticRegression()), LATE)
    graph = onnx.load_from_string(export(pipeline, model().features)).graph
    kinds = {value.name: value.type.tensor_type.elem_type for value in graph.input}
    assert kinds == {"numbers": onnx.TensorProto.FLOAT, "categories": onnx.TensorProto.STRING}
    assert [value.name for value in graph.output] == ["probabilities"]


def test_thresholds_are_rounded_down_so_that_no_number_goes_the_wrong_way() -> None:
    pipeline, _ = models.fitted(model(), TABLE, models.one_hot(HistGradientBoostingClassifier(max_iter=30)), LATE)
    nodes = np.concatenate([tree.nodes for (tree,) in pipeline[-1]._predictors])
    exact = np.sort(nodes["num_threshold"][nodes["is_leaf"] == 0])
    (ensemble,) = (
        node
        for node in onnx.load_from_string(export(pipeline, model().features)).graph.node
        if node.op_type == "TreeEnsembleClassifier"
    )
    attributes = {attribute.name: attribute for attribute in ensemble.attribute}
    branches = np.array([mode == b"BRANCH_LEQ" for mode in attributes["nodes_modes"].strings])
    narrow = np.sort(np.array(attributes["nodes_values"].floats)[branches])
    assert np.all(narrow <= exact)
    assert np.all(exact - narrow < 1e-6)
    assert np.any(exact.astype(np.float32) > exact)


def test_the_fitted_model_is_left_as_it_is() -> None:
    pipeline, _ = models.fitted(model(), TABLE, models.one_hot(HistGradientBoostingClassifier(max_iter=5)), LATE)
    before = [tree.nodes.tobytes() for (tree,) in pipeline[-1]._predictors]
    export(pipeline, model().features)
    assert [tree.nodes.tobytes() for (tree,) in pipeline[-1]._predictors] == before


def transformer(*parts: tuple[str, Any, Any], **options: Any) -> ColumnTransformer:
    return ColumnTransformer(list(parts), sparse_threshold=0, **options)


FEATURES = [
    {"name": "shade", "type": "category", "values": ["dark", "light"]},
    {"name": "width", "type": "number"},
    CATEGORY,
    NUMBER,
    {"name": "height", "type": "number"},
]
CODES = OneHotEncoder(handle_unknown="ignore")


@pytest.mark.parametrize(
    "columns",
    [
        transformer(("codes", CODES, ["colour", "shade"]), ("scaled", StandardScaler(), ["height", "size", "width"])),
        transformer(("codes", CODES, ["colour"]), ("dropped", "drop", ["shade"]), remainder="passthrough"),
        transformer(("codes", CODES, [2, 0]), remainder=StandardScaler()),
        transformer(("codes", CODES, make_column_selector(dtype_include="category")), ("one", "passthrough", [4])),
        transformer(("codes", CODES, slice("colour", "colour")), ("two", "passthrough", slice(3, 5))),
        transformer(("codes", CODES, np.array([True, False, True, False, False])), ("last", "passthrough", [-1])),
        FeatureUnion(
            [
                ("codes", transformer(("codes", CODES, ["shade"]))),
                (
                    "numbers",
                    transformer(("scaled", make_pipeline(SimpleImputer(), StandardScaler()), ["size", "height"])),
                ),
            ]
        ),
        make_pipeline(transformer(("codes", CODES, ["colour"]), ("size", "passthrough", ["size"])), StandardScaler()),
    ],
    ids=["names", "a remainder", "places", "a selector", "slices", "a mask", "a union", "a pipeline"],
)
def test_columns_are_found_however_they_are_named(columns: Any) -> None:
    described = model(features=FEATURES)
    generator = np.random.default_rng(3)
    table = TABLE.append_column("shade", pa.array(generator.choice(["dark", "light"], len(TABLE))))
    for name in ("width", "height"):
        table = table.append_column(name, pa.array(generator.normal(size=len(TABLE))))
    pipeline, given = models.fitted(described, table, make_pipeline(columns, LogisticRegression()), LATE)
    assert models.checked(described, pipeline, given).largest_difference <= 1e-6


def test_a_model_without_categories_has_no_such_input() -> None:
    numbers = model(features=[NUMBER])
    pipeline, _ = models.fitted(numbers, TABLE, LogisticRegression(), LATE)
    assert [value.name for value in onnx.load_from_string(export(pipeline, numbers.features)).graph.input] == [
        "numbers"
    ]


def test_a_model_without_numbers_has_no_such_input() -> None:
    categories = model(features=[CATEGORY])
    encoder = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression())
    pipeline, columns = models.fitted(categories, TABLE, encoder, LATE)
    graph = onnx.load_from_string(export(pipeline, categories.features)).graph
    assert [value.name for value in graph.input] == ["categories"]
    assert models.checked(categories, pipeline, columns).largest_difference <= 1e-6


def test_a_model_that_reads_numbers_and_categories_as_one_table_is_told_what_to_do() -> None:
    estimator = HistGradientBoostingClassifier(max_iter=5, categorical_features="from_dtype")
    pipeline, _ = models.fitted(model(), TABLE, estimator, LATE)
    with pytest.raises(StepError, match="one table; begin it with a ColumnTransformer"):
        export(pipeline, model().features)
