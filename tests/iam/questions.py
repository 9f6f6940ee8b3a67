"""The questions to the policies: what nobody may do but the named, and what must work.

Read a row as "May ...?": the sentence, who, which actions, on what. `docs/permissions-questions.md` is made from this
table (`python -m tests.iam.page`), and `test_questions.py` asks them all.
"""

from __future__ import annotations

from tests.iam.negative_batches import BATCHES
from tests.iam.negative_builds import BUILDING
from tests.iam.negative_people import OF_CLOUDFORMATION, OF_PEOPLE, PEOPLE_MAY
from tests.iam.negative_releases import RELEASES
from tests.iam.negative_rights import ESCALATION
from tests.iam.negative_strangers import TRUST
from tests.iam.negative_teams import TEAMS
from tests.iam.negative_watch import WATCH
from tests.iam.positive import NEEDED
from tests.iam.question import Question, several

NO: dict[str, tuple[Question, ...]] = {
    "Teams and their data": TEAMS,
    "Batches": BATCHES,
    "The watch": WATCH,
    "Releases": RELEASES,
    "Builds": BUILDING,
    "More rights than given": ESCALATION,
    "Services and strangers": TRUST,
    "CloudFormation, with the execution policy": OF_CLOUDFORMATION,
    "People, with the policies for them": OF_PEOPLE,
}
"""What must be answered no, by chapter."""

YES = (*NEEDED, *PEOPLE_MAY)
"""What must be answered yes, or the stacks do not work."""


def actions_asked() -> set[str]:
    """Every action that a question names."""
    every = [question for chapter in NO.values() for question in chapter] + list(YES)
    return {action for question in every for action in several(question.action)}
