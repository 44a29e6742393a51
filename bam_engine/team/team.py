"""The stores of a team, connected."""

import sqlalchemy as sa

from bam_engine.team.accounts import Accounts
from bam_engine.team.identities import Identities
from bam_engine.team.invitations import Invitations
from bam_engine.team.join_requests import JoinRequests
from bam_engine.team.sessions import Sessions
from bam_engine.team.throttle import Throttle


class Team:
    """The people of one workspace who sign in."""

    def __init__(self, engine: sa.Engine) -> None:
        self.throttle = Throttle()
        self.accounts = Accounts(engine)
        self.sessions = Sessions(engine, self.accounts, self.throttle)
        self.identities = Identities(engine, self.accounts)
        self.invitations = Invitations(engine, self.accounts, self.identities)
        self.requests = JoinRequests(engine, self.accounts, self.identities)
