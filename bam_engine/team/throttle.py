"""Slows down whoever guesses passwords, and nobody else.

Failed attempts are counted for each pair of a name and an address, and for each address. Once there are several, the
next attempt has to wait, a minute at most; one that comes too early is refused and not counted. Nothing is ever locked:
a stranger elsewhere delays nobody, and whoever is signed in is not asked. A name counts whether or not it has an
account. The counts are kept in memory and forgotten with the process, or after a quarter of an hour.
"""

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from bam_engine.annotation.names import spelling_key
from bam_engine.errors import TeamError

FREE, FREE_PER_ADDRESS = 5, 30
"""Attempts without a delay: for one name from one address, and for all names from one address."""

LONGEST = 60.0
"""Seconds that an attempt waits at most."""

_FORGOTTEN_AFTER = 15 * 60.0
_MOST = 20_000  # counts that are kept
_NAME_LENGTH = 200


class TooManyAttempts(TeamError):
    """An attempt comes too early; ``seconds`` says how long to wait."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"There were too many failed attempts. Try again in {seconds} seconds.")
        self.seconds = seconds


@dataclass
class _Count:
    attempts: int = 0
    last: float = 0.0
    until: float = 0.0


class Throttle:
    """The failed attempts of a process. Several threads may use it.

    ``clock`` returns seconds and never goes back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counts: OrderedDict[Hashable, _Count] = OrderedDict()
        self._lock = threading.Lock()

    def attempt(self, name: str, address: str) -> None:
        """Count an attempt before it is judged, so that many at once are not judged at once.

        Raises
        ------
        TooManyAttempts
            It comes too early. It is not counted.
        """
        with self._lock:
            moment = self._clock()
            counts = [(self._count(key, moment), free) for key, free in self._keys(name, address)]
            wait = max(count.until - moment for count, _ in counts)
            if wait > 0:
                raise TooManyAttempts(math.ceil(wait))
            for count, free in counts:
                count.attempts += 1
                count.last = moment
                over = count.attempts - free
                count.until = moment + min(LONGEST, 2.0 ** min(over, 10)) if over >= 0 else 0.0

    def succeeded(self, name: str, address: str) -> None:
        """Forget the failed attempts for a name from an address, and take this one off the address."""
        with self._lock:
            (pair, _), (place, _) = self._keys(name, address)
            self._counts.pop(pair, None)
            count = self._counts.get(place)
            if count is not None:
                count.attempts, count.until = max(0, count.attempts - 1), 0.0

    def _count(self, key: Hashable, moment: float) -> _Count:
        count = self._counts.get(key)
        if count is None or moment - count.last > _FORGOTTEN_AFTER:
            count = self._counts[key] = _Count()
        self._counts.move_to_end(key)
        while len(self._counts) > _MOST:
            self._counts.popitem(last=False)
        return count

    def _keys(self, name: str, address: str) -> tuple[tuple[Hashable, int], tuple[Hashable, int]]:
        place = network_of(address)
        return ((spelling_key(name[:_NAME_LENGTH]), place), FREE), ((place,), FREE_PER_ADDRESS)


def network_of(address: str) -> str:
    """Return what one household has: an IPv4 address, or the first 64 bits of an IPv6 address.

    Examples
    --------
    >>> network_of("192.0.2.7"), network_of("2001:db8::1:2:3:4"), network_of("")
    ('192.0.2.7', '2001:db8::/64', '')
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:100]
    mapped = getattr(parsed, "ipv4_mapped", None)
    if parsed.version == 4 or mapped is not None:
        return str(mapped or parsed)
    return str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
