"""What was wrong with single events while the rest could be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from monitoring.errors import DataError

KEPT = 3
"""Examples of each problem."""


class Problems:
    """A counter by sentence, with the file and line of the first few examples of each."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._examples: dict[str, list[str]] = {}

    def add(self, sentence: str, path: Path | str, line: int) -> None:
        """Counts one event."""
        self._counts[sentence] = self._counts.get(sentence, 0) + 1
        examples = self._examples.setdefault(sentence, [])
        if len(examples) < KEPT:
            examples.append(f"{path}, line {line}")

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each occurred."""
        return self._counts

    @property
    def examples(self) -> Mapping[str, list[str]]:
        """Where each occurred first."""
        return self._examples

    @property
    def total(self) -> int:
        """Of all of them."""
        return sum(self._counts.values())

    def __iter__(self) -> Iterator[str]:
        """Each as a line for a report, the most frequent first."""
        for sentence, count in sorted(self._counts.items(), key=lambda item: -item[1]):
            yield f"{sentence}: {count} times, as in {'; '.join(self._examples[sentence])}"


class Refusing(Problems):
    """For a caller that counts none: the first is the end, so that no event is lost in silence."""

    def add(self, sentence: str, path: Path | str, line: int) -> None:
        """Raises DataError."""
        raise DataError(f"{path}, line {line}: {sentence}; mend it, or count problems and go on")
