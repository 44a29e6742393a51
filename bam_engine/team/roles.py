"""The roles of a team, each with all that the ones before it may do."""

from enum import IntEnum

from bam_engine.errors import TeamError


class Role(IntEnum):
    """What a person may do; a later role may do all that an earlier one may.

    Examples
    --------
    >>> Role.REVIEWER >= Role.ANNOTATOR, str(Role.REVIEWER)
    (True, 'reviewer')
    """

    VIEWER = 1
    """Look at images, results and reports."""
    ANNOTATOR = 2
    """Also answer."""
    REVIEWER = 3
    """Also define attributes, train, choose thresholds, audit, decide disputes and export."""
    OWNER = 4
    """Also add and remove images, choose encoders, write backups, and decide who is in the team."""

    def __str__(self) -> str:
        return self.name.lower()


def role_of(word: str) -> Role:
    """Return the role that is called ``word``; otherwise raise :class:`TeamError`, which lists them."""
    for role in Role:
        if str(role) == word:
            return role
    raise TeamError(f"There is no role {word[:40]!r}. The roles are: {', '.join(map(str, Role))}.")
