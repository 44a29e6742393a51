"""A server that accepts connections and never answers: a sentence after a few seconds, and no wait for ever."""

from pathlib import Path

import pytest

from bam_engine import database as db
from bam_engine.cli import main
from bam_engine.database import backups, postgresql_connections
from bam_engine.errors import BamError, StoreUnavailable
from tests.postgresql import PostgreSQL
from tests.silent_server import silent_server


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections that give up soon."""
    monkeypatch.setattr(postgresql_connections, "CONNECT_TIMEOUT", 2)
    monkeypatch.setattr(postgresql_connections, "SILENCE", 0.3)


def test_a_server_has_a_few_seconds() -> None:
    assert 2 <= postgresql_connections.CONNECT_TIMEOUT <= 5
    assert 1 <= postgresql_connections.SILENCE <= 5


@pytest.mark.usefixtures("impatient")
def test_a_server_that_never_answers_is_named() -> None:
    with silent_server() as server, pytest.raises(StoreUnavailable, match=r"does not answer: .*timeout.*try again\.$"):
        db.open_database(server.url)


@pytest.mark.usefixtures("impatient")
def test_every_kind_of_command_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BAM_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("BAM_CACHE", str(tmp_path / "cache"))
    with silent_server() as server:
        monkeypatch.setenv("BAM_DATABASE_URL", server.url)
        assert main(["status"]) == 1
    assert "does not answer" in capsys.readouterr().err


@pytest.mark.usefixtures("impatient")
def test_a_server_that_falls_silent_is_named_and_found_again(postgresql: PostgreSQL) -> None:
    with postgresql.database() as url, silent_server(url) as server:
        engine = db.open_database(server.url)
        db.write_setting(engine, "x", 1)
        server.silent = True
        with pytest.raises(StoreUnavailable, match="accepts connections and does not answer"):
            db.write_setting(engine, "x", 2)
        server.silent = False
        assert db.read_setting(engine, "x") == 1
        engine.dispose()


@pytest.mark.usefixtures("impatient")
def test_a_slow_statement_of_a_server_that_answers_goes_on(postgresql: PostgreSQL) -> None:
    with postgresql.database() as url:
        engine = db.open_database(url)
        with engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT 7 FROM pg_sleep(1.5)").scalar() == 7
        engine.dispose()


def test_what_the_address_sets_stays(postgresql: PostgreSQL) -> None:
    with postgresql.database() as url:
        engine = db.open_database(f"{url}&connect_timeout=9")
        with engine.connect() as connection:
            opened = connection.connection.driver_connection
            assert opened is not None
            assert opened.info.get_parameters()["connect_timeout"] == "9"
        engine.dispose()


@pytest.mark.usefixtures("impatient")
def test_the_programs_of_a_server_give_up_too(
    postgresql: PostgreSQL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgresql.database() as url, silent_server(url) as server:
        engine = db.open_database(server.url)
        server.silent = True
        with pytest.raises(BamError, match="timeout expired"):
            backups.back_up(engine, tmp_path / "bam.dump")
        engine.dispose()
