"""The errors of the engine: one small tree, each with a message that says what was asked, what is there, what to do.

Pages and the command line show ``str(error)`` as it is; anything that is not a ``BamError`` is a defect.
"""


class BamError(Exception):
    """Anything that the person at the screen can understand and mend."""


class Stopped(BamError):
    """Long work that was asked to stop; what was finished is kept."""


class NotFound(BamError):
    """A name, row or file that was asked for and does not exist."""


class CollectionError(BamError):
    """Images cannot be found, read or stored."""


class ImageUnreadable(CollectionError):
    """One image cannot be decoded; the message is the reason, without the path."""


class EmbeddingError(BamError):
    """An encoder cannot be opened, or vectors cannot be made or stored."""


class AnnotationError(BamError):
    """An attribute, assignment or answer that does not fit what is there."""


class LearningError(BamError):
    """A classifier, round or threshold cannot be had from the labels that are there."""


class NoThreshold(LearningError):
    """No cut meets the target; the message names the best that was reached."""


class AuditError(BamError):
    """An audit sample cannot be drawn or judged."""


class ProjectionError(BamError):
    """A layout or a tile cannot be made."""


class ExchangeError(BamError):
    """A dataset cannot be read or written."""


class DiskFull(BamError):
    """The disk has no room; the message says what was kept."""
