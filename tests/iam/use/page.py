"""Writes docs/permissions.md, every right of every role with its uses: `python -m tests.iam.use.page`."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.iam.account import Account
from tests.iam.use.calls import lacking, recorded
from tests.iam.use.documented import calls as documented
from tests.iam.use.judging import Calls, grants, on_everything, refused, unused
from tests.iam.use.kept import KEPT
from tests.iam.use.kinds import Kind, kinds
from tests.iam.use.needs import NEEDS
from tests.iam.use.said import what_is
from tests.synthesis import ROOT, synthesize

PAGE = ROOT / "docs" / "permissions.md"
DOCUMENTED = re.compile(r"(.*), (https://\S+)")
INTRODUCTION = """\
# Who may what, and what uses it

Every role of the stacks, every right that its policies give, and the calls that use it. `make permissions` lives the
whole life of a project on the local AWS: first deployment, releases, batches, years of watch with retrainings, bad
releases, a wave that people refuse, a new image, ways back, mishaps, destruction. Each call of a role is recorded,
without what is random, in `tests/iam/use/recorded.jsonl`, so that tests judge a change of policies in seconds: what is
needed must be allowed, and what is allowed must be needed. What only AWS itself does is in `tests/iam/use/needs.py`,
with the page that says so.

Roles that differ in team, model or environment are one here. A number is how often a call was made at least, as a power
of ten. The CDK's bootstrap roles and the roles of people are not made by the stacks, and not here.
`docs/permissions-questions.md` asks the same policies what must not be. This page is made from the templates and the
record: `python -m tests.iam.use.page`.
"""


def needed(account: Account) -> Calls:
    """All calls that roles and services make."""
    return Calls([*recorded(account), *documented(account, NEEDS)], account)


def written(account: Account) -> str:
    """The whole page."""
    made = needed(account)
    lines = [INTRODUCTION, *_summary(account, made), ""]
    for kind in kinds(account, made):
        lines += _chapter(kind, account)
    return "\n".join(lines).rstrip() + "\n"


def _summary(account: Account, made: Calls) -> Iterator[str]:
    yield "| | |"
    yield "|---|---|"
    for what, count in figures(account, made).items():
        yield f"| {what} | {count} |"
    if missing := lacking():
        yield f"\nThe record lacks these scenes, so what only they use says **nothing** below: {', '.join(missing)}."
    yield "\n## What stays though nothing uses it\n"
    yield "| may | roles | why |"
    yield "|---|---|---|"
    for kept in KEPT:
        yield f"| {_code(kept.actions)} | {_code(kept.roles) if kept.roles != ('*',) else 'all'} | {kept.reason} |"
    yield "\n## What is allowed on everything\n"
    everywhere = {grant.action for grant, limits in on_everything(account) if not limits}
    yield f"AWS limits these actions to no resource: {_code(sorted(everywhere))}."


def figures(account: Account, made: Calls) -> dict[str, int]:
    """What the judgement has counted."""
    roles = list(account.roles.values())
    return {
        "roles": len(roles),
        "rights (an action of a statement)": sum(1 for role in roles for _ in grants(role)),
        "calls recorded, different ones": len(recorded(account)),
        "calls that AWS documents": len(documented(account, NEEDS)),
        "needed and denied": len(refused(account, made.all)),
        "unused, beyond the list": sum(len(unused(role, made, KEPT)) for role in roles),
        "entries of that list": len(KEPT),
        "on everything, though AWS could limit it": sum(limits for _, limits in on_everything(account)),
        "on everything, because AWS cannot": len(
            {each.action for each, limits in on_everything(account) if not limits}
        ),
    }


def _chapter(kind: Kind, account: Account) -> Iterator[str]:
    yield f"## {kind.form}\n"
    yield what_is(kind, account) + "\n"
    if kind.rights:
        yield "| may | on | used by |"
        yield "|---|---|---|"
    for right, actions in sorted(kind.rights.items(), key=lambda each: (each[0].resources, sorted(each[1]))):
        where = "<br>".join(f"`{resource}`" for resource in right.resources)
        when = f"<br>where {right.condition}" if right.condition else ""
        used = "<br>".join(_linked(said) for said in right.because) or "**nothing**"
        yield f"| {_code(sorted(actions))} | {where}{when} | {used} |"
    yield ""


def _linked(said: str) -> str:
    documented_ = DOCUMENTED.fullmatch(said)
    return f"[{documented_[1]}]({documented_[2]})" if documented_ else said


def _code(texts: list[str] | tuple[str, ...]) -> str:
    return ", ".join(f"`{text}`" for text in texts)


def main() -> None:
    """Writes the page, and prints what was counted."""
    with tempfile.TemporaryDirectory() as folder:
        account = Account(synthesize(Path(folder)))
        PAGE.write_text(written(account))
        made = needed(account)
        for what, count in figures(account, made).items():
            print(f"{count:6,} {what}")
        for kept in KEPT:
            print(f"kept: {', '.join(kept.actions)}: {kept.reason}")
        for sentence in [*refused(account, made.all), *_all_unused(account, made)]:
            print(sentence)


def _all_unused(account: Account, made: Calls) -> Iterator[str]:
    for role in account.roles.values():
        yield from unused(role, made, KEPT)


if __name__ == "__main__":
    main()
