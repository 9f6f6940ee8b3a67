from pathlib import Path

import pytest

from local_aws.errors import StartError
from local_aws.settings import CHECKOUT, DEFAULT_PORT, Settings


def test_without_variables_the_state_is_in_the_checkout() -> None:
    settings = Settings.from_environment({})
    assert settings == Settings(home=CHECKOUT / ".local", checkout=CHECKOUT, port=DEFAULT_PORT, minute_seconds=60)


def test_a_minute_may_be_short_by_the_callers_default_and_by_the_environment() -> None:
    assert Settings.from_environment({}, minute_seconds=2).minute_seconds == 2
    given = {"LOCAL_AWS_MINUTE_SECONDS": "1.5"}
    assert Settings.from_environment(given, minute_seconds=2).minute_seconds == 1.5


@pytest.mark.parametrize("minute", ["long", "0", "61", "nan"])
def test_a_minute_that_is_none_is_refused_with_what_is_one(minute: str) -> None:
    with pytest.raises(StartError, match=f"LOCAL_AWS_MINUTE_SECONDS is '{minute}'; give the seconds"):
        Settings.from_environment({"LOCAL_AWS_MINUTE_SECONDS": minute})


def test_home_and_port_come_from_the_environment(tmp_path: Path) -> None:
    settings = Settings.from_environment({"LOCAL_AWS_HOME": str(tmp_path), "LOCAL_AWS_PORT": "0"})
    assert (settings.home, settings.port) == (tmp_path, 0)


@pytest.mark.parametrize("port", ["http", "-1", "65536", ""])
def test_what_is_no_port_is_refused_with_the_ports_there_are(port: str) -> None:
    with pytest.raises(StartError, match=f"LOCAL_AWS_PORT is '{port}'; give a port from 1 to 65535"):
        Settings.from_environment({"LOCAL_AWS_PORT": port})
