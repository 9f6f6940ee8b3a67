"""`make permissions`: the whole life of a project on the local AWS, and a record of every call that its roles make."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from local_aws.account import Account
from local_aws.permissions.diary import Diary
from local_aws.permissions.landmarks import Landmarks
from local_aws.permissions.life import Life
from local_aws.permissions.lived import JOURNAL, Lived
from local_aws.permissions.record import Record
from local_aws.rehearsal.failure import RehearsalError
from local_aws.rehearsal.run import rehearse


def _play(account: Account, diary: Diary, target: Path) -> None:
    landmarks = Landmarks(account, account.settings.checkout / "cdk.out")
    diary.open(landmarks, account.settings.home)
    try:
        Life(account, diary).live()
    finally:
        account.journal.flush()
        landmarks.keep(account.settings.home, diary.scenes)
    diary.say(write(target, [account.settings.home]))


def write(target: Path, homes: Sequence[Path]) -> str:
    """Makes the record of the lives that these homes hold; says what it is, or raises RehearsalError."""
    record = Record()
    for home in homes:
        record.read(Lived.read(home))
    if record.denied:
        call = next(iter(record.denied))
        raise RehearsalError(
            f"{len(record.denied)} calls of roles were denied, so nothing is recorded; the first: {call.who} may not "
            f"{call.action} on {call.resource}.",
            homes[-1] / JOURNAL,
        )
    lines = list(record.lines())
    target.write_text("".join(f"{line}\n" for line in lines))
    return f"{len(lines):,} different calls of roles, none of them denied, are in {target}."


def main() -> None:
    parser = argparse.ArgumentParser(prog="make permissions", description=__doc__)
    parser.add_argument("target", type=Path, help="the record to write, JSON Lines")
    parser.add_argument("--of", type=Path, nargs="+", default=[], help="homes of lives that were lived already")
    given = parser.parse_args()
    if given.of:
        print(write(given.target, given.of))
        return
    diary, target = Diary(), given.target.resolve()
    rehearse(lambda account, _: _play(account, diary, target), minute=1, report=diary)


if __name__ == "__main__":
    main()
