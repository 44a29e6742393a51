"""A PostgreSQL server that accepts connections and says nothing: from the beginning, or from some moment on."""

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterator

import sqlalchemy as sa


class SilentServer:
    """A TCP server in front of a real one, or of none; once it is ``silent``, it reads and passes on nothing."""

    def __init__(self, behind: str | None) -> None:
        self._behind = behind
        self.silent = behind is None
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = [self._listening]

    @property
    def url(self) -> str:
        """The address of a database through this server."""
        port = self._listening.getsockname()[1]
        behind = sa.make_url(self._behind or "postgresql://bam@/bam")
        return sa.URL.create("postgresql", "bam", None, "127.0.0.1", port, behind.database).render_as_string()

    def accept(self) -> None:
        """Accept connections until the server is closed."""
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                self._open.append(client)
                if not self.silent:
                    threading.Thread(target=self._pass_on, args=(client,)).start()

    def _pass_on(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{sa.make_url(self._behind or '').query['host']}/.s.PGSQL.5432")
        self._open.append(server)
        with selectors.DefaultSelector() as ready, contextlib.suppress(OSError, ValueError):
            ready.register(client, selectors.EVENT_READ, server)
            ready.register(server, selectors.EVENT_READ, client)
            while not self.silent:
                for source, _ in ready.select(timeout=0.1):
                    content = source.fileobj.recv(65536)  # type: ignore[union-attr]
                    if not content or self.silent:
                        return
                    source.data.sendall(content)

    def close(self) -> None:
        """Close every connection."""
        self.silent = True
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@contextlib.contextmanager
def silent_server(behind: str | None = None) -> Iterator[SilentServer]:
    """Run a server in front of the database at the URL ``behind``, on a Unix socket; without one, it is silent."""
    server = SilentServer(behind)
    accepting = threading.Thread(target=server.accept)
    accepting.start()
    try:
        yield server
    finally:
        server.close()
        accepting.join()
