"""A team: people with accounts and roles, who sign in, invite others, and are invited.

In:  names, passwords and tokens. Out: :class:`Account` records, of people who are annotators too, and refusals.
No password and no token is stored, only what recognises it. Knows no page, no cookie and no request.
"""

from bam_engine.team.accounts import Account, Accounts
from bam_engine.team.activity import Activity, recent_activity
from bam_engine.team.identities import Identities, Identity
from bam_engine.team.identity_provider import IdentityProvider, configured_provider
from bam_engine.team.invitations import Invitation, Invitations
from bam_engine.team.join_requests import JoinRequest, JoinRequests
from bam_engine.team.passwords import MAX_LENGTH, MIN_LENGTH
from bam_engine.team.roles import Role, role_of
from bam_engine.team.sessions import Sessions
from bam_engine.team.team import Team
from bam_engine.team.throttle import Throttle, TooManyAttempts

__all__ = [
    "MAX_LENGTH",
    "MIN_LENGTH",
    "Account",
    "Accounts",
    "Activity",
    "Identities",
    "Identity",
    "IdentityProvider",
    "Invitation",
    "Invitations",
    "JoinRequest",
    "JoinRequests",
    "Role",
    "Sessions",
    "Team",
    "Throttle",
    "TooManyAttempts",
    "configured_provider",
    "recent_activity",
    "role_of",
]
