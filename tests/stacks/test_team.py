"""Two teams in one project."""

from __future__ import annotations

import json

from config import load_project
from tests.synthesis import ROOT, Template, resources

TEAMS = load_project(ROOT).teams


def test_no_role_sees_the_folders_of_two_teams(templates: dict[str, Template]) -> None:
    for stack in ("greenlight-tooling", "greenlight-staging", "greenlight-production"):
        documents = [json.dumps(policy) for policy in resources(templates[stack], "AWS::IAM::Policy").values()]
        seen = [{team for team in TEAMS if f"/{team}/" in document} for document in documents]
        assert max(len(teams) for teams in seen) == 1
        assert set().union(*seen) == TEAMS.keys()


def test_alarms_go_to_the_owners_of_the_models_team(templates: dict[str, Template]) -> None:
    for stack in ("greenlight-staging", "greenlight-production"):
        addresses = {
            subscription["Properties"]["Endpoint"]
            for subscription in resources(templates[stack], "AWS::SNS::Subscription").values()
        }
        assert addresses >= {owner for team in TEAMS.values() for owner in team.owners}
        assert len(resources(templates[stack], "AWS::SNS::Topic")) == len(TEAMS)
