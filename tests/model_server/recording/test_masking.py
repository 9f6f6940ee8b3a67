"""What the server records of a package that can mask, as a process over real sockets."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_server import media
from model_server.recording import masking
from model_server.recording.answered import cleaned
from model_server.recording.masking import Masker, UnmaskableError
from model_server.signature import Signature
from tests.model_server.cases import CSV, JSON, LINES, ONE, TYPES
from tests.model_server.recording.test_recording import awaited, counted, recorded, sides
from tests.model_server.serving import serve

MASKS: dict[str, Any] = {
    "format": 1,
    "id": "of the test",
    "key": "00ff",
    "row_id": "id",
    "numbers": {"size": [1.0, 2.5, 5.0, 9.5]},
    "categories": {"colour": ["red", "green"]},
}


@pytest.fixture
def parcel(parcels: Path, tmp_path: Path) -> Path:
    """The package of the parcels model, with masks."""
    folder = tmp_path / "package"
    shutil.copytree(parcels, folder)
    (folder / masking.FILE).write_text(json.dumps(MASKS))
    return folder


def hashed(colour: str) -> str:
    return hmac.new(bytes.fromhex(MASKS["key"]), f"colour\0{colour}".encode(), hashlib.sha256).hexdigest()[:16]


def rows(body: bytes) -> list[dict[str, Any]]:
    split = json.loads(body)["dataframe_split"]
    return [dict(zip(split["columns"], row, strict=True)) for row in split["data"]]


def test_whatever_its_content_type_a_record_has_bands_and_hashes(parcel: Path, tmp_path: Path) -> None:
    with serve(tmp_path / "served", parcel, RECORD_PERCENT="100") as serving:
        for kind in TYPES:
            headers = {"x_amzn_sagemaker_custom_attributes": "note=secret"}
            serving.request("POST", "/invocations", ONE[kind], content_type=kind, **headers)
        records = awaited(serving, len(TYPES))
    assert len(records) == len(TYPES)
    for record in records:
        (row,) = rows(sides(record)[0])
        assert row["size"] == "band 2"
        assert row["colour"] == hashed("red")
        assert record["eventMetadata"]["masked"] == "of the test"
        assert "secret" not in json.dumps(record)


@pytest.mark.parametrize(("sensitive", "written", "unmaskable"), [("masked", 0, 1), ("as-sent", 1, 0), ("", 1, 0)])
def test_without_masks_nothing_is_recorded_that_is_to_be_masked(
    parcels: Path, tmp_path: Path, sensitive: str, written: int, unmaskable: int
) -> None:
    with serve(tmp_path, parcels, RECORD_PERCENT="100", RECORD_SENSITIVE=sensitive) as serving:
        serving.invoke(ONE[CSV], CSV)
        awaited(serving, 1, 1)
        assert (counted(serving, "written"), counted(serving, "unmaskable")) == (written, unmaskable)
        serving.terminate()
        serving.ended()
    assert len(recorded(serving)) == written
    said = [line["message"] for line in serving.logged() if line.get("event") == "unmasked"]
    assert bool(said) == (sensitive == "masked")


def test_what_was_decided_to_be_kept_is_kept(parcel: Path, tmp_path: Path) -> None:
    with serve(tmp_path / "served", parcel, RECORD_PERCENT="100", RECORD_SENSITIVE="as-sent") as serving:
        serving.invoke(ONE[CSV], CSV)
        (record,) = awaited(serving, 1)
    assert sides(record)[0] == ONE[CSV]


def test_the_cause_of_a_failure_is_where_it_was_raised_and_not_what_it_says(parcel: Path, tmp_path: Path) -> None:
    (parcel / "code").mkdir()
    code = """
def predict_fn(data, model):
    value = f"{data['colour'][0, 0]}sent"
    raise RuntimeError(value) from ValueError(value)
"""
    (parcel / "code" / "inference.py").write_text(code)
    with serve(tmp_path / "served", parcel) as serving:
        assert serving.invoke(b"3,red\n", CSV)[0] == 500
        told = [line for line in serving.logs(2) if line.get("status") == 500]
    (line,) = told
    assert "inference.py" in line["cause"]
    assert line["cause"].splitlines()[-1] == "RuntimeError"
    assert "ValueError" in line["cause"]
    assert "redsent" not in json.dumps(told)


@pytest.mark.parametrize(
    ("body", "size", "colour"),
    [
        (b"0.5,red\n", "band 0", "red"),
        (b"1,red\n", "band 1", "red"),
        (b"9.5,blue\n", "band 4", "unseen"),
        (b",green\n", None, "green"),
        (b"secret,\n", "unseen", None),
    ],
)
def test_the_ends_of_bands_and_values_that_are_none(
    parcel: Path, body: bytes, size: str | None, colour: str | None
) -> None:
    masker = Masker.read(parcel)
    assert masker
    (row,) = rows(masker.request(f"{CSV}; header=absent", body))
    known = {value: hashed(value) for value in ("red", "green")}
    assert row == {"size": size, "colour": known.get(colour or "", colour)}


def test_the_id_of_a_row_is_recorded_where_the_caller_gives_one(parcel: Path) -> None:
    masker = Masker.read(parcel)
    assert masker
    for kind, body in {
        JSON: b'{"instances": [{"size": 3, "colour": "red", "id": "mine"}]}',
        LINES: b'{"id": "mine", "size": 3, "colour": "red"}\n',
        CSV: b"id,size,colour\nmine,3,red\n",
    }.items():
        (row,) = rows(masker.request(kind, body))
        assert row["id"] == "mine"
    (row,) = rows(masker.request(JSON, b'{"instances": [[3, "red"]], "id": "of all"}'))
    assert row.keys() == {"size", "colour"}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (JSON, b'{"secret": 1}'),
        (JSON, b"secret"),
        (CSV, b"3,red,secret\n"),
        ("image/png", b"secret"),
        (media.NPY, b"x"),
    ],
)
def test_a_body_that_is_no_rows_is_masked_as_nothing(parcel: Path, kind: str, body: bytes) -> None:
    masker = Masker.read(parcel)
    assert masker
    with pytest.raises(UnmaskableError):
        masker.request(kind, body)


def test_of_an_answer_scores_and_classes_are_left(kinds: Path) -> None:
    signature = Signature.read(kinds)
    answer = {
        "id": "secret",
        "predictions": [
            {
                "probabilities": {"a": 0.5, "b": 0.5, "c": 0, "secret": 1},
                "prediction": "a",
                "flags": [{"message": "secret"}],
            },
            {"error": {"code": "type", "message": "secret"}},
        ],
        "more": "secret",
    }
    kept = {"predictions": [{"probabilities": {"a": 0.5, "b": 0.5, "c": 0}, "prediction": "a"}, {"error": {}}]}
    assert json.loads(cleaned(signature, JSON, json.dumps(answer).encode())[1]) == kept
    assert cleaned(signature, CSV, b"0.5,0.5,0,a\n,,,\n")[1] == b"0.5,0.5,0,a\n,,,\n"
    texts = io.BytesIO()
    np.save(texts, np.array([["secret"]]))
    for kind, body in ((JSON, b'["secret"]'), (CSV, b"0.5,0.5,0,secret\n"), (media.NPY, texts.getvalue())):
        with pytest.raises(ValueError, match=r"secret|array"):
            cleaned(signature, kind, body)
