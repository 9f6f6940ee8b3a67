"""Builds this project's images without Docker, and runs them as a container would: Buildah, chroot and namespaces.

The base is Debian's own Python, made by debootstrap: the same release of Debian as the Dockerfile's base, with another
Python. Nothing comes from a container registry. On Debian, as root:

    apt-get update && apt-get install --yes --no-install-recommends buildah debootstrap
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.stages.image import CONTENT
from tests.sealed import Key, trust

ROOT = Path(__file__).parents[2]
RELEASE = "trixie"
PACKAGES = "ca-certificates,python3,python3-pip,python3-venv"
BASE = f"localhost/python:{RELEASE}"
MODEL = "opt/ml/model"
_TOOLS = ("buildah", "debootstrap", "unshare")
_CERTIFICATES = "/etc/ssl/certs"
_BASE_DOCKERFILE = (
    "FROM scratch\nADD {archive} /\nENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
)
_CONTAINER = f"""
set -e
mount --bind "$1" "$1"
mount --bind "$2" "$1/{MODEL}"
mount -o remount,bind,ro "$1/{MODEL}"
mount -o remount,bind,ro "$1"
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mount --rbind /sys "$1/sys"
root=$1
shift 2
exec chroot "$root" "$@"
"""


def missing() -> str:
    """Why no image can be built here; "" where one can."""
    if absent := [tool for tool in _TOOLS if not shutil.which(tool)]:
        return (
            f"{', '.join(absent)} not installed; on Debian: apt-get install --no-install-recommends buildah debootstrap"
        )
    return "" if os.geteuid() == 0 else "only root can make a base image and mount file systems"


@dataclass(frozen=True)
class Image:
    """A built image: its configuration, the bytes of each of its layers, and a container's file system made of it."""

    config: dict[str, Any]
    layers: list[int]
    root: Path
    key: Key
    """The key that it trusts."""

    def run(self, command: Sequence[str], model: Path, **variables: str) -> subprocess.Popen[bytes]:
        """A container with *model* in it, and a root that nobody can write; it shares this machine's network."""
        (self.root / MODEL).mkdir(parents=True, exist_ok=True)
        environment = [*self.config["Env"], *(f"{name}={value}" for name, value in variables.items())]
        as_user = [*_user(self.config["User"]), "env", "--ignore-environment", f"--chdir={self.config['WorkingDir']}"]
        return subprocess.Popen(
            [
                *("unshare", "--mount", "--pid", "--ipc", "--uts", "--fork"),
                *("sh", "-c", _CONTAINER, "container", str(self.root), str(model)),
                *(*as_user, *environment, *command),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def output(self, command: Sequence[str], model: Path, **variables: str) -> tuple[int, str]:
        """The exit code of a command in such a container, and what it printed."""
        container = self.run(command, model, **variables)
        said = container.communicate(timeout=120)[0].decode()
        return container.returncode, said


class Builder:
    """Buildah with a storage of its own in *folder*."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.key = Key()

    def build(self, target: str) -> Image:
        """Builds a target of the Dockerfile."""
        name = f"localhost/{target}"
        self._buildah(
            *("build", "--isolation", "chroot", "--format", "docker", "--layers", "--pull=never"),
            *("--file", str(ROOT / "model_server" / "Dockerfile"), "--target", target, "--tag", name),
            *("--build-arg", f"PYTHON={BASE}", *self._mounts(), str(self._context())),
        )
        described = json.loads(self._buildah("inspect", "--type", "image", name))
        layers = [layer["size"] for layer in json.loads(described["Manifest"])["layers"]]
        container = self._buildah("from", "--pull=never", name)
        return Image(described["Docker"]["config"], layers, Path(self._buildah("mount", container)), self.key)

    def _context(self) -> Path:
        """What the Image stage gives to a build: the checkout's folders, and the key that the images trust."""
        folder = self._folder / "context"
        if not folder.exists():
            folder.mkdir()
            shutil.copy(ROOT / ".dockerignore", folder)
            for name in sorted({name for names in CONTENT.values() for name in names}):
                copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
                copy(ROOT / name, folder / name)
            trust(folder / "trusted_keys", first=self.key)
        return folder

    def import_base(self, archive: Path) -> None:
        """Makes the base image from the file system in *archive*."""
        given = _BASE_DOCKERFILE.format(archive=archive.name)
        self._buildah("build", "--file", "-", "--format", "docker", "--tag", BASE, str(archive.parent), stdin=given)

    def clean(self) -> None:
        """Unmounts what was built."""
        self._buildah("rm", "--all")

    def _buildah(self, *arguments: str, stdin: str = "") -> str:
        storage = ["--root", str(self._folder / "storage"), "--runroot", str(self._folder / "run")]
        ran = subprocess.run(
            ["buildah", *storage, *arguments], input=stdin, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, f"buildah {arguments[0]} failed:\n{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}"
        return ran.stdout.strip()

    def _mounts(self) -> list[str]:
        """What this machine's package clients need is lent to the build, and not in the image."""
        pip, uv = self._folder / "pip.conf", self._folder / "uv.toml"
        index = os.environ.get("PIP_INDEX_URL", "")
        bundle = f"{_CERTIFICATES}/ca-certificates.crt"
        pip.write_text(f"[global]\ncert = {bundle}\n" + (f"index-url = {index}\n" if index else ""))
        uv.write_text("system-certs = true\n" + (f'index-url = "{index}"\n' if index else ""))
        lent = {_CERTIFICATES: _CERTIFICATES, str(pip): "/etc/pip.conf", str(uv): "/etc/uv/uv.toml"}
        return [f"--volume={here}:{there}:ro" for here, there in lent.items()]


@contextmanager
def builder() -> Iterator[Builder]:
    """A builder that has the base image; all that it builds is gone at the end."""
    archive = _base_archive()
    with tempfile.TemporaryDirectory(prefix="image-build-") as folder:
        made = Builder(Path(folder))
        made.import_base(archive)
        try:
            yield made
        finally:
            made.clean()


def _base_archive() -> Path:
    """Debian's minimal system with Python, as a tar file in the user's cache, made once."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "greenlight"
    archive = cache / f"python-{RELEASE}-{hashlib.sha256(PACKAGES.encode()).hexdigest()[:8]}.tar"
    if not archive.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="base-", dir=cache) as folder:
            _debootstrap(Path(folder) / "root")
            packed = Path(folder) / "packed.tar"
            subprocess.run(["tar", "--create", "--file", packed, "--directory", f"{folder}/root", "."], check=True)
            packed.rename(archive)
    return archive


def _debootstrap(root: Path) -> None:
    command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", RELEASE, str(root)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"{' '.join(command)} failed:\n{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}"
    for leftover in [*root.glob("var/cache/apt/archives/*.deb"), *root.glob("var/lib/apt/lists/*_*")]:
        leftover.unlink()
    # Debian forbids pip beside its own packages; Docker's Python has no such mark.
    for mark in root.glob("usr/lib/python3*/EXTERNALLY-MANAGED"):
        mark.unlink()


def _user(user: str) -> list[str]:
    """Runs what follows as an image's USER, with no right to become another."""
    uid, _, gid = user.partition(":")
    none = [f"--{kind}=-all" for kind in ("bounding-set", "inh-caps", "ambient-caps")]
    return ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--no-new-privs", *none]
