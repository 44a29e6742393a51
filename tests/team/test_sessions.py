"""Sessions: a token opens what its account may see until it expires, is ended, or is replaced."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bam_engine.database import annotators, sessions
from bam_engine.errors import TeamError
from bam_engine.team import Account, Role, Team, TooManyAttempts
from bam_engine.team.throttle import FREE
from tests.team.conftest import SECRET


def test_a_token_is_the_person_who_signed_in_under_any_spelling(team: Team, olga: Account) -> None:
    token = team.sessions.sign_in(" OLGA", SECRET)
    assert team.sessions.account(token) == olga
    assert team.sessions.count(olga) == 1


@pytest.mark.parametrize("token", ["", "x", "x" * 1_000_000, "\ud800", "' OR 1=1 --", "\x00"])
def test_what_is_no_token_is_nobody(team: Team, olga: Account, token: str) -> None:
    team.sessions.begin(olga)
    assert team.sessions.account(token) is None


def test_a_token_with_another_letter_is_nobody(team: Team, olga: Account) -> None:
    token = team.sessions.begin(olga)
    assert team.sessions.account(token[:-1] + ("A" if token[-1] != "A" else "B")) is None
    assert team.sessions.account(token + "x") is None


def test_neither_words_nor_work_tell_whether_a_name_exists(
    team: Team, olga: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    from argon2 import PasswordHasher

    verified: list[str] = []
    verify = PasswordHasher.verify

    def counting(self: PasswordHasher, stored: str, password: bytes) -> bool:
        verified.append(stored)
        return verify(self, stored, password)

    monkeypatch.setattr(PasswordHasher, "verify", counting)
    words = set()
    for name in ("Olga", "nobody", "", "x" * 100_000):
        with pytest.raises(TeamError) as refused:
            team.sessions.sign_in(name, "a wrong password")
        words.add(str(refused.value))
    assert words == {"The name or the password is wrong."}
    assert len(verified) == 4
    assert len({stored.split("$")[3] for stored in verified}) == 1, "each was as much work"


def test_signing_in_replaces_the_session_of_the_browser(team: Team, olga: Account) -> None:
    first = team.sessions.sign_in("Olga", SECRET)
    elsewhere = team.sessions.sign_in("Olga", SECRET)
    second = team.sessions.sign_in("Olga", SECRET, before=first)
    assert [team.sessions.account(token) for token in (first, elsewhere, second)] == [None, olga, olga]


def test_a_session_expires_and_is_then_forgotten(team: Team, olga: Account, database: sa.Engine) -> None:
    token = team.sessions.begin(olga)
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat(timespec="microseconds")
    with database.begin() as connection:
        connection.execute(sa.update(sessions).values(expires_at=past))
    assert team.sessions.account(token) is None
    assert team.sessions.count(olga) == 0
    team.sessions.begin(olga)
    with database.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(sessions)).scalar_one() == 1


def test_signing_out_ends_one_session_and_everywhere_ends_all_of_the_person(team: Team, olga: Account) -> None:
    ben = team.accounts.add("Ben", Role.VIEWER, SECRET)
    tokens, of_ben = [team.sessions.begin(olga) for _ in range(3)], team.sessions.begin(ben)
    team.sessions.end(tokens[0])
    assert [team.sessions.account(token) for token in tokens] == [None, olga, olga]
    assert team.sessions.end_all(olga) == 2
    assert [team.sessions.account(token) for token in tokens] == [None, None, None]
    assert team.sessions.account(of_ben) == ben


def test_failed_attempts_of_a_stranger_delay_nobody_elsewhere_and_no_session(team: Team, olga: Account) -> None:
    token = team.sessions.sign_in("Olga", SECRET, address="192.0.2.1")
    for _ in range(FREE):
        with pytest.raises(TeamError, match="wrong"):
            team.sessions.sign_in("Olga", "a wrong password", address="203.0.113.9")
    with pytest.raises(TooManyAttempts) as refused:
        team.sessions.sign_in("Olga", SECRET, address="203.0.113.9")
    assert 0 < refused.value.seconds <= 60
    assert team.sessions.account(token) == olga
    assert team.sessions.sign_in("Olga", SECRET, address="192.0.2.1")


def test_a_merged_annotator_signs_in_as_the_person_merged_into(team: Team, olga: Account, database: sa.Engine) -> None:
    from bam_engine.annotation.annotator_store import Annotators

    people = Annotators(database)
    people.merge(olga.annotator_id, people.id_of("Olga Schmidt"))
    token = team.sessions.sign_in("Olga Schmidt", SECRET)
    found = team.sessions.account(token)
    assert found is not None
    assert (found.id, found.name, found.annotator_id) == (olga.id, "Olga Schmidt", people.id_of("Olga Schmidt"))
    with database.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(annotators)).scalar_one() == 2
