"""What follows from a light: the state after it, and the events that tell of it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from config.model import Model
from config.naming import LIGHT_CHANGED, NOTHING, PERSON_NEEDED, RETRAINING_WANTED
from pipelines.watch.judging import Verdict
from pipelines.watch.places import Places
from pipelines.watch.retraining import Ask, Start
from pipelines.watch.settings import Settings
from pipelines.watch.state import Asked, Json, Light, Retraining, State, Version

REASONS = 5
_ADVICE = {
    "green": "Nothing to do.",
    "yellow": "Have a look at the report: it says what moved, and by how much.",
    "red": "Read the report. What starts by itself, or what a person has to decide, comes in a message of its own.",
    "unknown": "The model may be fine or not: nobody knows. The reasons say what is missing.",
}


@dataclass(frozen=True)
class Teller:
    """Makes the events of one model in one run."""

    settings: Settings
    places: Places
    model: Model | None
    region: str

    def light(self, state: State, verdict: Verdict) -> State:
        """*state* with the new light, and with an event if it is news."""
        old = state.light
        before = old.tier if old else "unknown"
        is_same = before == verdict.tier
        since = old.since if old and is_same else self.settings.when
        light = Light(verdict.tier, verdict.period, verdict.why, since)
        state = state.but(light=light, tiers=dict(verdict.tiers) or state.tiers)
        is_red_again = verdict.tier == "red" and old is not None and old.period != verdict.period
        if is_same and not is_red_again:
            return state
        # Of another red period a message of its own tells: what starts by itself, or that a person is needed.
        tell = not is_same and (verdict.tier in self.model.monitoring.tell if self.model else True)
        said = {"from": before, "to": verdict.tier, "why": list(verdict.why), "tell": tell}
        was = "again" if is_same else f"it was {before}"
        head = f"{self._who} is {verdict.tier.upper()} ({was})."
        about = {"message": self._message(head, state, light, _ADVICE[verdict.tier])}
        return self._with(state, LIGHT_CHANGED, light.period, said | about)

    def follow(self, state: State, decision: Start | Ask | None, recorded: str = "") -> State:
        """*state* with what retraining decided, and with its event; *recorded* says which rows were recorded for it."""
        light = state.light
        if decision is None or light is None:
            return state
        version = state.versions[-1]
        if isinstance(decision, Ask):
            state = state.but(asked=(*state.asked, Asked(version.package, light.period)))
            message = self._message(f"{self._who} needs a person. {decision.reason}", state, light, _ASK)
            return self._with(
                state, PERSON_NEEDED, light.period, {"reason": decision.reason, "tell": True, "message": message}
            )
        started = Retraining(decision.id, self.settings.when, version.package, light.period)
        state = state.but(retrainings=(*state.retrainings, started))
        release, note = _release(self.places.model, version, decision)
        head = f"{self._who} is trained anew. {decision.reason}"
        advice = " ".join(
            filter(None, (recorded and f"{recorded}.", note, "Nothing to do now: the release says how it ends."))
        )
        told = {"reason": decision.reason, "tell": True, "release": release}
        return self._with(
            state, RETRAINING_WANTED, light.period, told | {"message": self._message(head, state, light, advice)}
        )

    @property
    def _who(self) -> str:
        return f"{self.places.model} in {self.settings.environment}"

    @property
    def _report(self) -> str:
        return self.places.report("html")

    @property
    def link(self) -> str:
        """Where a person reads the report."""
        bucket, region = self.settings.bucket, self.region
        return (
            f"https://{region}.console.aws.amazon.com/s3/object/{bucket}"
            f"?region={region}&prefix={quote(self._report, safe='')}"
        )

    def _message(self, head: str, state: State, light: Light, advice: str) -> str:
        """One line: EventBridge hands a text to SNS as JSON, in which the end of a line is two letters."""
        package = state.versions[-1].package if state.versions else "none"
        reasons = "; ".join(light.why[:REASONS])
        more = f"; and {len(light.why) - REASONS} more" if len(light.why) > REASONS else ""
        about = f"Period {light.period or 'none'}, since {light.since}, package {package}."
        return f"{head} {reasons}{more}. {advice} Report: {self.link} {about}"

    def _with(self, state: State, kind: str, period: str, said: Mapping[str, Any]) -> State:
        """With an event in the outbox; its id is the same for whoever tells the same in the same run."""
        settings, places = self.settings, self.places
        package = state.versions[-1].package if state.versions else ""
        about = {
            "project": settings.project,
            "environment": settings.environment,
            "team": settings.team,
            "model": places.model,
            "package": package,
            "period": period,
            "at": settings.when,
        }
        identity = [kind, about, said.get("from"), said.get("to")]
        detail = {
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(identity))),
            **about,
            **said,
            "report": f"s3://{settings.bucket}/{self._report}",
            "link": self.link,
        }
        entry: Json = {
            "Source": settings.names.watch_source,
            "DetailType": kind,
            "Detail": json.dumps(detail),
        }
        return state.but(outbox=(*state.outbox, entry))


_ASK = "Somebody has to decide: mend what calls the model, bring labels, start a release, or roll back."


def _release(model: str, version: Version, start: Start) -> tuple[Json, str]:
    """The input of StartPipelineExecution, and what is to be known about it."""
    said = {"MODEL": model, "REASON": start.reason, "RETRAINING": start.id}
    release: Json = {"variables": [{"name": name, "value": value} for name, value in said.items()]}
    kind, revision = (version.metadata.get(name, NOTHING) for name in ("revision_type", "revision"))
    if NOTHING in (kind, revision) or not kind or not revision:
        return release, "The package does not say which source revision it was built from: the newest one is used."
    source = {"actionName": "Source", "revisionType": kind, "revisionValue": revision}
    return release | {"sourceRevisions": [source]}, ""


def identity(entry: Json) -> str:
    """The id of an event in the outbox."""
    return json.loads(entry["Detail"])["id"]
