"""Dockerfiles are read as Docker reads them."""

from __future__ import annotations

import pytest

from local_aws.docker.dockerfile import DockerError, expand, parse

TEXT = """\
# syntax=docker/dockerfile:1
ARG PYTHON=3.12
FROM python:${PYTHON}-slim AS base
RUN apt-get update && \\
    # a comment in between
    apt-get install -y make
RUN <<EOF
COPY never here
EOF
COPY --from=other --chown=app a b /app/

FROM base
CMD ["python3", "-m", "demo"]
"""


def test_stages_and_instructions_are_read() -> None:
    base, last = parse(TEXT, {})
    assert (base.name, base.base) == ("base", "python:3.12-slim")
    assert [str(instruction) for instruction in base.instructions] == [
        "RUN apt-get update && apt-get install -y make",
        "RUN <<EOF",
        "COPY --from=other --chown=app a b /app/",
    ]
    assert (last.name, last.base) == ("1", "base")
    assert last.instructions[0].json() == ["python3", "-m", "demo"]


def test_a_build_argument_replaces_the_default() -> None:
    assert parse(TEXT, {"PYTHON": "3.13"})[0].base == "python:3.13-slim"


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("$A/${A}", "1/1"),
        ("${B:-two}${A:-no}", "two1"),
        ("${A:+yes}${B:+no}", "yes"),
        ("\\$A", "$A"),
        ("${EMPTY:-full}${EMPTY-full}", "full"),
    ],
)
def test_variables_are_filled_in(text: str, filled: str) -> None:
    assert expand(text, {"A": "1", "EMPTY": ""}) == filled


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("COPY a b", "no build stage in current context"),
        ("# nothing", "has no FROM"),
        ("FROM a b c", "is not FROM image"),
        ("FROM a\nCOPY <<EOF /x\nhi\nEOF", "text written in the Dockerfile is not rehearsed"),
    ],
)
def test_a_dockerfile_that_makes_no_sense_is_refused_with_a_sentence(text: str, said: str) -> None:
    with pytest.raises(DockerError, match=said):
        parse(text, {})
