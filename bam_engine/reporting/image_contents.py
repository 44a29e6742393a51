"""What an export of images contains: which images, what is said of them, and in which split they are.

In:  a :class:`Content`. Out: the table that ``exchange`` writes. Which format it becomes is not known here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bam_engine.collection.originals import original_at
from bam_engine.demo import demo_workspace
from bam_engine.errors import ExchangeError
from bam_engine.exchange.dataset import AttributeColumns, Codes
from bam_engine.exchange.image_table import ImageTable
from bam_engine.exchange.splits import groups_of, split_groups
from bam_engine.gallery import problems
from bam_engine.gallery.near_duplicates import linked_images
from bam_engine.gallery.tag_facet import tags_at
from bam_engine.labelling.tasks import attribute_of
from bam_engine.progress import Report, silent
from bam_engine.reporting.decided import Decided, decide
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import member_rows

SHARES = (0.8, 0.1, 0.1)
"""The usual shares of training, validation and test."""

_IMAGE = ("id", "uri", "url", "status", "title", "project_id")
_FIELDS = (*_IMAGE, "width", "height", "mature_content", "license", "digest")


@dataclass(frozen=True)
class Content:
    """What an export of images contains.

    Attributes
    ----------
    attributes
        The names of its attributes; all if there is none.
    accepted
        Only the images that are accepted for at least one of these.
    shares
        The shares of training, validation and test; None: no splits.
    seed
        Of the splits.
    """

    attributes: Sequence[str] = ()
    accepted: bool = False
    shares: Sequence[float] | None = None
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Gathered:
    """The images of an export: their rows, the table of them, and what is said of each attribute."""

    rows: NDArray[np.int64]
    table: ImageTable
    decided: Sequence[Decided]


def gather_images(
    workspace: Workspace, content: Content, encoders: Mapping[str, str], *, report: Report = silent
) -> Gathered:
    """Return the images of an export and the table of them; near-duplicates are searched for where splits need it.

    Raises
    ------
    ExchangeError
        There are no images, no attributes, or no image is accepted; an attribute has no result of the encoder that is
        given for it; or splits are wanted and nothing is embedded.
    """
    rows, decided = _decided(workspace, content, encoders)
    columns = [each.columns() for each in decided]
    if content.accepted:
        kept = np.any([each.accepted == 1 for each in columns], axis=0)
        if not kept.any():
            raise ExchangeError(
                "No image is accepted, so nothing would be exported. Choose a threshold, or export all."
            )
        rows, columns = rows[kept], [_only(each, kept) for each in columns]
    splits = None if content.shares is None else _splits(workspace, rows, content, report)
    inside = np.zeros(len(workspace.catalogue), bool)
    inside[rows] = True
    table = ImageTable(
        len(rows),
        columns,
        lambda: workspace.catalogue.fields(_FIELDS, inside),
        splits,
        demo_workspace.demo(workspace) is not None,
        tags_at(workspace, rows),
        _problems(workspace, rows),
        partial(original_at, buckets=workspace.catalogue.buckets()),
    )
    return Gathered(rows, table, decided)


def _problems(workspace: Workspace, rows: NDArray[np.int64]) -> Callable[[int], Sequence[str] | None] | None:
    flags = problems.flags(workspace, len(workspace.catalogue))[rows]
    if not flags.any():
        return None
    return lambda place: problems.names_of(int(flags[place])) if flags[place] else None


@one_flow
def _decided(
    workspace: Workspace, content: Content, encoders: Mapping[str, str]
) -> tuple[NDArray[np.int64], list[Decided]]:
    """Return the rows of the collection and what is decided about them, of one state of the database."""
    rows = member_rows(workspace)
    if not len(rows):
        raise ExchangeError("There are no images to export. Add a folder of images first.")
    attributes = [attribute_of(workspace, name) for name in content.attributes] or workspace.attributes.all()
    if not attributes:
        raise ExchangeError("There are no attributes, so no image has a label. Add an attribute first.")
    given = {attribute_of(workspace, name).id: encoder for name, encoder in encoders.items()}
    if not given.keys() <= {each.id for each in attributes}:
        raise ExchangeError("An encoder is given for an attribute that is not exported. Export it, too.")
    return rows, [decide(workspace, each, rows, given.get(each.id)) for each in attributes]


def _only(columns: AttributeColumns, kept: NDArray[np.bool_]) -> AttributeColumns:
    arrays = {name: getattr(columns, name)[kept] for name in ("crowd", "label", "why", "accepted")}
    scores = None if columns.scores is None else columns.scores[kept]
    return replace(columns, scores=scores, **arrays)


def _splits(workspace: Workspace, rows: NDArray[np.int64], content: Content, report: Report) -> Codes:
    """Return the split of each of ``rows``: images of one project and near-duplicates are in one, removed ones too.

    The groups are those of the whole collection, so that a choice of images changes the split of none.
    """
    if len(workspace.vectors()) == 0:
        raise ExchangeError(
            "Splits have near-duplicates on one side, and these are not known, since no image is embedded. Embed the "
            "images first, or export without splits."
        )
    linked = linked_images(workspace, report=report).astype(np.int64)
    groups = groups_of(workspace.catalogue.projects(), linked)
    digests = workspace.catalogue.digests().array[: len(groups)]
    return split_groups(groups, digests[:, 0] ^ digests[:, 1], content.shares or SHARES, seed=content.seed)[rows]
