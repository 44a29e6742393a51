"""Tokens: long random texts that somebody holds; only their digests are stored, which open nothing."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

_BYTES = 32
_LONGEST = 200


def new_token() -> str:
    """Return a random token of 256 bits, of letters, digits, ``-`` and ``_``."""
    return secrets.token_urlsafe(_BYTES)


def digest_of(token: str) -> str:
    """Return the digest by which a token is found; any text has one."""
    return hashlib.sha256(token[:_LONGEST].encode("utf-8", "surrogatepass")).hexdigest()


def moment_in(days: float) -> str:
    """Return the time in so many days, in the form of :func:`bam_engine.database.now`."""
    return (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="microseconds")
