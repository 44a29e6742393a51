"""What each role may change: one table of the database's tables, asked before every statement that writes.

Pages and routes show each role what it can do; whatever they forget is refused here. A table that is not named is the
owners'. Reading is for everybody who is signed in. Work in the background writes as the program itself, so each job
states its least role, which is checked when it starts (:func:`check_role`).
"""

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from bam_engine.database import schema
from bam_engine.errors import TeamError
from bam_engine.team.roles import Role

_ANSWERS = (
    *(schema.annotations, schema.annotators, schema.assignment_images, schema.assignments, schema.gold_images),
    *(schema.leases, schema.pauses, schema.remarks, schema.captions, schema.image_tags),
)
_DECISIONS = (
    *(schema.attributes, schema.former_names, schema.guideline_examples, schema.settings, schema.set_aside_answers),
    *(schema.validation_draws, schema.validation_images, schema.rounds, schema.round_images, schema.models),
    *(schema.thresholds, schema.certifications, schema.certification_cuts, schema.certification_images),
    *(schema.audits, schema.audit_images, schema.recall_samples, schema.recall_images),
)
_COMPUTED = (schema.activity, schema.calibrations, schema.measured_thresholds, schema.measurements, schema.revisions)
_PROPOSALS = (schema.proposals, schema.proposal_images, schema.proposal_votes)  # what is decided of them is the owners'
MAY_WRITE: dict[str, Role] = {
    **{table.name: Role.VIEWER for table in _COMPUTED},  # the program writes them for whoever looks
    **{table.name: Role.VIEWER for table in _PROPOSALS},
    **{table.name: Role.ANNOTATOR for table in (*_ANSWERS, schema.saved_views)},
    **{table.name: Role.REVIEWER for table in _DECISIONS},
}
"""The least role that may write to a table, by its name."""


_acting: WeakKeyDictionary[sa.Engine, Callable[[], Role | None]] = WeakKeyDictionary()


def restrict(engine: sa.Engine, role: Callable[[], Role | None]) -> None:
    """Refuse from here on what a role may not write.

    Parameters
    ----------
    role
        Returns the role of whoever acts in this thread, or None for the program itself. May raise to refuse everything.
    """

    def check(_connection: sa.Connection, statement: Any, *_: object) -> None:
        if isinstance(statement, sa.UpdateBase) and isinstance(statement.table, sa.Table):
            check_may_write(statement.table, role())

    _acting[engine] = role
    sa.event.listen(engine, "before_execute", check)


def check_acting(engine: sa.Engine, least: Role) -> None:
    """Raise :class:`TeamError` where whoever acts is below a role: for what the table alone does not tell.

    A setting is one row of a table of reviewers, and a pause is also what the program writes while an annotator works.
    """
    check_role(least, _acting.get(engine, lambda: None)())


def check_may_write(table: sa.Table, role: Role | None) -> None:
    """Raise :class:`TeamError` where a role may not write to a table."""
    check_role(MAY_WRITE.get(table.name, Role.OWNER), role)


def check_role(least: Role, role: Role | None) -> None:
    """Raise :class:`TeamError` where a role is below the least one; None is the program itself, which may do all."""
    if role is not None and role < least:
        raise TeamError(f"This is for {plural(least)}, and you are {with_article(role)}. Ask an owner to do it.")


def plural(role: Role) -> str:
    """Return the people of a role and of those above it, such as "reviewers and owners"."""
    return " and ".join(f"{each}s" for each in Role if each >= role)


def with_article(role: Role) -> str:
    """Return a role with its article, such as "an owner"."""
    return f"{'an' if str(role)[0] in 'aeiou' else 'a'} {role}"
