"""How a build comes to this `docker`: a script on its PATH, and where the images are."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path


def write_launcher(folder: Path, checkout: Path) -> None:
    """Write the script `docker` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    # -P: the build's own folder may hold another version of this package, and is not to be asked.
    command = shlex.join([sys.executable, "-P", "-m", "local_aws.docker"])
    script = folder / "docker"
    script.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(checkout))} exec {command} "$@"\n')
    script.chmod(0o755)


def docker_environment(local: Path, pushed: Path) -> dict[str, str]:
    """The variables of `docker.settings.Settings`: the folder of this build's images, and that of pushed ones."""
    return {"LOCAL_DOCKER_HOME": str(local), "LOCAL_DOCKER_PUSHED": str(pushed)}
