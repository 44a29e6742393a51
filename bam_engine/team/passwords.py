"""Passwords: which are accepted, and how one is recognised without being stored (Argon2id, RFC 9106)."""

import functools
import secrets
import unicodedata
from typing import TYPE_CHECKING

from bam_engine.errors import TeamError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MIN_LENGTH, MAX_LENGTH = 10, 200
"""Characters of a password. Longer ones are refused before anything is computed of them."""

NO_PASSWORD = ""
"""What is stored for whoever has none: it recognises nothing."""


def hash_password(password: str) -> str:
    """Return what recognises a password: Argon2's hash with its salt and parameters.

    Raises
    ------
    TeamError
        It is too short or too long.
    """
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise TeamError(
            f"The password has {len(password):,} characters. Choose one of {MIN_LENGTH} to {MAX_LENGTH}: a few words "
            "that do not belong together are a good one."
        )
    return hasher().hash(_composed(password))


def is_password(password: str, stored: str | None) -> bool:
    """Return whether ``stored`` recognises a password; where nothing is stored, False after as much work."""
    from argon2.exceptions import InvalidHashError, VerificationError

    if len(password) > MAX_LENGTH:
        return False
    try:
        hasher().verify(stored or _of_nobody(), _composed(password))
    except (VerificationError, InvalidHashError):
        return False
    return bool(stored)


def hasher() -> "PasswordHasher":
    """Return what computes hashes: Argon2id with 64 MiB and 3 passes, the second choice of RFC 9106."""
    from argon2 import PasswordHasher

    return PasswordHasher()


@functools.cache
def _of_nobody() -> str:
    """Return the hash of a password that nobody has: a name without an account takes as long as one with."""
    return hash_password(secrets.token_urlsafe(32))


def _composed(password: str) -> bytes:
    """Return the bytes of a password, the same from every keyboard."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
