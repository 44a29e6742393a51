"""The exceptions of the engine. A message says what was requested, what is there, and what to do.

Messages are whole sentences. Pages and the command line show ``str(error)`` unchanged. Any exception that is not a
``BamError`` is a bug.
"""


class BamError(Exception):
    """Base class: a problem that the user can understand and fix."""


class Stopped(BamError):
    """A job was asked to stop; finished work is saved."""


class StoreUnavailable(BamError):
    """The database does not answer, or another program has locked it: nothing was saved, and a retry may succeed."""


class NotFound(BamError):
    """A name, row or file does not exist."""


class CollectionError(BamError):
    """Images cannot be found, read or stored."""


class ImageUnreadable(CollectionError):
    """An image cannot be decoded; the message gives the reason without the path."""


class BucketUnavailable(ImageUnreadable):
    """A bucket does not answer, or refuses the credentials: nothing is known of the image, and a retry may succeed."""


class EmbeddingError(BamError):
    """An encoder cannot be opened, or vectors cannot be computed or stored."""


class AnnotationError(BamError):
    """An attribute, assignment or answer is invalid."""


class TooLate(AnnotationError):
    """What an undo would take back was changed again since: it never succeeds any more."""


class TeamError(BamError):
    """An account, a role, a password or an invitation is invalid, or its owner is refused."""


class LearningError(BamError):
    """A classifier, round or threshold cannot be computed from the labels at hand."""


class NoThreshold(LearningError):
    """No threshold meets the target; the message states the best that can be reached.

    About ``images`` more random images would make one possible; None where that is unknown or cannot be.
    """

    def __init__(self, message: str, images: int | None = None) -> None:
        super().__init__(message)
        self.images = images


class AuditError(BamError):
    """An audit sample cannot be drawn or labelled."""


class ProjectionError(BamError):
    """A layout or a tile cannot be computed."""


class ExchangeError(BamError):
    """A dataset cannot be read or written."""


class DiskFull(BamError):
    """The disk is full; the message says what was saved."""
