"""The calls that AWS documents for a role of a service, whether or not the local AWS makes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from config.loading import load_models
from tests.iam.account import Account
from tests.iam.question import PROJECT
from tests.iam.use.calls import Call, placed
from tests.synthesis import ROOT

AWS = "https://docs.aws.amazon.com/"
PLACE = re.compile(r"\{(\w+)\}")
GIVEN = ("account", "region")
MODELS = load_models(ROOT, PROJECT)


@dataclass(frozen=True)
class Need:
    """What AWS does under roles, by its documentation.

    `roles` are paths of constructs, in which `{team}`, `{model}` and `{environment}` stand for any; the resources name
    what these are in that role. `<path>` is the name of a construct's resource, and `{model}` in a resource of a role
    of a team is each of its models. `{folder}` is a model as its folder is called, `{word}` is the last part but one of
    a build's path, in small letters.
    """

    service: str
    page: str
    roles: tuple[str, ...]
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    context: Mapping[str, str] = field(default_factory=dict)
    """What the request tells besides."""

    @property
    def source(self) -> str:
        return AWS + self.page

    def calls(self, account: Account) -> Iterator[Call]:
        """The calls, for each role that there is."""
        because = (f"{self.service}, {self.source}",)
        for role, words in self._who(account):
            for resource in self.resources:
                for filled in _filled(resource, words):
                    context = {key: placed(account, next(_filled(text, words))) for key, text in self.context.items()}
                    for action in self.actions:
                        yield Call(role, action, placed(account, filled), context, because)

    def _who(self, account: Account) -> Iterator[tuple[str, dict[str, str]]]:
        for path in account.roles:
            for form in self.roles:
                if words := _words(form, path):
                    yield path, words
                    break


def calls(account: Account, needs: tuple[Need, ...]) -> list[Call]:
    """All calls of a table."""
    return [call for need in needs for call in need.calls(account)]


def nobody(account: Account, needs: tuple[Need, ...]) -> list[str]:
    """The forms of roles that there are none of."""
    return [
        form
        for need in needs
        for form in need.roles
        if not any(_words(form, path) is not None for path in account.roles)
    ]


def _words(form: str, path: str) -> dict[str, str] | None:
    environments = "|".join(PROJECT.environments)
    kinds = {"team": "|".join(PROJECT.teams), "environment": environments, "model": "[a-z0-9-]+?"}
    pattern = PLACE.sub(
        lambda found: f"(?P<{found[1]}>{kinds[found[1]]})", re.escape(form).replace(r"\{", "{").replace(r"\}", "}")
    )
    found = re.fullmatch(pattern.replace(r"\*", "[^/]+"), path)
    if found is None:
        return None
    parts = path.split("/")
    return {**found.groupdict(), "word": (parts[-3] if len(parts) > 2 else parts[-1]).lower()}


def _filled(text: str, words: Mapping[str, str]) -> Iterator[str]:
    """The text for the model that the words name, or each model of their team."""
    models = [
        model
        for model in MODELS
        if words.get("model", model.name.replace("_", "-")) == model.name.replace("_", "-")
        and words.get("team", model.team) == model.team
    ]
    wanted = {name for name in PLACE.findall(text) if name not in GIVEN}
    several = {"model", "folder", "team"} & (wanted - words.keys())
    for model in models if several else models[:1]:
        known = {"model": model.name.replace("_", "-"), "folder": model.name, "team": model.team, **words}
        yield PLACE.sub(lambda found, known=known: known.get(found[1], found[0]), text)
