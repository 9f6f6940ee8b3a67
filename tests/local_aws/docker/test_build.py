"""`docker build` gathers what the stages of a target copy, and says what it does not do."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from local_aws.docker.build import Builder, Snapshot
from local_aws.docker.dockerfile import DockerError
from pipelines.stages.image import CONTENT
from tests.sealed import Key, trust

ROOT = Path(__file__).parents[3]

DOCKERFILE = """\
FROM python:3.12-slim AS base
ENV HOME=/opt/app PORT=8080
WORKDIR /opt
RUN pip install numpy

FROM base AS assets
COPY data/*.csv /assets/

FROM base AS serving
WORKDIR app
COPY server server
COPY --from=assets /assets/ ./assets/
COPY --from=assets /usr/lib/made /made
COPY README.md .
ENTRYPOINT ["python3", "-m", "server"]
CMD ["--port", "8080"]

FROM serving AS job
COPY jobs/ jobs/
ENTRYPOINT []
"""


@pytest.fixture
def context(tmp_path: Path) -> Path:
    files = {
        "server/main.py": "serve",
        "server/main.pyc": "compiled",
        "data/a.csv": "1",
        "data/b.txt": "2",
        "jobs/train.py": "train",
        "README.md": "read me",
        ".dockerignore": "**/*.pyc\n",
    }
    for name, text in files.items():
        path = tmp_path / "context" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "context"


class Build:
    def __init__(self, context: Path, dockerfile: str = DOCKERFILE, target: str = "") -> None:
        self.said: list[str] = []
        builder = Builder(dockerfile, context, context.parent / "stages", {}, self.said.append)
        self.snapshot: Snapshot = builder.build(target)

    @property
    def files(self) -> set[str]:
        root = self.snapshot.root
        return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def test_a_target_has_the_files_of_its_stages(context: Path) -> None:
    build = Build(context, target="serving")
    assert build.files == {"opt/app/server/main.py", "opt/app/assets/a.csv", "opt/app/README.md"}
    assert build.snapshot.workdir == "/opt/app"
    assert build.snapshot.environment == {"HOME": "/opt/app", "PORT": "8080"}
    assert build.snapshot.entrypoint + build.snapshot.command == ["python3", "-m", "server", "--port", "8080"]


def test_the_last_stage_is_the_default_target(context: Path) -> None:
    build = Build(context)
    assert "opt/app/jobs/train.py" in build.files
    assert (build.snapshot.entrypoint, build.snapshot.command) == ([], [])


def test_what_is_not_done_is_said(context: Path) -> None:
    said = [line for line in Build(context).said if line.startswith("Not rehearsed: ")]
    assert said == [
        "Not rehearsed: FROM python:3.12-slim (this machine's own environment stands for it)",
        "Not rehearsed: RUN pip install numpy",
        "Not rehearsed: COPY --from=assets /usr/lib/made /made (/usr/lib/made would come from a RUN)",
    ]


@pytest.mark.parametrize(
    ("dockerfile", "said"),
    [
        ("FROM scratch\nCOPY server missing.py /app/", r'"/missing.py": not found \(line 2: COPY server missing.py'),
        ("FROM scratch AS a\nFROM scratch\nCOPY --from=a /x /", '"/x": not found'),
        ("FROM scratch\nCOPY ../secret /", "outside the build context"),
        ("FROM scratch\nADD https://example.com/x /", "is not rehearsed; copy files of the context"),
        ("FROM scratch\nCOPPY a b", "line 2: unknown instruction: COPPY"),
    ],
)
def test_what_cannot_be_copied_fails_as_in_docker(context: Path, dockerfile: str, said: str) -> None:
    with pytest.raises(DockerError, match=said):
        Build(context, dockerfile)


def test_a_target_that_does_not_exist_is_named(context: Path) -> None:
    with pytest.raises(DockerError, match='"server" could not be found; the Dockerfile has base, assets, serving, job'):
        Build(context, target="server")


def test_a_list_of_what_to_include_works(context: Path) -> None:
    (context / ".dockerignore").write_text("*\n!server/main.py\n!data\n")
    files = Build(context, "FROM scratch\nCOPY . /\n").files
    assert files == {"server/main.py", "data/a.csv", "data/b.txt"}


def test_a_folder_is_copied_by_its_content_and_a_file_to_its_new_name(context: Path) -> None:
    files = Build(context, "FROM scratch\nCOPY server /a/b\nCOPY README.md /c\nCOPY data/a.csv data/b.txt /d/\n").files
    assert files == {"a/b/main.py", "c", "d/a.csv", "d/b.txt"}


@pytest.mark.parametrize("target", CONTENT)
def test_every_image_of_this_project_is_built_with_the_server_in_it(target: str, tmp_path: Path) -> None:
    dockerfile = (ROOT / "model_server" / "Dockerfile").read_text()
    root = tmp_path / "checkout"
    for folder in ("config", "model_server", "monitoring", "pipelines"):
        shutil.copytree(ROOT / folder, root / folder)
    for name in ("pyproject.toml", "uv.lock", ".dockerignore"):
        shutil.copy(ROOT / name, root)
    trust(root / "trusted_keys", first=Key())
    image = Builder(dockerfile, root, tmp_path, {}, lambda _: None).build(target)
    assert (image.root / image.workdir.lstrip("/") / "model_server" / "engines.py").is_file()
    assert image.entrypoint == ([] if target == "job" else ["python3", "-m", "model_server"])
