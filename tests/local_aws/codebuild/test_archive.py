"""Artifacts keep what CodeBuild keeps."""

from __future__ import annotations

import io
import os
import stat
import zipfile
from pathlib import Path

import pytest

from local_aws.codebuild.archive import pack, unpack
from local_aws.errors import AwsError


def folder(path: Path) -> dict[str, Path]:
    (path / "bin").mkdir(parents=True)
    (path / "bin/tool").write_text("#!/bin/sh\n")
    (path / "bin/tool").chmod(0o755)
    (path / "latest").symlink_to("bin/tool")
    os.utime(path / "bin/tool", (0, 0))
    return {"bin/tool": path / "bin/tool", "latest": path / "latest"}


def test_permission_bits_are_kept_and_links_are_followed(tmp_path: Path) -> None:
    unpack(pack(folder(tmp_path / "in")), tmp_path / "out")
    assert stat.S_IMODE((tmp_path / "out/bin/tool").stat().st_mode) == 0o755
    assert not (tmp_path / "out/latest").is_symlink()
    assert (tmp_path / "out/latest").read_text() == "#!/bin/sh\n"


def test_links_are_kept_where_the_buildspec_wants_it(tmp_path: Path) -> None:
    unpack(pack(folder(tmp_path / "in"), symlinks=True), tmp_path / "out")
    assert str((tmp_path / "out/latest").readlink()) == "bin/tool"


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/out").symlink_to("/etc/passwd")
    with pytest.raises(AwsError, match="leads out of it"):
        unpack(pack({"out": tmp_path / "in/out"}, symlinks=True), tmp_path / "out")


def test_a_path_out_of_the_folder_stays_inside(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("../evil", "x")
    unpack(buffer.getvalue(), tmp_path / "a/out")
    assert not (tmp_path / "a/evil").exists()


def test_what_is_no_zip_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(AwsError, match="not a ZIP file"):
        unpack(b"plain", tmp_path)
