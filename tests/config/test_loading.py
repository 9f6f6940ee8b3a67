"""A wrong file is refused with a sentence that names file, field, value and what is allowed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from config import ConfigError, load_model, load_models, load_project
from config.hosting import Dedicated
from config.rollout import AllAtOnce, Canary

ROOT = Path(__file__).parents[2]
EMPLOYMENT = (ROOT / "model_code/employment/model.yaml").read_text()


def model_with(folder: Path, old: str, new: str) -> Path:
    assert old in EMPLOYMENT
    target = folder / "employment"
    target.mkdir()
    (target / "model.yaml").write_text(EMPLOYMENT.replace(old, new, 1))
    return target


def test_the_shipped_project_and_models_are_valid() -> None:
    project = load_project(ROOT)
    assert [model.name for model in load_models(ROOT, project)] == sorted(
        folder.parent.name for folder in (ROOT / "model_code").glob("*/model.yaml")
    )


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "instances: 2",
            "instanses: 2",
            "hosting.instanses is 2: no such field; allowed: instance, instances, kind, scaling; "
            "did you mean 'instances'?",
        ),
        (
            "kind: dedicated\n",
            "kind: dedicatd\n",
            "hosting.kind is 'dedicatd': not one of the kinds; allowed: dedicated, serverless; "
            "did you mean 'dedicated'?",
        ),
        (
            "hosting:\n",
            "serving: {engine: tensorrt}\nhosting:\n",
            "serving.engine is 'tensorrt': input should be 'onnx', 'native' or 'auto'",
        ),
        (
            "hosting:\n",
            "serving: {unseen: ignore}\nhosting:\n",
            "serving.unseen is 'ignore': input should be 'refuse', 'flag' or 'quarantine'",
        ),
        ("task: binary", "task: binray", "task is 'binray': input should be 'binary', 'multiclass' or 'regression'"),
        (
            "metric: roc_auc",
            "metric: auc",
            "promotion.metric is 'auc'; a binary model allows: roc_auc, f1, precision, recall, accuracy",
        ),
        (
            "type: number",
            "type: numbr",
            "features[AGEP].type is 'numbr': not one of the kinds; allowed: number, category; did you mean 'number'?",
        ),
        ("minimum: 0,", "minimun: 0,", "features[AGEP].minimun is 0: no such field"),
        ("minimum: 0,", "minimum: 200,", "features[AGEP]: minimum 200.0 is above maximum 120.0; swap them"),
        ('values: ["1", "2"]', 'values: ["1", "1"]', "features[DIS]: values lists 1 more than once"),
        ("{name: MAR,", "{name: SCHL,", "features lists SCHL more than once; list each column once"),
        ("target: employed", "target: AGEP", "AGEP is a feature and also the target, id or period; drop the feature"),
        ("latency_p99_ms: 200", "latency_p99: 200", "did you mean 'latency_p99_ms'?"),
        ("maximum: 6,", "maximum: 1,", "hosting: scaling.maximum is 1, below instances (2); raise it or drop scaling"),
        ("team: labour", "team: labour\nteam: labour", "'team' is written twice"),
        ("team: labour", "team: labour\nname: x", "name is 'x': not written here, it is the folder's name; remove it"),
        ("monitoring:\n  alarms:\n    latency_p99_ms: 200\n", "", "monitoring is missing; add it"),
        ("  alarms:\n    latency_p99_ms: 200\n", "  none: no need\n", "monitoring.none is 'no need'"),
        ("capture_as_sent: The rows are", "capture_as_sent: too short #", "monitoring.capture_as_sent is 'too short'"),
        ("  alarms:\n    latency_p99_ms: 200\n", "", "write either `alarms: {}`"),
        ("at_least:", "at_most:", "promotion: higher is better for roc_auc; write at_least, and no at_most"),
        ("at_least:", "# at_least:", "promotion: higher is better for roc_auc; write at_least, and no at_most"),
        (
            "metric: roc_auc",
            "metric: mean_absolute_error",
            "promotion: lower is better for mean_absolute_error; write at_most, and no at_least",
        ),
        (
            "period: year",
            "period: year\n  period_unit: week",
            "data.period_unit is 'week': input should be 'day', 'month' or 'year'",
        ),
        ("task: binary", "task: [binary", "is not valid YAML"),
        ("task: binary", "\ttask: binary", "\\t' that cannot start any token"),
        ("task: binary", "task: binary: 2", "    task: binary: 2\n                ^"),
    ],
)
def test_a_wrong_model_is_refused_with_a_sentence(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    folder = model_with(tmp_path, old, new)
    with pytest.raises(ConfigError) as refusal:
        load_model(folder)
    assert str(folder / "model.yaml") in str(refusal.value)
    assert sentence in str(refusal.value)


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    folder = model_with(tmp_path, "task: binary", "taks: binary\nownerz: []")
    with pytest.raises(ConfigError) as refusal:
        load_model(folder)
    told = str(refusal.value)
    assert "did you mean 'task'?" in told
    assert "did you mean 'owners'?" in told
    assert "task is missing; add it" in told


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"project\.yaml does not exist"):
        load_project(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("team: labour", "team: labor", "team is 'labor'; project.yaml has: labour, mobility"),
        ("  staging:\n", "  stagin:\n", "environments.stagin: no such environment; allowed: staging, production"),
    ],
)
def test_a_model_that_does_not_fit_the_project_is_refused(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    shutil.copy(ROOT / "project.yaml", tmp_path)
    (tmp_path / "model_code").mkdir()
    model_with(tmp_path / "model_code", old, new)
    with pytest.raises(ConfigError, match=sentence.replace("[", r"\[")):
        load_models(tmp_path, load_project(tmp_path))


def test_a_name_that_sagemaker_would_refuse_is_refused_first(tmp_path: Path) -> None:
    text = (ROOT / "project.yaml").read_text().replace("name: greenlight", "name: a-project-with-a-long-long-name")
    (tmp_path / "project.yaml").write_text(text)
    folder = tmp_path / "model_code/a-model-with-a-long-long-name"
    shutil.copytree(ROOT / "model_code/employment", folder)
    with pytest.raises(ConfigError, match="characters; SageMaker allows 63; shorten"):
        load_models(tmp_path, load_project(tmp_path))


def test_naming_an_account_for_only_one_place_is_refused(tmp_path: Path) -> None:
    text = (ROOT / "project.yaml").read_text().replace("tooling:\n", "tooling:\n  account: '111122223333'\n")
    (tmp_path / "project.yaml").write_text(text)
    with pytest.raises(
        ConfigError, match="tooling names an account and production, staging does not; name all or none"
    ):
        load_project(tmp_path)


def test_an_environment_overrides_what_it_names_and_nothing_else() -> None:
    model = load_model(ROOT / "model_code/employment")
    staging = model.in_environment("staging")
    assert isinstance(staging.hosting, Dedicated)
    assert staging.hosting.instances == 1
    assert staging.monitoring == model.monitoring
    production = model.in_environment("production")
    assert production.model_copy(update={"rollout": None}) == model


def test_a_fleet_gets_a_canary_in_production_where_nothing_else_is_written() -> None:
    model = load_model(ROOT / "model_code/employment")
    assert isinstance(model.in_environment("production").rollout, Canary)
    assert model.in_environment("staging").rollout == AllAtOnce()


def test_a_canary_on_one_instance_is_refused_with_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"in staging, rollout\.kind is 'canary' and hosting\.instances is 1"):
        load_model(model_with(tmp_path, "batch:\n", "rollout: {kind: canary}\nbatch:\n"))


def test_a_rolling_update_of_serverless_hosting_is_refused(tmp_path: Path) -> None:
    more = "instances: 1}\n  production: {hosting: {kind: serverless}, rollout: {kind: rolling}}\n"
    with pytest.raises(ConfigError, match="shifts instances, and serverless hosting has none"):
        load_model(model_with(tmp_path, "instances: 1}\n", more))


def test_baking_too_short_for_an_alarm_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="alarms need 5 minutes to see anything"):
        load_model(model_with(tmp_path, "batch:\n", "rollout: {kind: all-at-once, bake_minutes: 2}\nbatch:\n"))


@pytest.mark.parametrize(
    ("rollout", "instances", "refused"),
    [
        ("{kind: linear, percent: 10, bake_minutes: 60}", 10, "10 steps wait 600 minutes"),
        ("{kind: linear, percent: 10, bake_minutes: 60}", 7, None),
        ("{kind: linear, percent: 10, bake_minutes: 60, keep_minutes: 1}", 7, "7 steps wait 421 minutes"),
        ("{kind: rolling, percent: 5, bake_minutes: 30}", 20, "20 steps wait 600 minutes"),
        ("{kind: canary, percent: 10, bake_minutes: 60, keep_minutes: 60}", 20, None),
    ],
)
def test_a_rollout_that_sagemaker_would_end_before_it_is_through_is_refused(
    tmp_path: Path, rollout: str, instances: int, refused: str | None
) -> None:
    hosting = f"{{kind: dedicated, instance: ml.m5.large, instances: {instances}}}"
    production = f"production: {{hosting: {hosting}, rollout: {rollout}}}"
    folder = model_with(tmp_path, "instances: 1}\n", f"instances: 1}}\n  {production}\n")
    if refused is None:
        load_model(folder)
        return
    with pytest.raises(ConfigError, match=refused):
        load_model(folder)


def test_configuration_cannot_be_changed_after_loading() -> None:
    model = load_model(ROOT / "model_code/employment")
    with pytest.raises(ValueError, match="frozen"):
        setattr(model, "team", "other")  # noqa: B010 - as code would that the type checker has not seen


def test_a_reason_to_record_sensitive_features_as_sent_needs_a_sensitive_feature(tmp_path: Path) -> None:
    folder = model_with(tmp_path, "description", "description")
    file = folder / "model.yaml"
    file.write_text(EMPLOYMENT.replace("sensitive: true, ", ""))
    with pytest.raises(ConfigError, match=r"monitoring\.capture_as_sent says why .* no feature is sensitive; drop it"):
        load_model(folder)


def test_sensitive_features_are_masked_unless_a_sentence_says_why_not(tmp_path: Path) -> None:
    found = load_model(model_with(tmp_path, "  capture_as_sent:", "  # capture_as_sent:"))
    assert found.masks
    assert set(found.sensitive) == {"DIS", "ANC", "NATIVITY", "DEAR", "DEYE", "DREM", "SEX", "RAC1P"}
