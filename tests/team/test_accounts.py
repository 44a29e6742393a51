"""Accounts: one person each, recognised by a password that nobody stores, and never without an owner."""

import subprocess
import sys
import threading

import pytest
import sqlalchemy as sa

from bam_engine.annotation.annotator_store import Annotators
from bam_engine.database import accounts, invitations, join_requests, sessions
from bam_engine.errors import AnnotationError, NotFound, TeamError
from bam_engine.team import MAX_LENGTH, MIN_LENGTH, Account, Role, Team, passwords, role_of
from tests.team.conftest import SECRET


def test_an_account_is_that_of_an_annotator_who_may_have_answered_before(team: Team, database: sa.Engine) -> None:
    before = Annotators(database).id_of("Anna")
    account = team.accounts.add(" ANNA ", Role.ANNOTATOR, SECRET)
    assert (account.annotator_id, account.name, account.role) == (before, "Anna", Role.ANNOTATOR)
    assert team.accounts.find("anna") == account


def test_a_person_has_one_account(team: Team, olga: Account) -> None:
    with pytest.raises(TeamError, match="Olga has an account already"):
        team.accounts.add("olga", Role.VIEWER, SECRET)
    assert team.accounts.all() == [olga]


def test_accounts_of_one_name_made_at_once_are_one(team: Team) -> None:
    outcomes: list[str] = []

    def add(name: str) -> None:
        try:
            team.accounts.add(name, Role.OWNER, SECRET)
            outcomes.append("added")
        except TeamError:
            outcomes.append("refused")

    threads = [threading.Thread(target=add, args=(name,)) for name in ("Ida", "ida", "IDA", " ida")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["added", "refused", "refused", "refused"]
    assert len(team.accounts.all()) == 1


def test_each_role_may_do_what_the_ones_before_it_may() -> None:
    assert sorted(Role) == [Role.VIEWER, Role.ANNOTATOR, Role.REVIEWER, Role.OWNER]
    assert [role_of(str(role)) for role in Role] == list(Role)
    with pytest.raises(TeamError, match="The roles are: viewer, annotator, reviewer, owner"):
        role_of("king")


@pytest.mark.parametrize("length", [0, MIN_LENGTH - 1, MAX_LENGTH + 1, 1_000_000])
def test_a_password_that_is_too_short_or_too_long_is_refused_and_nothing_is_computed(
    team: Team, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("argon2.PasswordHasher.hash", lambda *_: pytest.fail("it was hashed"))
    with pytest.raises(TeamError, match=f"The password has {length:,} characters"):
        team.accounts.add("Ida", Role.OWNER, "x" * length)
    assert not team.accounts.exist()
    monkeypatch.setattr("argon2.PasswordHasher.verify", lambda *_: pytest.fail("it was hashed"))
    assert length <= MAX_LENGTH or not passwords.is_password("x" * length, None)


def test_a_password_is_recognised_however_its_letters_are_composed(team: Team) -> None:
    account = team.accounts.add("Zoë", Role.OWNER, "zw\u00f6lf Boxk\u00e4mpfer")
    assert team.accounts.is_password(account, "zwo\u0308lf Boxka\u0308mpfer")
    assert not team.accounts.is_password(account, "zwolf Boxkampfer")


def test_no_password_and_no_token_is_stored(team: Team, olga: Account, database: sa.Engine) -> None:
    held = [team.sessions.begin(olga), team.invitations.invite(Role.VIEWER), SECRET]
    team.requests.ask("Bert", SECRET, "hello")
    with database.connect() as connection:
        rows = [
            tuple(row) for table in (accounts, sessions, invitations, join_requests) for row in _rows(connection, table)
        ]
    assert len(rows) == 4
    assert not any(secret in str(rows) for secret in held)


def _rows(connection: sa.Connection, table: sa.Table) -> list[sa.Row[tuple[object, ...]]]:
    return list(connection.execute(sa.select(table)))


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANNOTATOR, Role.REVIEWER])
def test_the_last_owner_stays_one(team: Team, olga: Account, role: Role) -> None:
    team.accounts.add("Rita", Role.REVIEWER, SECRET)
    with pytest.raises(TeamError, match="Olga is the only owner"):
        team.accounts.set_role(olga.id, role)
    with pytest.raises(TeamError, match="Olga is the only owner"):
        team.accounts.remove(olga.id)
    assert team.accounts.get("Olga") == olga


def test_two_owners_who_demote_each_other_at_once_leave_one(team: Team, olga: Account) -> None:
    other = team.accounts.add("Otto", Role.OWNER, SECRET)
    start = threading.Barrier(2)
    refused: list[str] = []

    def demote(account: Account) -> None:
        start.wait()
        try:
            team.accounts.set_role(account.id, Role.VIEWER)
        except TeamError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=demote, args=(one,)) for one in (olga, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert [one.role for one in team.accounts.all()].count(Role.OWNER) == 1


@pytest.mark.parametrize("change", ["role", "password", "removal"])
def test_another_role_or_password_and_a_removal_end_the_sessions(team: Team, olga: Account, change: str) -> None:
    ben = team.accounts.add("Ben", Role.ANNOTATOR, SECRET)
    of_ben, of_olga = team.sessions.begin(ben), team.sessions.begin(olga)
    if change == "role":
        team.accounts.set_role(ben.id, Role.VIEWER)
    elif change == "password":
        team.accounts.set_password(ben.id, SECRET + "!")
    else:
        team.accounts.remove(ben.id)
    assert team.sessions.account(of_ben) is None
    assert team.sessions.account(of_olga) == olga


def test_a_removed_account_leaves_the_annotator(team: Team, olga: Account, database: sa.Engine) -> None:
    ben = team.accounts.add("Ben", Role.ANNOTATOR, SECRET)
    team.accounts.remove(ben.id)
    assert team.accounts.find("Ben") is None
    assert Annotators(database).get("Ben").id == ben.annotator_id
    with pytest.raises(NotFound, match="The accounts are those of: Olga"):
        team.accounts.get("Ben")


def test_what_has_gone_meanwhile_is_said(team: Team, olga: Account) -> None:
    with pytest.raises(NotFound, match="no such account"):
        team.accounts.set_role(99, Role.VIEWER)
    with pytest.raises(NotFound, match="no such account"):
        team.accounts.remove(99)


def test_an_archived_annotator_gets_no_account(team: Team, olga: Account, database: sa.Engine) -> None:
    people = Annotators(database)
    people.archive(people.id_of("Bea"))
    with pytest.raises(AnnotationError, match="archived"):
        team.accounts.add("Bea", Role.VIEWER, SECRET)


def test_hashes_are_argon2id_with_the_memory_and_the_passes_of_rfc_9106() -> None:
    from argon2 import extract_parameters
    from argon2.profiles import RFC_9106_LOW_MEMORY

    real = subprocess.run(
        [sys.executable, "-c", f"from bam_engine.team.passwords import hash_password as h; print(h({SECRET!r}))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert extract_parameters(real.stdout.strip()) == RFC_9106_LOW_MEMORY
