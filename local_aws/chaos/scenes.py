"""The scenes: each does something to releases while requests flow, and says what the callers saw of it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from local_aws.chaos.faults import FAULTS
from local_aws.chaos.served import Going, Served
from local_aws.chaos.traffic import Window
from local_aws.chaos.watching import Watched
from local_aws.rehearsal.delivery import Ended
from local_aws.rehearsal.failure import RehearsalError
from local_aws.rehearsal.report import Report

SEEN_BY_USERS = ("fails on some rows", "answers slowly")
"""Faults that staging does not find, because its rows are not the rare ones; the canary's alarms have to."""
LONGEST = 500
TOLD_SECONDS = 5
LARGEST_SHARE = 0.6
"""Of a canary that is one of two instances; requests are counted by the half second."""


class Scenes:
    """Releases good and bad: most of them of *main*, which has a canary; those that staging refuses of the *others*."""

    def __init__(self, main: Served, others: Sequence[Served], report: Report) -> None:
        self._main, self._others, self._report = main, others, report

    def play(self, first_two: Sequence[Going]) -> None:
        """All of them, those of each model one after the other; raises RehearsalError where one ends as it must not.

        *first_two* are good releases of the main model that wait for approval.
        """
        others = self._others
        refused = [fault for fault in FAULTS if fault not in SEEN_BY_USERS]
        with ThreadPoolExecutor(1 + len(others)) as pool:
            tracks = [pool.submit(self._play_main, self._main, first_two)]
            shares = [refused[place :: len(others)] for place in range(len(others))]
            tracks += [pool.submit(self.bad_releases, *each) for each in zip(others, shares, strict=True)]
            for track in tracks:
                track.result()
        if not others:
            self.bad_releases(self._main, refused)

    def _play_main(self, served: Served, first_two: Sequence[Going]) -> None:
        begun = self.two_at_once(served, first_two, (self._begin(served, fault) for fault in SEEN_BY_USERS))
        for fault, going in zip(SEEN_BY_USERS, begun, strict=True):
            self._bad_release(served, fault, going)

    def two_at_once(self, served: Served, two: Sequence[Going], later: Iterator[Going]) -> list[Going]:
        """Two good releases that started together, a killed server, and a way back as the second reaches production.

        The first serves, then the second, then the first again; each waits for the one before, and no caller notices.
        Those of *later* are started meanwhile, the first of them during the way back, and get as far as their approval.
        """
        with self._report.step(f"{served.name}: two releases at once, and back") as step:
            old = served.watcher.config()
            with served.watcher.watch() as watched, ThreadPoolExecutor(1) as pool:
                self.killed_server(served)
                begin = time.time()
                two[1].approve()
                self._succeeded(two[0].approve().end(), served)
                self._expect(served.watcher.wait_for("Updating", 120), "The second never reached production.", served)
                back = pool.submit(served.rollback)
                self._expect(served.goes_back_within(60), "The way back never began.", served)
                begun = [next(later)]
                said = back.result()
                self._serves(two[0].package, served)
                end = two[1].end()
                self._expect(end.action in ("", "Confirm"), _said(end), served)
                begun += later
            window = self._unharmed(served, begin)
            order = [name for name in watched.requests if name != old]
            self._expect(len(order) > len(two), f"{len(order)} configs answered after the old one, not three.", served)
            canaries = [f"{watched.share_beside(name):.0%}" for name in order[:2]]
            step.evidence = f"{window}; shares of the canaries {', '.join(canaries)}; {said.splitlines()[-1]}"
        return begun

    def _succeeded(self, end: Ended, served: Served) -> None:
        self._expect(end.status == "Succeeded", _said(end), served)

    def _serves(self, package: str, served: Served) -> None:
        serving = served.package()
        self._expect(serving == package, f"{serving} serves, not {package}.", served)

    def bad_releases(self, served: Served, faults: Iterable[str]) -> None:
        """Each of these faults, released as if it were good."""
        for fault in faults:
            self._bad_release(served, fault)

    def _begin(self, served: Served, fault: str) -> Going:
        return served.release(served.faults.register(fault), f"chaos: {fault}")

    def _bad_release(self, served: Served, fault: str, going: Going | None = None) -> None:
        """From its start, or, where it is *going* already, from its approval to its end."""
        with self._report.step(f"{served.name}: a package that {fault}") as step:
            begin, before, config = time.time(), served.package(), served.watcher.config()
            with served.watcher.watch() as watched:
                going = (going or self._begin(served, fault)).approve()
                end = going.end()
            window = served.traffic.since(begin)
            self._expect(
                end.status == "Failed", f"The release of a package that {fault} has {end.status.lower()}.", served
            )
            self._serves(before, served)
            endpoint = served.describe()
            self._expect(
                endpoint["EndpointStatus"] == "InService", f"The endpoint is {endpoint['EndpointStatus']}.", served
            )
            told = self._told(served, going)
            seen = self._seen(watched, config, served)
            step.evidence = (
                f"stopped at {end.action}: {_why(end)} {seen}; {window.failed} of {window.requests:,} requests failed; "
                f"{' > '.join(watched.statuses)}; told: {' / '.join(told)}"
            )

    def _told(self, served: Served, going: Going) -> list[str]:
        deadline = time.monotonic() + TOLD_SECONDS
        while not (told := served.told(going)):
            self._expect(time.monotonic() < deadline, "Nobody was told of it.", served)
            time.sleep(0.1)
        return [text.splitlines()[0][:LONGEST] for text in told]

    def _seen(self, watched: Watched, old: str, served: Served) -> str:
        requests = watched.requests
        whole, of_it = sum(requests.values()), sum(count for name, count in requests.items() if name != old)
        if not of_it:
            return "no user request saw it"
        share = max(watched.share_beside(name) for name in requests if name != old)
        self._expect(share <= LARGEST_SHARE, f"It got {share:.0%} of the requests beside the old one.", served)
        return f"{of_it:,} of {whole:,} user requests saw it ({of_it / whole:.1%}), {share:.0%} while it was a canary"

    def killed_server(self, served: Served) -> None:
        """A server process is killed: another one takes its place, and hardly a request is lost."""
        with self._report.step(f"{served.name}: a server is killed") as step:
            begin = time.time()
            killed = served.servers()[0]
            os.kill(killed, signal.SIGKILL)
            deadline = time.monotonic() + 30
            while killed in served.servers() or len(served.servers()) < served.instances:
                self._expect(time.monotonic() < deadline, "It was not replaced within 30 seconds.", served)
                time.sleep(0.1)
            replaced = time.time() - begin
            time.sleep(max(0.0, 10 - replaced))
            window = served.traffic.since(begin)
            self._expect(window.failed <= max(1, window.requests // 1000), f"Too much was lost: {window}.", served)
            step.evidence = f"replaced after {replaced:.1f} s; {window}"

    def _unharmed(self, served: Served, begin: float) -> Window:
        window = served.traffic.since(begin)
        self._expect(window.requests > 0 and window.failed == 0, f"Callers were harmed: {window}.", served)
        return window

    def _expect(self, holds: bool, otherwise: str, served: Served) -> None:  # noqa: FBT001  what is expected comes first, as in an assertion
        if not holds:
            raise RehearsalError(otherwise, served.log)


def _said(end: Ended) -> str:
    return f"A release has {end.status.lower()} at {end.action or 'no action'}: {end.said}"


def _why(end: Ended) -> str:
    """The last sentence that the stage has said itself."""
    own = [line for line in end.said.splitlines() if line and not line.startswith(("make", "The report", "Failed"))]
    return own[-2][:LONGEST] if len(own) > 1 else ""
