"""What Verify asks of every model: the server keeps all of it, and what does not is named."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from config import load_model
from config.model import Task
from model_server import signature
from model_server.errors import PackageError
from model_server.scoring import Columns
from model_server.scoring import Model as Packaged
from model_server.testing import Client
from pipelines.packaging import golden
from pipelines.packaging.choosing import Chosen
from pipelines.stages.verifying import contract, load, rows, schema
from pipelines.stages.verifying.asking import Ask, Question, Reply, giving_up
from pipelines.stages.verifying.findings import failed
from pipelines.stages.verifying.released import Released
from tests.pipelines import jobs, models
from tests.pipelines.tables import CATEGORY, NUMBER, model

ACTIONS: tuple[signature.Action, ...] = ("refuse", "flag", "quarantine")
TASKS: tuple[Task, ...] = ("binary", "multiclass", "regression")


@cache
def trained(task: Task, *, nullable: bool = False) -> tuple[Chosen, Columns]:
    """A model whose training never saw blue."""
    features = [{**NUMBER, "nullable": nullable}, {**CATEGORY, "values": ["red", "green", "blue", "black"]}]
    described, table = model(task=task, features=features), models.random_rows(600)
    late, size = table["late"].to_numpy().astype(int), table["size"].to_numpy()
    target = {"binary": late, "multiclass": late + (size > 5), "regression": size}[task]
    estimator = LinearRegression() if task == "regression" else LogisticRegression()
    pipeline, columns = models.fitted(described, table, models.one_hot(estimator), np.asarray(target))
    return models.chosen(described, pipeline, columns), columns


def package(folder: Path, task: Task = "binary", *policy: signature.Action, script: str = "") -> Path:
    """An unpacked package with golden requests."""
    chosen, columns = trained(task)
    described = replace(chosen.signature, policy=signature.Policy(*policy))
    models.written(folder, replace(chosen, signature=described))
    stored = golden.choose(folder, columns, Packaged.read(folder).score(columns))
    (folder / "golden.json").write_text(json.dumps(stored.to_json()))
    if script:
        (folder / "code").mkdir()
        (folder / "code" / "inference.py").write_text(script)
    return folder


def asked(client: Client) -> Ask:
    def ask(question: Question) -> Reply:
        reply = client.invoke(question.body, question.content_type, question.accept)
        return Reply(reply.status, reply.body)

    return ask


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
@pytest.mark.parametrize(
    ("task", "invalid", "unseen"),
    [("binary", *pair) for pair in itertools.product(ACTIONS, repeat=2)]
    + [("multiclass", "flag", "quarantine"), ("regression", "quarantine", "refuse")],
)
def test_the_server_keeps_every_promise_under_every_policy(
    tmp_path: Path, task: Task, invalid: signature.Action, unseen: signature.Action
) -> None:
    folder = package(tmp_path / "package", task, invalid, unseen)
    checks = contract.checks(asked(Client(folder)), Released.of(folder, "it"))
    assert [check.problem for check in failed(checks)] == []
    whats = [check.what for check in checks]
    assert "colour: a category that training never saw (application/json)" in whats
    assert "size: above its maximum (application/json)" in whats
    assert "a good row (application/vnd.apache.parquet)" in whats
    assert len(checks) == 48


def test_a_server_that_answers_anything_breaks_every_promise_to_refuse(tmp_path: Path) -> None:
    released = Released.of(package(tmp_path / "package"), "it")
    good = b'{"predictions":[{"probability":0.5,"prediction":1}]}'
    checks = contract.checks(lambda _: Reply(200, good), released)
    told = {check.problem for check in failed(checks)}
    assert "Input 'NaN, which is no JSON' must be refused with 400; got 200." in told
    assert "Input 'size left out' must be refused with 422; got 200." in told
    assert "Input '500 good rows' must be 500 answers; got 1 answers of the right shape." in told
    assert all(check.problem for check in checks if check.promised.startswith("refused"))


def test_a_server_that_fails_breaks_every_promise(tmp_path: Path) -> None:
    released = Released.of(package(tmp_path / "package"), "it")
    failure = Reply(500, b'{"code": "internal", "message": "it failed"}', "ModelError 500")
    checks = contract.checks(lambda _: failure, released)
    assert failed(checks) == checks
    assert checks[0].problem == "Input 'a good row' must be 1 answer; got 500: it failed."


def test_a_model_that_hangs_is_not_asked_everything(tmp_path: Path) -> None:
    asked_for: list[Question] = []

    def hangs(question: Question) -> Reply:
        asked_for.append(question)
        return Reply(0, b"it timed out", "ReadTimeoutError")

    checks = contract.checks(giving_up(hangs), Released.of(package(tmp_path / "package"), "it"))
    assert failed(checks) == checks
    assert len(asked_for) == 3
    assert checks[0].problem.endswith("got ReadTimeoutError: it timed out.")
    assert checks[-1].problem.endswith("got no reply: not asked, because three others got no reply.")


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_a_model_of_real_data_keeps_every_promise(release: jobs.Release) -> None:
    released = Released.of(release.package, "it")
    assert schema.mismatches(load_model(jobs.CODE), released.signature) == []
    checks = contract.checks(asked(Client(release.package)), released)
    assert [check.problem for check in failed(checks)] == []
    assert len(checks) > 100


def test_a_refusal_has_a_reason_and_an_answer_can_be_read(tmp_path: Path) -> None:
    released = Released.of(package(tmp_path / "package"), "it")
    for status, body, words in ((400, b"{}", "without code and message"), (200, b"\xff", "that cannot be read")):
        checks = contract.checks(lambda _, status=status, body=body: Reply(status, body), released)
        assert any(words in check.problem for check in checks)


@pytest.mark.parametrize("script", ["def input_fn(body, kind):\n    ...\n", "from mine import predict_fn\n"])
def test_where_the_authors_code_reads_bodies_nothing_may_fail_and_garbage_is_refused(
    tmp_path: Path, script: str
) -> None:
    released = Released.of(package(tmp_path / "package", script=script), "it")
    assert released.own_code
    promised = {promise.outcome.told for promise in contract.promises(released)}
    assert promised == {"refused with 4xx", "answered or refused"}


def test_a_script_of_other_functions_leaves_the_contract_as_it_is(tmp_path: Path) -> None:
    assert not Released.of(package(tmp_path / "package", script="def model_fn(folder):\n    ...\n"), "it").own_code


def test_a_package_without_golden_requests_cannot_be_verified(tmp_path: Path) -> None:
    folder = package(tmp_path / "package")
    (folder / "golden.json").unlink()
    with pytest.raises(PackageError, match="it holds no golden requests, so nothing can be verified; train it again"):
        Released.of(folder, "it")


def test_the_rows_of_a_load_are_golden_ones_and_others_that_are_answered_too(tmp_path: Path) -> None:
    folder = package(tmp_path / "package", "binary", "refuse", "refuse")
    released, client = Released.of(folder, "it"), Client(folder)
    questions = load.questions(released)
    assert len(questions) == 200
    assert sum(bool(answer) for _, _, answer in questions) == 40
    assert {client.invoke(body, kind, kind).status for kind, body, _ in questions} == {200}
    assert questions == load.questions(released)  # the same at every run


def test_whole_numbers_stay_whole() -> None:
    ages = signature.Number("age", minimum=0, maximum=120)
    shares = signature.Number("share", minimum=0, maximum=1)
    described = signature.Signature("regression", "target", (ages, shares))
    body = '{"instances": [{"age": 37.0, "share": 0.5}]}'
    stored = golden.Golden(0.0, (golden.GoldenRequest("application/json", "application/json", body, ""),))
    made = rows.variations(described, stored, 50, seed=3)
    assert all(float(row["age"]).is_integer() and 0 <= row["age"] <= 120 for row in made)
    assert len({row["share"] for row in made}) > 10


def test_a_package_of_its_own_model_yaml_has_no_mismatch() -> None:
    features = [NUMBER, {**CATEGORY, "values": ["red", "green", "blue", "black"]}]
    assert schema.mismatches(model(features=features), trained("binary")[0].signature) == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"features": [NUMBER]}, "it needs colour, which model.yaml does not list"),
        ({"features": [NUMBER, CATEGORY, {**NUMBER, "name": "age"}]}, "it does not read age"),
        ({"features": [CATEGORY, NUMBER]}, "it reads size, colour in another order"),
        (
            {"features": [{**CATEGORY, "name": "size"}, CATEGORY]},
            "size is a number to it, and a category in model.yaml",
        ),
        ({"features": [{**NUMBER, "nullable": True}, CATEGORY]}, "size may not be empty to it, unlike in model.yaml"),
        ({"features": [{**NUMBER, "minimum": 1}, CATEGORY]}, "the minimum of size is 0.0 to it, and 1.0 in model.yaml"),
        ({"features": [NUMBER, CATEGORY]}, "only one of the two knows these values of colour: black"),
        ({"task": "regression"}, "its task is 'binary', and 'regression' in model.yaml"),
        ({"target": "lost"}, "its target is 'late', and 'lost' in model.yaml"),
        ({"serving": {"unseen": "refuse"}}, "its serving.unseen is 'flag', and 'refuse' in model.yaml"),
    ],
)
def test_a_package_of_another_schema_is_named_by_what_differs(changes: dict[str, object], sentence: str) -> None:
    found = schema.mismatches(model(**changes), trained("binary")[0].signature)
    assert any(sentence in each for each in found), found
    assert all(each.startswith("The package is not of this model.yaml: ") for each in found)
