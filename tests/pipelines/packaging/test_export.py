from __future__ import annotations

import numpy as np
import onnx
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from pipelines.packaging.export import export
from tests.pipelines import models
from tests.pipelines.tables import model

TABLE = models.random_rows()
LATE = TABLE["late"].to_numpy().astype(int)


def test_every_feature_is_an_input_of_its_name_and_kind() -> None:
    pipeline, columns = models.fitted(model(), TABLE, models.one_hot(LogisticRegression()), LATE)
    graph = onnx.load_from_string(export(pipeline, model().features, columns)).graph
    kinds = {value.name: value.type.tensor_type.elem_type for value in graph.input}
    assert kinds == {"size": onnx.TensorProto.FLOAT, "colour": onnx.TensorProto.STRING}
    assert [value.name for value in graph.output] == ["probabilities"]


def test_thresholds_are_rounded_down_so_that_no_number_goes_the_wrong_way() -> None:
    pipeline, columns = models.fitted(model(), TABLE, models.one_hot(HistGradientBoostingClassifier(max_iter=30)), LATE)
    nodes = np.concatenate([tree.nodes for (tree,) in pipeline[-1]._predictors])
    exact = np.sort(nodes["num_threshold"][nodes["is_leaf"] == 0])
    (ensemble,) = (
        node
        for node in onnx.load_from_string(export(pipeline, model().features, columns)).graph.node
        if node.op_type == "TreeEnsembleClassifier"
    )
    attributes = {attribute.name: attribute for attribute in ensemble.attribute}
    branches = np.array([mode == b"BRANCH_LEQ" for mode in attributes["nodes_modes"].strings])
    narrow = np.sort(np.array(attributes["nodes_values"].floats)[branches])
    assert np.all(narrow <= exact)
    assert np.all(exact - narrow < 1e-6)
    assert np.any(exact.astype(np.float32) > exact)


def test_the_fitted_model_is_left_as_it_is() -> None:
    pipeline, columns = models.fitted(model(), TABLE, models.one_hot(HistGradientBoostingClassifier(max_iter=5)), LATE)
    before = [tree.nodes.tobytes() for (tree,) in pipeline[-1]._predictors]
    export(pipeline, model().features, columns)
    assert [tree.nodes.tobytes() for (tree,) in pipeline[-1]._predictors] == before
