"""A team with an owner, in an empty database."""

import pytest
import sqlalchemy as sa

from bam_engine.team import Account, Role, Team

SECRET = "a blue door in June"


@pytest.fixture
def team(database: sa.Engine) -> Team:
    return Team(database)


@pytest.fixture
def olga(team: Team) -> Account:
    return team.accounts.add("Olga", Role.OWNER, SECRET)
