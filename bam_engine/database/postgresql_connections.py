"""Connections to PostgreSQL that end where the server does not answer, instead of waiting for ever.

In:  an engine. Out: its connections give up after some seconds without an answer; a statement that is slow goes on. The
operating system ends connections to a machine that is gone. A server that takes connections and says nothing, as one
does that is stopped or overloaded, is found by asking for another connection.
"""

import time
from collections.abc import Generator
from typing import Any

import psycopg
import sqlalchemy as sa

CONNECT_TIMEOUT = 5
"""Seconds in which a server has to accept a connection."""

SILENCE = 5.0
"""Seconds that a statement waits before the server is asked whether it still answers, and again after that."""

_TRANSPORT = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}


class _Connection(psycopg.Connection[Any]):
    """A connection whose statements end where the server has stopped answering."""

    parameters: dict[str, Any]

    def wait(self, gen: Any, *arguments: Any, **options: Any) -> Any:
        """Do what psycopg does to wait for the server, and look after it meanwhile."""
        return super().wait(self._watched(gen), *arguments, **options)

    def _watched(self, gen: Any) -> Generator[Any, Any, Any]:
        """Pass everything on between psycopg's protocol and its loop, which sends 0 where nothing has arrived."""
        heard = time.monotonic()
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and time.monotonic() - heard > SILENCE:
                    self._check_server()
                if ready or time.monotonic() - heard > SILENCE:
                    heard = time.monotonic()
                wanted = gen.send(ready)
        except StopIteration as end:
            return end.value

    def _check_server(self) -> None:
        try:
            psycopg.connect(**self.parameters).close()
        except psycopg.errors.ConnectionTimeout as error:
            self.pgconn.finish()
            raise psycopg.OperationalError("it accepts connections and does not answer") from error
        except psycopg.Error:  # that is an answer, such as that there are too many connections
            pass


def give_up_on_silence(engine: sa.Engine) -> None:
    """Let the connections of an engine end where the server does not answer. What its URL sets stays."""

    def connect(_dialect: Any, _record: Any, arguments: list[Any], parameters: dict[str, Any]) -> _Connection:
        parameters = {"connect_timeout": CONNECT_TIMEOUT, **_TRANSPORT, **parameters}
        connection = _Connection.connect(*arguments, **parameters)
        connection.parameters = parameters
        return connection

    sa.event.listen(engine, "do_connect", connect)
