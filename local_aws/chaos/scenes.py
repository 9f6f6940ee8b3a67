"""The scenes: each does something to releases while requests flow, and says what the callers saw of it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from local_aws.chaos.faults import FAULTS
from local_aws.chaos.served import Served
from local_aws.chaos.traffic import Window
from local_aws.chaos.watching import Watched
from local_aws.rehearsal.delivery import Ended
from local_aws.rehearsal.failure import RehearsalError

SEEN_BY_USERS = ("fails on some rows", "answers slowly")
"""Faults that staging does not find, because its rows are not the rare ones; the canary's alarms have to."""
LONGEST = 500
LARGEST_SHARE = 0.6
"""Of a canary that is one of two instances; requests are counted by the half second."""


class Scenes:
    """Releases good and bad, on models that serve."""

    def __init__(self, models: Iterable[Served]) -> None:
        self._served = list(models)
        self._report = self._served[0].report

    def play(self) -> None:
        """All of them, those of each model one after the other; raises RehearsalError where one ends as it must not."""
        main, *others = self._served
        refused = [fault for fault in FAULTS if fault not in SEEN_BY_USERS]
        with ThreadPoolExecutor(len(self._served)) as pool:
            tracks = [pool.submit(self._main, main)]
            shares = [refused[place :: len(others)] for place in range(len(others))]
            tracks += [pool.submit(self.bad_releases, *each) for each in zip(others, shares, strict=True)]
            for track in tracks:
                track.result()

    def _main(self, served: Served) -> None:
        self.two_at_once(served)
        self.bad_releases(served, SEEN_BY_USERS)

    def two_at_once(self, served: Served) -> None:
        """Two good releases start together, a server is killed, somebody goes back as the second comes, then a third.

        The first serves, then the second, then the first again, then the third; each waits for the one before, and no
        caller notices.
        """
        with self._report.step(f"{served.name}: two releases at once, back, and a third meanwhile") as step:
            first = served.watcher.config()
            packages = [served.faults.same() for _ in range(3)]
            with served.watcher.watch() as watched, ThreadPoolExecutor(3) as pool:
                executions = [served.release(package, "chaos: two at once") for package in packages[:2]]
                ends = [pool.submit(served.end, execution) for execution in executions]
                self.killed_server(served)
                begin = time.time()
                self._succeeded(ends[0].result(), served)
                self._expect(served.watcher.wait_for("Updating", 120), "The second never reached production.", served)
                back = pool.submit(served.rollback)
                self._expect(served.goes_back_within(60), "The way back never began.", served)
                third = served.release(packages[2], "chaos: during a way back")
                said = back.result()
                self._serves(packages[0], served)
                end = ends[1].result()
                self._expect(end.action in ("", "Confirm"), _said(end), served)
                self._succeeded(served.end(third), served)
            self._serves(packages[2], served)
            window = self._unharmed(served, begin)
            order = [name for name in watched.requests if name != first]
            self._expect(len(order) > len(packages), f"{len(order)} configs answered after the old one.", served)
            canaries = [f"{watched.share_beside(name):.0%}" for name in order[:2]]
            step.evidence = f"{window}; shares of the canaries {', '.join(canaries)}; {said.splitlines()[-1]}"

    def _succeeded(self, end: Ended, served: Served) -> None:
        self._expect(end.status == "Succeeded", _said(end), served)

    def _serves(self, package: str, served: Served) -> None:
        serving = served.package()
        self._expect(serving == package, f"{serving} serves, not {package}.", served)

    def bad_releases(self, served: Served, faults: Iterable[str]) -> None:
        """Each of these faults, released as if it were good."""
        for fault in faults:
            self._bad_release(served, fault)

    def _bad_release(self, served: Served, fault: str) -> None:
        with self._report.step(f"{served.name}: a package that {fault}") as step:
            begin, before, config = time.time(), served.package(), served.watcher.config()
            served.inbox.read()
            with served.watcher.watch() as watched:
                end = served.end(served.release(served.faults.register(fault), f"chaos: {fault}"))
            window = served.traffic.since(begin)
            self._expect(
                end.status == "Failed", f"The release of a package that {fault} has {end.status.lower()}.", served
            )
            self._serves(before, served)
            endpoint = served.describe()
            self._expect(
                endpoint["EndpointStatus"] == "InService", f"The endpoint is {endpoint['EndpointStatus']}.", served
            )
            told = self._told(served)
            seen = self._seen(watched, config, served)
            step.evidence = (
                f"stopped at {end.action}: {_why(end)} {seen}; {window.failed} of {window.requests:,} requests failed; "
                f"{' > '.join(watched.statuses)}; told: {' / '.join(told)}"
            )

    def _told(self, served: Served) -> list[str]:
        """What the owners were told of a release that failed; the approval is no news."""
        told = [text for text in served.inbox.read() if "approval" not in text]
        self._expect(bool(told), "Nobody was told of it.", served)
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
