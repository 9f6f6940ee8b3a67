"""A report that also notes when each part of a life has begun, and what CloudFormation has made by then."""

from __future__ import annotations

import re
import time
from pathlib import Path

from local_aws.permissions.landmarks import Landmarks
from local_aws.permissions.lived import Scene
from local_aws.rehearsal.report import Report

EVERY_SECONDS = 20.0
OF_THE_STORY = (
    (re.compile(r"make \w+ \.\.\."), "first deployment"),
    (re.compile(r"\S+-platform / "), "platform pipeline"),
    (re.compile(r"\S+-release \S+ / "), "release"),
    (re.compile(r"\S+: (answers|requests|batch) \.\.\."), "production"),
    (re.compile(r"\S+: .*\d{4}.* \.\.\."), "watch"),
)
"""How the lines begin that the story of `make local` tells, and the scenes that they are of."""


class Diary(Report):
    """Notes scenes: those of the story by itself, the others when told."""

    def open(self, landmarks: Landmarks, home: Path) -> None:
        """Begin to note; *home* has what is known so far, also of a life that is ended early."""
        self._landmarks, self._home, self._looked = landmarks, home, 0.0
        self._in_story = True
        self.scenes: list[Scene] = [Scene("first deployment", time.time())]

    def begin(self, scene: str) -> None:
        """From now on it is this one."""
        self._in_story = False
        self._note(scene)
        self._look()

    def say(self, line: str) -> None:
        super().say(line)
        if not hasattr(self, "scenes"):
            return
        if self._in_story:
            for pattern, scene in OF_THE_STORY:
                if pattern.match(line):
                    self._note(scene)
        if time.monotonic() - self._looked > EVERY_SECONDS:
            self._look()

    def _note(self, scene: str) -> None:
        if self.scenes[-1].name != scene:
            self.scenes.append(Scene(scene, time.time()))

    def _look(self) -> None:
        self._landmarks.look()
        self._landmarks.keep(self._home, self.scenes)
        self._looked = time.monotonic()
