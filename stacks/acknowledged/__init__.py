"""What a rule of cdk-nag finds and we keep, each with its reason.

A place is the path of a construct, a detail what stands in the brackets of the rule's id; stacks/validation.py says how
both are written. Before an entry is added here, the finding is better mended.
"""

from stacks.acknowledged.delivery import DELIVERY
from stacks.acknowledged.entry import Acknowledged
from stacks.acknowledged.grants import GRANTS
from stacks.acknowledged.kinds import KINDS
from stacks.acknowledged.teams import TEAMS

__all__ = ["ACKNOWLEDGED", "Acknowledged"]

ACKNOWLEDGED: tuple[Acknowledged, ...] = (*GRANTS, *TEAMS, *DELIVERY, *KINDS)
