"""Identities: whom a provider knows is one account, by an owner's leave, once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from bam_engine.annotation.annotator_store import Annotators
from bam_engine.database import accounts, frozen_tables, identities, metadata
from bam_engine.errors import TeamError
from bam_engine.team import Account, Identity, Role, Team, recent_activity
from tests.team.conftest import SECRET

ADA = Identity("https://uni.example", "17", "ada@uni.example")


def test_an_identity_signs_in_the_account_that_it_joined_as(team: Team) -> None:
    assert team.identities.account(ADA) is None
    ada = team.identities.join(ADA, "Ada", Role.ANNOTATOR)
    assert team.identities.account(ADA) == ada
    assert not team.accounts.has_password(ada)
    assert not team.accounts.is_password(ada, "")


@pytest.mark.parametrize(
    "other",
    [Identity("https://other.example", "17", ADA.label), Identity(ADA.issuer, "18", ADA.label)],
    ids=["another provider", "another person"],
)
def test_neither_the_words_nor_half_of_an_identity_are_it(team: Team, other: Identity) -> None:
    team.identities.join(ADA, "Ada", Role.ANNOTATOR)
    assert team.identities.account(other) is None
    renamed = Identity(ADA.issuer, ADA.subject, "ada.l@uni.example")
    assert team.identities.account(renamed) is not None, "what people call her may change"


def test_of_many_who_join_at_once_as_one_identity_one_does(team: Team) -> None:
    def join(number: int) -> str:
        try:
            return team.identities.join(ADA, f"Ada {number}", Role.VIEWER).name
        except TeamError as error:
            return str(error)

    with ThreadPoolExecutor(6) as threads:
        names = list(threads.map(join, range(6)))
    assert sum(name in [f"Ada {number}" for number in range(6)] for name in names) == 1
    assert len(team.accounts.all()) == 1


def test_a_refused_name_connects_nothing(team: Team, olga: Account) -> None:
    with pytest.raises(TeamError, match="taken"):
        team.identities.join(ADA, "OLGA", Role.OWNER)
    assert team.identities.account(ADA) is None
    team.identities.connect(olga, ADA)
    team.identities.connect(olga, ADA)
    assert team.identities.of(olga) == [ADA], "connecting twice is connecting once"


def test_an_invitation_is_not_used_up_by_an_identity_that_is_connected(team: Team, olga: Account) -> None:
    team.identities.connect(olga, ADA)
    token = team.invitations.invite(Role.VIEWER, by=olga)
    with pytest.raises(TeamError, match="the account of Olga already"):
        team.invitations.use(token, "Ada", identity=ADA)
    assert team.accounts.find("Ada") is None
    assert team.invitations.use(token, "Ben", SECRET).role is Role.VIEWER


def test_whoever_is_removed_is_known_to_have_been(team: Team, olga: Account) -> None:
    ada = team.identities.join(ADA, "Ada", Role.ANNOTATOR)
    team.accounts.remove(ada.id)
    assert team.identities.account(ADA) is None
    assert team.identities.has_left(ADA)
    team.requests.ask("Ada", identity=ADA)
    (request,) = team.requests.all()
    assert request.identity == ADA
    again = team.requests.approve(request.id, Role.VIEWER)
    assert team.identities.account(ADA) == again
    assert not team.identities.has_left(ADA)


def test_the_log_says_who_came_and_who_was_connected(team: Team, olga: Account, database: sa.Engine) -> None:
    team.identities.join(ADA, "Ada", Role.ANNOTATOR)
    team.identities.connect(olga, Identity(ADA.issuer, "18", "olga@uni.example"))
    team.identities.disconnect(olga)
    said = [f"{one.action}: {one.subject}" for one in recent_activity(database, most=3)]
    assert said == [
        "disconnected identity: Olga",
        "connected identity: Olga as olga@uni.example",
        "joined by single sign-on: Ada as annotator",
    ]


def test_a_reset_leaves_the_password_as_the_only_way_in(team: Team, olga: Account) -> None:
    team.identities.connect(olga, ADA)
    token = team.sessions.begin(olga)
    team.accounts.set_password(olga.id, SECRET, reset=True)
    assert team.identities.account(ADA) is None
    assert team.sessions.account(token) is None
    assert team.accounts.is_password(olga, SECRET)


def test_whoever_has_disconnected_comes_back_by_an_owner_alone(team: Team, olga: Account) -> None:
    team.identities.connect(olga, ADA)
    token = team.sessions.begin(olga)
    team.identities.disconnect(olga)
    assert team.sessions.account(token) is None
    assert team.identities.has_left(ADA)


def test_what_somebody_asked_for_is_forgotten_once_they_are_in(team: Team, olga: Account) -> None:
    team.requests.ask("Ada L", identity=ADA)
    team.invitations.use(team.invitations.invite(Role.VIEWER, by=olga), "Ada", identity=ADA)
    assert team.requests.all() == []


def test_a_request_of_somebody_who_is_in_gives_nobody_its_name(team: Team, olga: Account, database: sa.Engine) -> None:
    team.requests.ask("Ada L", identity=ADA)
    (request,) = team.requests.all()
    with database.begin() as connection:  # as if both happened at once
        connection.execute(sa.insert(identities).values(account_id=olga.id, **ADA.values, made_at="now"))
    with pytest.raises(TeamError, match="signs in the account of Olga already"):
        team.requests.approve(request.id, Role.VIEWER)
    assert Annotators(database).find("Ada L") is None


def test_whoever_connects_is_who_the_log_names(team: Team, olga: Account, database: sa.Engine) -> None:
    team.identities.connect(olga, ADA)
    (newest,) = recent_activity(database, most=1)
    assert newest.by == "Olga"


def test_no_frozen_file_knows_who_signs_in() -> None:
    about_accounts = {
        table for table in metadata.tables.values() if any(key.column.table is accounts for key in table.foreign_keys)
    }
    assert identities in about_accounts
    assert about_accounts | {accounts} <= set(frozen_tables.OF_PEOPLE)
