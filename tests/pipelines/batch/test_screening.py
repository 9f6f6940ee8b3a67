"""Which lines are scored is what the model's own server says of each of them."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from math import isnan
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from model_server.signature import Category, Number, Policy, Signature
from model_server.testing import Client
from pipelines.batch.judging import Judge
from pipelines.batch.pending import Pending
from pipelines.batch.sorting import Sorted, Targets, sort_pending, sort_rows
from tests.pipelines import jobs

MB = 1024 * 1024
SIZE = Number("size", minimum=0, maximum=10)
COLOUR = Category("colour", ("red", "green", "blue", 'a "b", c'), nullable=True, seen=("red", "green", 'a "b", c'))
SMALL = Signature("binary", "late", (SIZE, COLOUR), classes=(0, 1))

NASTY = [
    b"5,red\n",
    b"\n",
    b"\r\n",
    b"5,red\r\n",
    b"size,colour\n",
    b"5\n",
    b"5,red,7\n",
    b"five,red\n",
    b",red\n",
    b"5,\n",
    b"99,red\n",
    b"5,blue\n",
    b"5,mauve\n",
    b'5,"red"\n',
    b'5,"red\n',
    b'",red\n',
    b'5,"a ""b"", c"\n',
    b"5,red\r6,green\n",
    b"5,red\r\r\n",
    b"5,\xff\xfe\n",
    b"\xef\xbb\xbf5,red\n",
    b"nan,red\n",
    b"1e999,red\n",
    b"5\x00,red\n",
    b" 5,red\n",
    b"5," + b"x" * 40_000 + b"\n",
]


def sort(folder: Path, content: bytes, signature: Signature = SMALL, longest: int = MB) -> tuple[bytes, list[Pending]]:
    """The accepted bytes, and the rows in quarantine."""
    folder.mkdir(exist_ok=True)
    for name in ("accepted", "quarantine"):
        (folder / name).unlink(missing_ok=True)
    source = folder / "rows.csv"
    source.write_bytes(content)
    found = sort_rows(Judge(signature), source, folder / "accepted", folder / "quarantine", longest)
    accepted = (folder / "accepted").read_bytes() if (folder / "accepted").exists() else b""
    texts = (folder / "quarantine").read_bytes().splitlines() if (folder / "quarantine").exists() else []
    pending = [Pending.parse(text) for text in texts]
    assert found == Sorted(_count(accepted), len(pending))
    return accepted, pending


def _count(content: bytes) -> int:
    return content.count(b"\n") + (bool(content) and not content.endswith(b"\n"))


def _lines(content: bytes) -> list[bytes]:
    return [part + b"\n" for part in content.split(b"\n")[:-1]]


def _together(accepted: bytes, pending: list[Pending]) -> list[bytes]:
    """The lines as they were, put together from both places."""
    held = {each.line: each.row for each in pending}
    rest = iter(_lines(accepted))
    count = _count(accepted) + len(pending)
    found = [held[number] if number in held else next(rest) for number in range(1, count + 1)]
    return [line for line in found if line is not None]


def test_every_reason_names_the_field_its_value_and_what_is_expected(tmp_path: Path) -> None:
    _, pending = sort(tmp_path, b"".join(NASTY[1:13]))
    codes = {each.line: each.kind for each in pending}
    assert codes == {
        1: "no_rows",
        2: "no_rows",
        4: "type/size",
        5: "row_length",
        6: "row_length",
        7: "type/size",
        8: "value_missing/size",
        10: "out_of_range/size",
        12: "category_unknown/colour",
    }
    reason = pending[-1].content["reason"]
    assert reason == {
        "code": "category_unknown",
        "field": "colour",
        "value": "mauve",
        "message": "colour is 'mauve'; expected one of: red, green, blue, a \"b\", c",
    }


@pytest.mark.parametrize(("unseen", "kept"), [("flag", True), ("quarantine", False), ("refuse", False)])
@pytest.mark.parametrize("invalid", ["flag", "quarantine", "refuse"])
def test_unseen_values_follow_the_models_policy_and_broken_rows_are_never_scored(
    tmp_path: Path, unseen: str, kept: bool, invalid: str
) -> None:
    signature = replace(SMALL, policy=Policy(invalid, unseen))  # type: ignore[arg-type]
    accepted, pending = sort(tmp_path, b"5,blue\n5,mauve\n5,red\n", signature)
    assert accepted == (b"5,blue\n" if kept else b"") + b"5,red\n"
    assert [each.line for each in pending] == ([2] if kept else [1, 2])


@given(st.lists(st.sampled_from(NASTY) | st.binary(max_size=20).map(lambda line: line.replace(b"\n", b"") + b"\n")))
@example(NASTY)
@example([b'5,"red\n', b'",6\n', b"5,red\r6,red\n"])
def test_no_line_is_lost_changed_or_doubled(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    accepted, pending = sort(tmp_path_factory.getbasetemp() / "any", b"".join(lines))
    given_lines = list(lines)
    if lines and lines[0].startswith(b"\xef\xbb\xbf"):
        given_lines[0] = lines[0][3:]  # the mark of the file is no part of its first line
    assert _together(accepted, pending) == given_lines


@given(st.lists(st.sampled_from(NASTY), min_size=1, max_size=60))
@example([b"\xef\xbb\xbf5,red\n", b"5," + b"x" * 200_000 + b"\n"])
def test_a_line_is_judged_the_same_whatever_stands_around_it(lines: list[bytes]) -> None:
    judge = Judge(SMALL)
    alone = {place: judge.refused([line]) for place, line in enumerate(lines)}
    assert judge.refused(lines).keys() == {place for place, found in alone.items() if found}


def test_a_line_that_no_request_can_carry_waits_with_its_beginning(tmp_path: Path) -> None:
    huge = b"5," + b"x" * (3 * MB) + b"\n"
    accepted, pending = sort(tmp_path, b"5,red\n" + huge + b"6,red\n" + huge[:-1], longest=MB)
    assert accepted == b"5,red\n6,red\n"
    assert [(each.line, each.kind, each.content["bytes"]) for each in pending] == [
        (2, "too_large", len(huge)),
        (4, "too_large", len(huge) - 1),
    ]
    assert all(each.row is None and len(each.content["row"]) == 1000 for each in pending)


def test_what_is_no_text_is_kept_byte_for_byte(tmp_path: Path) -> None:
    _, (pending,) = sort(tmp_path, b"5,\xff\xfe\n")
    assert pending.row == b"5,\xff\xfe\n"
    assert pending.kind == "malformed"


def test_rows_in_quarantine_are_taken_once_a_newer_package_knows_their_value(tmp_path: Path) -> None:
    strict = replace(SMALL, policy=Policy(unseen="quarantine"))
    sort(tmp_path, b"".join((*NASTY, b"6,blue\n")), strict)
    newer = replace(strict, features=(SIZE, replace(COLOUR, seen=("red", "green", "blue"))))
    targets = Targets(tmp_path / "again", tmp_path / "numbers", tmp_path / "remaining")
    before = (tmp_path / "quarantine").read_bytes().splitlines()
    counts, _ = sort_pending(Judge(newer), tmp_path / "quarantine", targets, MB)
    assert (tmp_path / "again").read_bytes() == b"5,blue\n6,blue\n"
    assert (tmp_path / "numbers").read_text().split() == ["12", str(len(NASTY) + 1)]
    assert counts == Sorted(2, len(before) - 2)
    remaining = (tmp_path / "remaining").read_bytes().splitlines()
    assert remaining == [line for line in before if json.loads(line)["line"] not in (12, len(NASTY) + 1)]


def test_without_a_signature_only_empty_lines_are_left_out() -> None:
    assert list(Judge(None).refused([b"anything\n", b"\r\n", b"\xff\n"])) == [1]


def test_the_real_models_server_says_the_same_of_each_line(release: jobs.Release, tmp_path: Path) -> None:
    """The server answers each accepted line alone with one row, and refuses the others for the very reason."""
    client = Client(release.package)
    signature = Signature.read(release.package)
    lines = [*_real(release, 200), *_broken(_real(release, 1)[0])]
    accepted, pending = sort(tmp_path, b"".join(lines), signature)
    for line in _lines(accepted):
        reply = client.invoke(line, "text/csv; header=absent")
        assert (reply.status, reply.rows) == (200, 1), line
    assert len(pending) > 8
    for each in pending:
        assert each.row is not None
        reply = client.invoke(each.row, "text/csv; header=absent", accept="application/json")
        if each.kind == "several_rows":
            assert reply.rows != 1
            continue
        told = json.loads(reply.body)
        reason = each.content["reason"]
        assert (told["code"], told.get("field")) == (reason["code"], reason["field"]), each.row
        if reason["code"] not in ("no_rows", "malformed"):
            assert told["message"].removeprefix("row 0: ") == reason["message"]
    together = client.invoke(accepted, "text/csv")
    assert together.status == 200
    assert together.body.count(b"\n") == len(_lines(accepted))


def _real(release: jobs.Release, count: int) -> list[bytes]:
    signature = Signature.read(release.package)
    frame = jobs.training_rows().head(count)
    lines = []
    for row in frame[list(signature.names)].itertuples(index=False):
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(
            ["" if isinstance(value, float) and isnan(value) else value for value in row]
        )
        lines.append(text.getvalue().encode())
    return lines


def _broken(line: bytes) -> list[bytes]:
    fields = line.rstrip(b"\n").split(b",")
    changed = [
        [*fields[:place], value, *fields[place + 1 :]]
        for place in range(len(fields))
        for value in (b"never", b"", b"\xff", b'"', b"-1e40")
    ]
    shapes = [b"\n", b"\r\n", line[:-1] + b"\r" + line, line[:-1] + b",1\n", b",".join(fields[1:]) + b"\n"]
    return [*(b",".join(each) + b"\n" for each in changed), *shapes]
