"""How a list is downloaded: how many at once, how long, how large, and how politely."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields

from bam_engine import __version__
from bam_engine.download.robots import PRODUCT
from bam_engine.errors import CollectionError

_CONTACT = re.compile(r"[ -'*-~]{0,200}")  # printable ASCII without parentheses, which enclose it


@dataclass(frozen=True)
class Settings:
    """How a list is downloaded.

    Attributes
    ----------
    connections
        Requests at once, to all hosts.
    per_host
        Requests at once to one host.
    max_bytes
        The largest picture.
    shorter_side
        Pictures whose shorter side has more pixels are stored as JPEG copies of this size; None stores originals.
    tries
        How often a URL is requested in one run.
    connect_seconds, read_seconds, total_seconds
        The longest wait for a connection, for the next bytes, and for one request as a whole.
    interval
        Seconds between the starts of two requests to one host.
    respect_robots
        Whether robots.txt and X-Robots-Tag decide what is fetched.
    contact
        How whoever runs a server reaches you, e.g. an e-mail address; it is sent with every request.
    folder
        Where the pictures are stored; "" for beside the list.
    hosts
        Which host is asked instead of which, for hosts that are gone; see :mod:`bam_engine.download.hosts`.
    """

    connections: int = 64
    per_host: int = 4
    max_bytes: int = 50_000_000
    shorter_side: int | None = None
    tries: int = 3
    connect_seconds: float = 10.0
    read_seconds: float = 20.0
    total_seconds: float = 120.0
    interval: float = 0.0
    respect_robots: bool = True
    contact: str = ""
    folder: str = ""
    hosts: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _CONTACT.fullmatch(self.contact):
            raise CollectionError(
                f"The contact {self.contact!r} cannot be sent. Write an e-mail address or a URL in ASCII, without "
                "parentheses."
            )
        for name in ("connections", "per_host", "max_bytes", "tries"):
            if getattr(self, name) < 1:
                raise CollectionError(f"The setting {name} is {getattr(self, name)}. Choose at least 1.")

    @property
    def user_agent(self) -> str:
        """How this program introduces itself to servers."""
        contact = f" (+{self.contact})" if self.contact else ""
        return f"{PRODUCT}/{__version__}{contact}"


def to_text(settings: Settings) -> str:
    """Return settings as they are stored."""
    return json.dumps(asdict(settings))


def from_text(text: str) -> Settings:
    """Return stored settings; those of other versions of this program that are not known are left out."""
    known = {one.name for one in fields(Settings)}
    return Settings(**{name: value for name, value in json.loads(text).items() if name in known})
