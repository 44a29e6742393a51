"""How long work tells of itself, and how it is stopped.

Every long function of the engine takes ``report``: a callable that it calls after each finished step. The caller shows
the numbers; to stop the work it raises :class:`~bam_engine.errors.Stopped` from inside the call, and the function lets
that pass after leaving its files and tables as they were after the last finished step.
"""

from typing import Protocol


class Report(Protocol):
    """Receives the state of long work."""

    def __call__(self, done: int, total: int | None, message: str = "") -> None:
        """Show that ``done`` of ``total`` steps are finished (``total`` None: not known yet)."""


def silent(done: int, total: int | None, message: str = "") -> None:
    """Report to nobody: the default."""
