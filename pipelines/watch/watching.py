"""One model in one run: what it runs, what was captured and labelled since, its light, and what follows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from monitoring import report as kernel
from monitoring.profile import Profile
from pipelines.watch import captured, counting, coverage, dataset, judging, known, labelled, moments, retraining
from pipelines.watch.around import Around
from pipelines.watch.collect import collect, logs_client
from pipelines.watch.counting import Shard
from pipelines.watch.figures import Judged
from pipelines.watch.files import Files
from pipelines.watch.judging import Verdict
from pipelines.watch.known import Known
from pipelines.watch.ledger import Ledgers
from pipelines.watch.places import Places
from pipelines.watch.serving import Endpoint, Unwatchable, register, running
from pipelines.watch.state import Light, State
from pipelines.watch.telling import Teller

_NO_LIGHT = {"format": 1, "periods": {}}


@dataclass
class Watching:
    """The work on one model; `run` does all of it."""

    around: Around
    places: Places
    files: Files = field(init=False)
    state: State = field(init=False)
    """As it was at the beginning, with what SageMaker said since."""
    endpoint: Endpoint = field(init=False)
    known: Known = field(init=False)
    """The version that serves."""
    ledgers: Ledgers = field(init=False)
    labels: Ledgers = field(init=False)

    def __post_init__(self) -> None:
        self.files = Files(self.around.records, self.places)

    def run(self) -> Judged | None:
        """Counts, judges, or both, as the settings say; None where nothing was judged."""
        only = self.around.settings.only
        self.state, _ = self.files.state()
        if only != "count" and self.state.outbox:
            self.files.send(self.around.client("events"), self.state.outbox)
        try:
            self._learn()
        except Unwatchable as error:
            return None if only == "count" else self._settle(None, Verdict.unknown(str(error)), dict(_NO_LIGHT))
        if self.known.model.monitoring.none:
            return None  # somebody has decided, and written down why
        if only != "judge":
            self._collect()
            self._count()
        return None if only == "count" else self._judge()

    def _learn(self) -> None:
        """What the endpoint runs, and what is normal for it."""
        sagemaker = self.around.client("sagemaker")
        self.endpoint = Endpoint.describe(sagemaker, self.places.endpoint)
        package = running(sagemaker, self.endpoint, self.state)
        state = register(self.state, self.endpoint, package, self.around.settings.at)
        self.known = self._know(state)
        self.state = state.but(versions=(*state.versions[:-1], self.known.version))
        fingerprint, shelf = self.known.version.fingerprint, self.around.records
        self.ledgers = Ledgers(shelf, self.places.profiles(fingerprint), self.known.baseline)
        self.labels = Ledgers(shelf, self.places.labels_read(fingerprint), self.known.baseline)

    def _know(self, state: State, place: int = -1) -> Known:
        settings = self.around.settings
        return known.know(self.around.records, self.places, state.versions[place], settings.environment)

    def _collect(self) -> None:
        """The records in the model server's own log, where SageMaker captures nothing."""
        settings = self.around.settings
        if self.endpoint.captures or settings.place:
            return
        since = self.state.collected_until or self.state.versions[-1].since
        records, logs = self.around.records, logs_client()
        until = collect(logs, records.s3, records.bucket, self.places, self.endpoint.log_group, since, settings.when)
        self.state = self.state.but(collected_until=until)
        self.files.change(lambda state: state.but(collected_until=max(state.collected_until, until)))

    def _count(self) -> None:
        settings, shelf = self.around.settings, self.around.records
        shard = Shard(settings.place, settings.instances)
        items = captured.listed(shelf, self.places, self.state.counted_until, settings.at)
        for fingerprint, served in counting.spans(self.state.versions).items():
            if not any(span.touches(item.hour) for span in served for item in items):
                continue
            if fingerprint == self.known.version.fingerprint:
                masks = known.masks(shelf, self.known)
                counting.count(shelf, self.ledgers, self.known.baseline, items, served, shard, masks)
            else:
                self._count_late(fingerprint, items, served, shard)
        labelled.count(shelf, self.labels, shelf.items(self.places.labels), self._oldest, shard)

    def _count_late(
        self, fingerprint: str, items: Sequence[captured.Captured], served: Sequence[counting.Span], shard: Shard
    ) -> None:
        """What came late of a version that serves no more: it is nobody's light, and is not lost either."""
        place = max(index for index, each in enumerate(self.state.versions) if each.fingerprint == fingerprint)
        try:
            earlier = self._know(self.state, place)
            masks = known.masks(self.around.records, earlier)
        except Unwatchable:
            return
        ledgers = Ledgers(self.around.records, self.places.profiles(fingerprint), earlier.baseline)
        counting.count(self.around.records, ledgers, earlier.baseline, items, served, shard, masks)

    @property
    def _oldest(self) -> datetime:
        """When the oldest period began that is reported."""
        monitoring = self.known.model.monitoring
        return moments.oldest(self.around.settings.at, monitoring.history, monitoring.period)

    def _judge(self) -> Judged:
        monitoring = self.known.model.monitoring
        unit = moments.unit(monitoring.period)
        since = max(self._since, self._oldest)
        total, events, counted = Profile(self.known.baseline), Counter[datetime](), Counter[str]()
        for name in self.ledgers.names(moments.name(moments.number(since, unit), unit)):
            ledger = self.ledgers.get(name)
            total.merge(ledger.profile)
            counted.update(ledger.manifest.keys())
            for key, seen in ledger.manifest.items():
                if captured.is_answer(self.places, key) and (hour := captured.hour_of(key)):
                    events[hour] += seen.events
        for name in self.labels.names(f"{self._oldest:%Y-%m}"):
            total.merge(self.labels.get(name).profile)
        if twice := sum(times > 1 for times in counted.values()):
            total.note({"captured objects were counted twice, by jobs with other numbers of instances at once": twice})
        body = kernel.report(total)
        covered = self._coverage(events, since)
        verdict = judging.judge(body, covered, since=since, at=self.around.settings.at, monitoring=monitoring)
        for key, problem in labelled.unreadable(self.labels, self._oldest).items():
            verdict = verdict.but(f"the labels in {key} were not counted: {problem}")
        return self._settle(self.known, verdict, body)

    @property
    def _since(self) -> datetime:
        """Since when packages with the baseline of the one that serves have served."""
        return counting.spans(self.state.versions)[self.known.version.fingerprint][-1].start

    def _coverage(self, events: Mapping[datetime, int], since: datetime) -> dict[str, coverage.Coverage]:
        settings, period = self.around.settings, self.known.model.monitoring.period
        end = moments.hour(settings.at - coverage.SETTLED)
        if not self.endpoint.captures and self.state.collected_until:
            end = min(end, moments.hour(moments.parse(self.state.collected_until)))
        cloudwatch, endpoint = self.around.client("cloudwatch"), self.endpoint
        if not endpoint.captures:  # then the model's own server takes the share that its model.yaml asks for
            endpoint = replace(endpoint, percent=float(self.known.model.monitoring.capture_percent))
        return coverage.measure(cloudwatch, endpoint, events, period, moments.hour(since), end)

    def _settle(self, current: Known | None, verdict: Verdict, body: dict[str, Any]) -> Judged:
        """Writes the report and the state, and tells what is news."""
        settings = self.around.settings
        teller = Teller(settings, self.places, current.model if current else None, self.around.region)
        period = body["periods"].get(verdict.period, {})

        def change(state: State) -> State:
            state = self._brought_up(state) if current else state
            state = teller.light(state, verdict)
            assert state.light is not None
            self.files.report(_told(body, self.places.model, state, state.light))
            return self._follow(teller, state, current, period) if current else state

        before, after = self.files.change(change)
        mine = tuple(each for each in after.outbox if each not in before.outbox)
        self.files.send(self.around.client("events"), mine)
        deciding = current.baseline.deciding if current else ()
        return Judged(self.places.model, verdict.tier, period, tuple(deciding))

    def _brought_up(self, state: State) -> State:
        """Another run's state with what this one knows."""
        versions = max(self.state.versions, state.versions, key=len)  # the first of two as long
        return state.but(
            versions=versions,
            collected_until=max(state.collected_until, self.state.collected_until),
            counted_until=max(state.counted_until, self.around.settings.when),
        )

    def _follow(self, teller: Teller, state: State, current: Known, period: Mapping[str, Any]) -> State:
        settings, light = self.around.settings, state.light
        if light is None or light.tier != "red":
            return state
        decision = retraining.decide(current.model, state, light, period, settings.when)
        recorded = ""
        if isinstance(decision, retraining.Start):
            if not settings.data_bucket:
                asked = any(
                    (each.package, each.period) == (state.versions[-1].package, light.period) for each in state.asked
                )
                reason = f"{decision.reason} The job was given no --data-bucket, so nothing starts by itself."
                return state if asked else teller.follow(state, retraining.Ask(reason))
            records = self.around.records
            exported = dataset.export(
                records.s3,
                current.model,
                self.places,
                records.bucket,
                settings.data_bucket,
                settings.when,
                scores=current.baseline.spec.scores,
            )
            recorded = exported.sentence
        return teller.follow(state, decision, recorded)


def _told(body: dict[str, Any], model: str, state: State, light: Light) -> dict[str, Any]:
    """The report with the model's own light at its head."""
    version = state.versions[-1] if state.versions else None
    return body | {
        "name": body.get("name") or model,
        "tier": light.tier,
        "why": list(light.why),
        "latest": light.period if light.period in body["periods"] else body.get("latest"),
        "light": {"tier": light.tier, "period": light.period, "since": light.since},
        "package": version.package if version else None,
        "since": version.since if version else None,
    }
