"""Images that a build has made, and the registry they are pushed to."""

from __future__ import annotations

import hashlib
import json
import shutil
import stat
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from local_aws.docker.build import Snapshot
from local_aws.docker.dockerfile import DockerError

LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
CONFIG = "application/vnd.docker.container.image.v1+json"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


class Store:
    """The images of one build by digest, and its tags; what a Docker daemon keeps."""

    def __init__(self, home: Path) -> None:
        self._images, self._tags, self._names, self._logins = (
            home / name for name in ("images", "tags", "names", "logins")
        )
        for folder in (self._images, self._tags, self._names, self._logins):
            folder.mkdir(parents=True, exist_ok=True)

    def keep(self, snapshot: Snapshot) -> str:
        """Keep a built image; its digest follows from its content and configuration alone."""
        layer = _inventory(snapshot.root)
        config = _json(
            {
                "config": {
                    "Entrypoint": snapshot.entrypoint,
                    "Cmd": snapshot.command,
                    "Env": [f"{name}={value}" for name, value in snapshot.environment.items()],
                    "WorkingDir": snapshot.workdir,
                },
                "rootfs": {"type": "layers", "diff_ids": [digest_of(layer)]},
            }
        )
        manifest = _json(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": {"mediaType": CONFIG, "size": len(config), "digest": digest_of(config)},
                "layers": [{"mediaType": LAYER, "size": len(layer), "digest": digest_of(layer)}],
            }
        )
        digest = digest_of(manifest)
        (snapshot.root / snapshot.workdir.lstrip("/")).mkdir(parents=True, exist_ok=True)
        folder = self.folder(digest)
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=self._images) as temporary:
                image = Path(temporary) / "image"
                image.mkdir()
                shutil.copytree(snapshot.root, image / "root", symlinks=True)
                for name, content in {"layer": layer, "config.json": config, "manifest.json": manifest}.items():
                    (image / name).write_bytes(content)
                image.rename(folder)
        return digest

    def tag(self, reference: str, digest: str) -> None:
        """Let a name (`registry/repository:tag`) mean an image."""
        (self._tags / quote(reference, safe="")).write_text(digest)

    def digest(self, reference: str) -> str:
        """The digest that a name means."""
        file = self._tags / quote(reference, safe="")
        if file.is_file():
            return file.read_text()
        if self.folder(reference).is_dir() and reference.startswith("sha256:"):
            return reference
        raise DockerError(f"No such image: {reference}")

    def name_by_digest(self, name: str, reference: str) -> None:
        """Keep the name with a digest that an image has got in a registry (Docker's RepoDigests)."""
        (self._names / quote(reference, safe="")).write_text(name)

    def names_by_digest(self, reference: str) -> list[str]:
        """The names with a digest that an image has got."""
        file = self._names / quote(reference, safe="")
        return [file.read_text()] if file.is_file() else []

    def log_in(self, registry: str) -> None:
        """Keep that a registry has been logged in to."""
        (self._logins / quote(registry, safe="")).touch()

    def logins(self) -> set[str]:
        """The registries that have been logged in to."""
        return {unquote(file.name) for file in self._logins.iterdir()}

    def folder(self, digest: str) -> Path:
        """Where an image is."""
        return self._images / digest.removeprefix("sha256:")


def _inventory(root: Path) -> bytes:
    """What an image holds, one line per file: this stands for the layer's archive."""
    lines = []
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        if stat.S_ISDIR(status.st_mode):
            continue
        content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        lines.append(f"{stat.filemode(status.st_mode)} {digest_of(content)} {path.relative_to(root).as_posix()}\n")
    return "".join(lines).encode()


def digest_of(content: bytes) -> str:
    """The digest by which a registry knows content."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
