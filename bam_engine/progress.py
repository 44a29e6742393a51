"""How long-running functions report progress and are stopped.

Every long-running function of the engine takes ``report``, a callable that it calls after each finished step. The
caller shows the numbers. To stop the function, the caller raises :class:`~bam_engine.errors.Stopped` inside that call;
the exception passes through, and files and tables stay as they were after the last finished step.
"""

from typing import Protocol


class Report(Protocol):
    """A callable that receives progress."""

    def __call__(self, done: int, total: int | None, message: str = "") -> None:
        """Show that ``done`` of ``total`` steps are finished; ``total`` is None while unknown."""


def silent(done: int, total: int | None, message: str = "") -> None:
    """Ignore progress; the default."""
