"""What goes wrong between a person's shell and AWS, in a sentence instead of a traceback."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from config import ConfigError


@contextmanager
def plainly() -> Iterator[None]:
    """Ends the program with what to do, where configuration, region or credentials are not as they should be."""
    try:
        yield
    except ConfigError as error:
        sys.exit(str(error))
    except NoRegionError:
        sys.exit("No region is set; say which, for example: export AWS_REGION=eu-west-1")
    except (BotoCoreError, ClientError) as error:
        sys.exit(
            f"AWS did not do it: {error}. Sign in to the account that is meant, with the rights of an administrator."
        )
