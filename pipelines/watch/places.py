"""Where things are in the records bucket."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Places:
    """The keys of one model; every folder ends with a slash."""

    team: str
    model: str
    endpoint: str

    @property
    def capture(self) -> str:
        return f"capture/{self.team}/{self.endpoint}/"

    @property
    def labels(self) -> str:
        return f"labels/{self.team}/{self.model}/"

    @property
    def watch(self) -> str:
        return f"watch/{self.team}/{self.model}/"

    @property
    def state(self) -> str:
        return f"{self.watch}state.json"

    def profiles(self, fingerprint: str) -> str:
        return f"{self.watch}profiles/{fingerprint}/"

    def labels_read(self, fingerprint: str) -> str:
        return f"{self.watch}labels/{fingerprint}/"

    def report(self, kind: str) -> str:
        """The newest report: html or json."""
        return f"{self.watch}report.{kind}"
