"""Connections to addresses that were checked: what a name resolves to is looked at, and exactly that is connected to.

In:  a host and a port. Out: a stream to one of its permitted addresses. A name is resolved once for each connection, so
it cannot lead elsewhere between check and use (DNS rebinding).
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence

import httpcore2

from bam_engine.download.addresses import Network, why_refused
from bam_engine.download.outcomes import Failure

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Returns the addresses of a host, in the order in which they are to be tried."""

_TRIED = 3  # addresses of one host


async def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host as the system resolves it.

    Raises
    ------
    Failure
        Of the kind "name": there are none.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Failure("name", f"The host {host} was not found ({reason}).") from error
    return list(dict.fromkeys(str(address[4][0]) for address in found))


class CheckedNetwork(httpcore2.AsyncNetworkBackend):
    """Opens connections to permitted addresses only.

    Parameters
    ----------
    allowed
        Private networks that are permitted.
    named
        The hosts for which they are; None for all.
    """

    def __init__(
        self, allowed: Sequence[Network] = (), resolver: Resolve = resolve, *, named: Collection[str] | None = None
    ) -> None:
        self._allowed, self._resolve, self._named = allowed, resolver, named
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first permitted address of a host that answers."""
        addresses = await self._resolve(host, port)
        allowed = self._allowed if self._named is None or host in self._named else ()
        refusals = {address: why_refused(address, allowed) for address in addresses}
        permitted = [address for address, reason in refusals.items() if reason is None]
        if not permitted:
            reason = next(iter(refusals.values()), None) or "it has no address"
            raise Failure("private address", f"The host {host} is not asked: {reason}.")
        for address in permitted[1:_TRIED]:
            try:
                return await self._network.connect_tcp(permitted[0], port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                permitted[0] = address
        return await self._network.connect_tcp(permitted[0], port, timeout, local_address, socket_options)

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None
    ) -> httpcore2.AsyncNetworkStream:
        """Refuse: no URL of the web is one of this computer."""
        raise Failure("private address", "A socket of this computer is not asked.")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._network.sleep(seconds)
