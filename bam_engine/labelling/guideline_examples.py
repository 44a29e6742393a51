"""The example pictures in an attribute's guidelines: what counts, what does not, and what is hard to tell.

In:  images and what each is an example of. Out: :class:`GuidelineExample` records, by kind, in the order of people.

Whoever has seen an example knows its answer, so none is judged blind any more: no sample that is drawn afterwards holds
it (:func:`bam_engine.training.querying.used_rows`). One that a sample holds already, or that a running certification
still draws, is kept from annotators until the sample has its blind answers about it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NoReturn

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine.annotation import Attribute
from bam_engine.errors import AnnotationError, NotFound
from bam_engine.labelling import tasks
from bam_engine.labelling.drawn_images import held_out_rows
from bam_engine.labelling.missing_images import missing_images
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.exclusive import exclusive
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import removed

KINDS: Mapping[str, str] = MappingProxyType({"good": "good example", "bad": "bad example", "corner": "corner case"})
"""What an image can be an example of, and how it reads. An annotator would answer yes, no, or has to read the note."""

MAX_EXAMPLES = 24
"""The most examples of one attribute: more are not looked at, and each is one image less that can judge."""

MAX_NOTE_LENGTH = 200

Rows = NDArray[np.int64]
_table = db.guideline_examples


@dataclass(frozen=True)
class GuidelineExample:
    """One image in the guidelines of an attribute.

    ``removed`` images are not in the collection, ``missing`` ones have no file that can be read. ``drawn`` ones are in
    a sample that judges, and ``waiting`` ones wait for blind answers there.
    """

    row: int
    kind: str
    note: str
    position: int
    removed: bool = False
    missing: bool = False
    drawn: bool = False
    waiting: bool = False

    @property
    def shown(self) -> bool:
        """Whether annotators see it."""
        return not (self.removed or self.missing or self.waiting)

    @property
    def remark(self) -> str:
        """Say why annotators do not see it, or that it judges; empty where there is nothing to say."""
        if self.removed:
            return "Removed from the collection: annotators do not see it."
        if self.missing:
            return "Its file cannot be read: annotators do not see it."
        if self.waiting:
            return "A sample that judges holds it: annotators see it once it is labelled there."
        return "A sample that judges holds it, labelled blind." if self.drawn else ""


@one_flow
def examples_of(workspace: Workspace, attribute: Attribute) -> tuple[GuidelineExample, ...]:
    """Return the examples of an attribute: good ones, bad ones, corner cases, each kind in its order."""
    stored = workspace.snapshot.rows_with(_table.c.attribute_id, attribute.id)
    if not stored:
        return ()
    rows = np.unique([each.row for each in stored])
    gone, drawn = removed(workspace).rows, held_out_rows(workspace, attribute)
    missing, waiting = missing_images(workspace, rows), _waiting(workspace, attribute, np.intersect1d(rows, drawn))
    kinds = list(KINDS)
    return tuple(
        GuidelineExample(
            each.row,
            each.kind,
            each.note,
            each.position,
            removed=each.row in gone,
            missing=each.row in missing,
            drawn=each.row in drawn,
            waiting=each.row in waiting,
        )
        for each in sorted(stored, key=lambda each: (kinds.index(each.kind), each.position, each.id))
    )


def example_rows(workspace: Workspace, attribute: Attribute) -> Rows:
    """Return the rows of the examples of an attribute, ascending, removed images included."""
    stored = workspace.snapshot.rows_with(_table.c.attribute_id, attribute.id)
    return np.array(sorted(each.row for each in stored), np.int64)


def _waiting(workspace: Workspace, attribute: Attribute, judged: Rows) -> Rows:
    """Return those of ``judged`` images about which some annotator may still be asked."""
    if not len(judged):
        return judged
    audits = workspace.snapshot.rows_with(db.audits.c.attribute_id, attribute.id)
    votes = max([workspace.judging_redundancy, *(each.votes or 0 for each in audits)])
    agreed = tasks.labels_by(workspace, attribute, votes, blind=True)
    enough = agreed.counts.sum(axis=1) >= agreed.required
    return np.setdiff1d(judged, agreed.rows[agreed.decided | (enough & (agreed.settled | (agreed.required == 1)))])


def add_examples(
    workspace: Workspace, attribute: Attribute, rows: Sequence[int] | Rows, kind: str, note: str = ""
) -> None:
    """Make images examples of a kind, after those there are; one that is an example already changes its kind.

    Parameters
    ----------
    kind
        A key of ``KINDS``.
    note
        What to see in the images. Without one, an example keeps the note that it has.

    Raises
    ------
    AnnotationError
        The kind is unknown, the note too long, an image is not in the collection, or there would be more than
        ``MAX_EXAMPLES``.
    """
    wanted, note = list(dict.fromkeys(int(row) for row in rows)), _checked_note(note)
    _check_kind(kind)
    for row in wanted:
        if not 0 <= row < len(workspace.catalogue) or row in removed(workspace).rows:
            raise AnnotationError(f"Image {row} is not in the collection. Choose one that is.")
    with exclusive(workspace.engine, _table) as connection:
        stored = {each.row: each for each in connection.execute(_of(attribute))}
        if (total := len(stored.keys() | set(wanted))) > MAX_EXAMPLES:
            raise AnnotationError(
                f"The guidelines of {attribute.name} would have {total} examples; the most are {MAX_EXAMPLES}. Remove "
                "some, or add fewer."
            )
        after = 1 + max((each.position for each in stored.values()), default=-1)
        for place, row in enumerate(wanted, after):
            old = stored.get(row)
            if old is not None and old.kind == kind:
                _update(connection, old.id, note=note or old.note)
            elif old is not None:
                _update(connection, old.id, kind=kind, note=note or old.note, position=place)
            else:
                _insert(connection, attribute, row=row, kind=kind, note=note, position=place)


def change_example(
    workspace: Workspace, attribute: Attribute, row: int, *, kind: str | None = None, note: str | None = None
) -> None:
    """Change the kind or the note of an example.

    Raises
    ------
    NotFound
        The image is no example of the attribute.
    AnnotationError
        The kind is unknown, or the note too long.
    """
    values: dict[str, Any] = {} if note is None else {"note": _checked_note(note)}
    if kind is not None:
        _check_kind(kind)
        values["kind"] = kind
    with exclusive(workspace.engine, _table) as connection:
        old = _one(connection, attribute, row)
        if kind is not None and old.kind != kind:
            values["position"] = 1 + max(each.position for each in connection.execute(_of(attribute)))
        if values:
            _update(connection, old.id, **values)


def move_example(workspace: Workspace, attribute: Attribute, row: int, by: int) -> None:
    """Move an example among those of its kind: ``by`` 1 is one place later, -1 one earlier.

    Raises
    ------
    NotFound
        The image is no example of the attribute.
    """
    with exclusive(workspace.engine, _table) as connection:
        moved = _one(connection, attribute, row)
        order = [each.id for each in connection.execute(_of(attribute)) if each.kind == moved.kind]
        place = order.index(moved.id)
        order.insert(max(0, place + by), order.pop(place))
        for position, key in enumerate(order):
            _update(connection, key, position=position)


def remove_example(workspace: Workspace, attribute: Attribute, row: int) -> GuidelineExample:
    """Take an example out of the guidelines and return it; :func:`restore_example` puts it back.

    Raises
    ------
    NotFound
        The image is no example of the attribute.
    """
    with exclusive(workspace.engine, _table) as connection:
        old = _one(connection, attribute, row)
        connection.execute(sa.delete(_table).where(_table.c.id == old.id))
    return GuidelineExample(old.row, old.kind, old.note, old.position)


def restore_example(workspace: Workspace, attribute: Attribute, example: GuidelineExample) -> None:
    """Put an example back where it was; nothing changes where the image is one again."""
    with exclusive(workspace.engine, _table) as connection:
        if all(each.row != example.row for each in connection.execute(_of(attribute))):
            about = {"row": example.row, "kind": example.kind, "note": example.note, "position": example.position}
            _insert(connection, attribute, **about)


def _of(attribute: Attribute) -> sa.Select[Any]:
    return sa.select(_table).where(_table.c.attribute_id == attribute.id).order_by(_table.c.position, _table.c.id)


def _one(connection: sa.Connection, attribute: Attribute, row: int) -> sa.Row[Any]:
    found = connection.execute(_of(attribute).where(_table.c.row == row)).first()
    return _no_example(attribute, row) if found is None else found


def _no_example(attribute: Attribute, row: int) -> NoReturn:
    raise NotFound(f"Image {row} is no example of {attribute.name}. List the examples to see which images are.")


def _insert(connection: sa.Connection, attribute: Attribute, **values: object) -> None:
    connection.execute(sa.insert(_table).values(attribute_id=attribute.id, made_at=db.now(), **values))


def _update(connection: sa.Connection, key: int, **values: object) -> None:
    connection.execute(sa.update(_table).where(_table.c.id == key).values(**values))


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise AnnotationError(f"{kind!r} is not a kind of example. Choose {', '.join(list(KINDS)[:-1])} or corner.")


def _checked_note(note: str) -> str:
    note = " ".join(note.split())
    if len(note) > MAX_NOTE_LENGTH:
        raise AnnotationError(f"The note has {len(note)} characters; the most are {MAX_NOTE_LENGTH}. Shorten it.")
    return note
