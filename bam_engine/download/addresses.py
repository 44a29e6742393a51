"""Which network addresses pictures are downloaded from: public ones, and private ones that the owner allows.

In:  IP addresses as text. Out: why one is refused. Pure: nothing is resolved here.
"""

import ipaddress
import os
from collections.abc import Sequence

from bam_engine.errors import CollectionError

ALLOWED = "BAM_PRIVATE_NETWORKS"
"""The environment variable with private networks that may be downloaded from, separated by commas."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # IPv4 behind NAT64, RFC 6052
_TUNNELS = tuple(  # 6to4 and its relays, Teredo, local NAT64
    map(ipaddress.ip_network, ("2002::/16", "192.88.99.0/24", "2001::/32", "64:ff9b:1::/48"))
)
_NOT_PUBLIC = tuple(map(ipaddress.ip_network, ("fec0::/10", "3fff::/20")))  # site-local; documentation
_COMPATIBLE = ipaddress.ip_network("::/96")  # IPv4-compatible addresses, obsolete


def allowed_networks() -> tuple[Network, ...]:
    """Return the private networks that may be downloaded from, by ``BAM_PRIVATE_NETWORKS``; by default none.

    Raises
    ------
    CollectionError
        One of them is no network.
    """
    named = [part.strip() for part in os.environ.get(ALLOWED, "").split(",") if part.strip()]
    try:
        return tuple(ipaddress.ip_network(part) for part in named)
    except ValueError as error:
        raise CollectionError(
            f"{ALLOWED} has to name networks such as 10.0.0.0/8 or 127.0.0.1/32, separated by commas: {error}."
        ) from error


def why_refused(address: str, allowed: Sequence[Network] = ()) -> str | None:
    """Return why nothing is downloaded from an IP address, or None if it may be.

    An IPv6 address that stands for an IPv4 address is judged as that; tunnels are refused.

    Examples
    --------
    >>> why_refused("93.184.215.14")
    >>> why_refused("::ffff:127.0.0.1")
    '127.0.0.1 is an address of this computer'
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return f"{address} is no IP address"
    found = _inner(found)
    if _is_in(found, allowed):
        return None
    for holds, words in (
        (found.is_loopback or found.is_unspecified, "an address of this computer"),
        (found.is_link_local, "a link-local address"),
        (found.is_multicast, "a multicast address"),
        (_is_in(found, _TUNNELS), "an address of a tunnel"),
        (not found.is_global or found.is_reserved or _is_in(found, _NOT_PUBLIC), "a private or reserved address"),
    ):
        if holds:
            return f"{found} is {words}"
    return None


def _is_in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _inner(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for, or the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _TRANSLATED or (address in _COMPATIBLE and int(address) > 0xFFFF):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
