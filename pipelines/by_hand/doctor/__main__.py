"""`make doctor ENV=production|staging|tooling|all`: one line for each check; ends with 1 if one failed."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from config import ConfigError
from pipelines.by_hand.doctor import accounts, machine, region
from pipelines.by_hand.doctor.places import PLACES, Location, locations
from pipelines.by_hand.doctor.saying import Said, failed, not_checked, run, warning
from pipelines.stages.surroundings import Surroundings

NO_CREDENTIALS = "sign in, for example: aws sso login; then say this again"
NO_REGION = "export AWS_REGION=<region>, or write `region` into project.yaml"


def main() -> None:
    asked = (sys.argv[1:] or ["all"])[0] or "all"
    if asked not in (*PLACES, "all"):
        sys.exit(f"ENV is {asked!r}; it must be one of: {', '.join(PLACES)}, all")
    counts: Counter[str] = Counter()
    for said in examine(Surroundings(), PLACES if asked == "all" else (asked,)):
        counts[said.state] += 1
        print(said, flush=True)
    print(f"{counts['ok']} ok, {counts['warning']} warnings, {counts['failed']} failed.")
    sys.exit(1 if counts["failed"] else 0)


def examine(around: Surroundings, chosen: Sequence[str]) -> Iterator[Said]:
    """Everything that there is to say about the chosen places."""
    yield from run(machine.BEFORE_CONFIGURATION, around)
    try:
        _ = around.models
    except ConfigError as error:
        yield failed(str(error), "correct the file; then say this again")
        return
    yield from run(machine.WITH_CONFIGURATION, around)
    session = boto3.session.Session()
    found = locations(around, chosen, session.region_name)
    known = [location for location in found if location.region]
    for location in known:
        yield from run(region.CHECKS, location)
    signed_in = session.get_credentials() is not None
    if len(known) < len(found):
        yield (failed if signed_in else warning)("no region is given", NO_REGION)
    if not signed_in:
        yield not_checked("the accounts", "there are no credentials.", NO_CREDENTIALS)
        return
    for location in known:
        yield from account(location, several=len(found) > 1)


def account(location: Location, *, several: bool) -> Iterator[Said]:
    """What there is to say about an account and region."""
    try:
        said = accounts.credentials(location, several=several)
    except (ClientError, BotoCoreError) as error:
        yield failed(f"the credentials do not work: {error}", NO_CREDENTIALS)
        return
    yield said
    if said.state == "ok":
        yield from run(accounts.TOOLING if "tooling" in location.chosen else (), location)
        yield from run(accounts.EVERYWHERE, location)


if __name__ == "__main__":
    main()
