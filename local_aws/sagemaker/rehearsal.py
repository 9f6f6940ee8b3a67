"""What AWS does and this machine does not: refused, or said; never passed over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_aws.errors import AwsError

if TYPE_CHECKING:
    from local_aws.account import Account


def refused(what: str, instead: str) -> AwsError:
    """The answer to a call that asks for what would change its result, and is not done here."""
    return AwsError("NotImplemented", f"{what} is not rehearsed on the local AWS; {instead}.", status=501)


def say(account: Account, sentence: str) -> None:
    """Report, once a run, that the rehearsal differs from AWS in something that does not change the result."""
    if sentence not in account.not_rehearsed:
        account.not_rehearsed.append(sentence)
