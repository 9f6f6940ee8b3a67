import shutil
from pathlib import Path

import pytest

from local_aws.errors import StartError
from local_aws.home import prepare


def test_a_new_run_finds_nothing_of_the_last_one(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "home"
    prepare(home)
    (home / "left.txt").write_text("by the last run")
    prepare(home)
    assert not (home / "left.txt").exists()


def test_an_empty_folder_may_become_a_home(tmp_path: Path) -> None:
    prepare(tmp_path)
    assert tmp_path.is_dir()


def test_a_folder_with_other_files_is_never_emptied(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(StartError, match="holds files that are not the local AWS's"):
        prepare(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_full_disk_is_told_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = shutil.disk_usage(tmp_path)._replace(free=7_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    with pytest.raises(StartError, match=r"Only 7 MB are free .* needs 1000"):
        prepare(tmp_path / "home")
