"""Joining: an invitation makes one account of its role; a request waits for an owner, and tells nobody what exists."""

import threading

import pytest
import sqlalchemy as sa

from bam_engine.annotation.annotator_store import Annotators
from bam_engine.database import invitations
from bam_engine.errors import BamError, NotFound, TeamError
from bam_engine.team import Account, Role, Team
from bam_engine.team.invitations import MAX_DAYS
from bam_engine.team.join_requests import MOST, NOTE_LENGTH
from tests.team.conftest import SECRET

REFUSED = "has expired, was used or was revoked"


def test_an_invitation_gives_its_role_once(team: Team, olga: Account) -> None:
    token = team.invitations.invite(Role.REVIEWER, by=olga)
    assert team.invitations.role(token) is Role.REVIEWER
    account = team.invitations.use(token, "Rita", SECRET)
    assert (account.name, account.role) == ("Rita", Role.REVIEWER)
    assert team.sessions.account(team.sessions.sign_in("rita", SECRET)) == account
    with pytest.raises(TeamError, match=REFUSED):
        team.invitations.use(token, "Rolf", SECRET)
    (invitation,) = team.invitations.all()
    assert (invitation.invited_by, invitation.used_by, invitation.open) == ("Olga", "Rita", False)


def test_of_people_who_use_an_invitation_at_once_one_joins(team: Team, olga: Account) -> None:
    token, outcomes = team.invitations.invite(Role.ANNOTATOR), []

    def use(name: str) -> None:
        try:
            outcomes.append(team.invitations.use(token, name, SECRET).name)
        except TeamError:
            outcomes.append("")

    threads = [threading.Thread(target=use, args=(name,)) for name in ("Ada", "Ben", "Cleo")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([name for name in outcomes if name]) == 1
    assert len(team.accounts.all()) == 2


@pytest.mark.parametrize("why", ["unknown", "expired", "revoked"])
def test_an_invitation_that_does_not_hold_is_refused_in_the_same_words(
    team: Team, olga: Account, database: sa.Engine, why: str
) -> None:
    token = team.invitations.invite(Role.ANNOTATOR)
    if why == "expired":
        with database.begin() as connection:
            connection.execute(sa.update(invitations).values(expires_at="2026-01-01T00:00:00.000000+00:00"))
    elif why == "revoked":
        team.invitations.revoke(team.invitations.all()[0].id)
    with pytest.raises(TeamError, match=REFUSED):
        team.invitations.use("x" if why == "unknown" else token, "Ada", SECRET)
    assert team.accounts.all() == [olga]


def test_a_refused_name_or_password_does_not_use_an_invitation_up(team: Team, olga: Account) -> None:
    token = team.invitations.invite(Role.ANNOTATOR)
    for name, password in (("Ada", "short"), ("", SECRET), ("x" * 300, SECRET), ("Ada", "x" * 1_000_000)):
        with pytest.raises(BamError):
            team.invitations.use(token, name, password)
    assert team.invitations.use(token, "Ada", SECRET).name == "Ada"


def test_nobody_takes_the_answers_of_another_person_by_an_invitation(
    team: Team, olga: Account, database: sa.Engine
) -> None:
    Annotators(database).id_of("Anna")
    for name in ("ANNA", "olga"):
        with pytest.raises(TeamError, match="is taken"):
            team.invitations.use(team.invitations.invite(Role.ANNOTATOR), name, SECRET)


def test_a_revoked_invitation_stays_revoked_and_a_used_one_used(team: Team, olga: Account) -> None:
    team.invitations.use(team.invitations.invite(Role.VIEWER), "Vera", SECRET)
    used = team.invitations.all()[0]
    team.invitations.revoke(used.id)
    assert not team.invitations.all()[0].revoked
    with pytest.raises(NotFound, match="no such invitation"):
        team.invitations.revoke(99)


@pytest.mark.parametrize("days", [0, -1, MAX_DAYS + 1, float("nan"), float("inf")])
def test_an_invitation_holds_for_some_days(team: Team, days: float) -> None:
    with pytest.raises(TeamError, match="Choose a number from 1 to 90"):
        team.invitations.invite(Role.VIEWER, days=days)


def test_an_approved_request_signs_in_with_its_own_password(team: Team, olga: Account) -> None:
    team.requests.ask("Ben", SECRET + "!", "I label\n kites")
    (request,) = team.requests.all()
    assert (request.name, request.note, request.known) == ("Ben", "I label kites", False)
    assert team.accounts.find("Ben") is None
    account = team.requests.approve(request.id, Role.ANNOTATOR)
    assert (account.role, team.requests.all()) == (Role.ANNOTATOR, [])
    assert team.sessions.sign_in("Ben", SECRET + "!")


def test_a_declined_request_is_forgotten(team: Team, olga: Account) -> None:
    team.requests.ask("Ben", SECRET)
    team.requests.decline(team.requests.all()[0].id)
    assert (team.requests.all(), team.accounts.all()) == ([], [olga])
    with pytest.raises(NotFound, match="no such request"):
        team.requests.decline(1)
    with pytest.raises(NotFound, match="no such request"):
        team.requests.approve(1, Role.VIEWER)


def test_a_taken_name_is_told_to_the_owner_and_not_to_whoever_asks(team: Team, olga: Account) -> None:
    team.requests.ask("OLGA", SECRET)
    (request,) = team.requests.all()
    assert request.known
    with pytest.raises(TeamError, match="Olga has an account already"):
        team.requests.approve(request.id, Role.OWNER)
    assert team.requests.all() == [request]


def test_requests_are_limited_in_number_and_length(team: Team, olga: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TeamError, match="The note has 1,000,000 characters"):
        team.requests.ask("Ben", SECRET, "x" * 1_000_000)
    assert NOTE_LENGTH < 1_000_000
    monkeypatch.setattr("bam_engine.team.join_requests.MOST", 2)
    assert MOST > 2
    team.requests.ask("Ben", SECRET)
    team.requests.ask("Bea", SECRET, "'; DROP TABLE accounts; --")
    with pytest.raises(TeamError, match="Too many requests wait"):
        team.requests.ask("Bob", SECRET)
    assert team.requests.all()[1].note == "'; DROP TABLE accounts; --"
