"""Two moments of a dataset side by side: each a snapshot, or the dataset as it is.

In:  a workspace and names. Out: what changed, with the paths of images where they are wanted.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from bam_engine.collection import Image
from bam_engine.freezing.contents import LABELS, Contents, contents_of
from bam_engine.freezing.differences import AttributeDifference, Difference, Images, compare, summary
from bam_engine.freezing.snapshots import NOW, get, opened
from bam_engine.progress import Report, silent
from bam_engine.workspace.core import Workspace


@dataclass(frozen=True, eq=False)
class Moment:
    """A dataset at one moment: what it says, and a workspace that has its images."""

    name: str
    contents: Contents
    workspace: Workspace


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two moments, and what changed from one to the other."""

    before: Moment
    after: Moment
    difference: Difference

    def images(self, images: Images) -> list[Image]:
        """Return the records of images in their order: as they were after, or before where they are there no more."""
        later = {image.row: image for image in self.after.workspace.catalogue.images(images.after[images.after >= 0])}
        gone = images.before[images.after < 0]
        earlier = {image.row: image for image in self.before.workspace.catalogue.images(gone)}
        rows = zip(images.before.tolist(), images.after.tolist(), strict=True)
        return [later[after] if after >= 0 else earlier[before] for before, after in rows]


@contextmanager
def moment(workspace: Workspace, name: str, *, report: Report = silent) -> Iterator[Moment]:
    """Give the snapshot with a name, or, for "now", the dataset as it is.

    Raises
    ------
    BamError
        There is no such snapshot, or it is damaged or of a later version.
    """
    if name == NOW:
        yield Moment(NOW, contents_of(workspace, report=report), workspace)
        return
    snapshot = get(workspace, name)
    contents = snapshot.contents()
    with opened(workspace, snapshot.tables) as frozen:
        yield Moment(name, contents, frozen)


@contextmanager
def comparison(workspace: Workspace, before: str, after: str = NOW, *, report: Report = silent) -> Iterator[Comparison]:
    """Give what changed from the snapshot ``before`` to ``after``, a snapshot or "now"; errors as in :func:`moment`.

    Examples
    --------
    >>> with comparison(workspace, "paper-2026") as changed:  # doctest: +SKIP
    ...     print(summary(changed.difference))
    3 images in, 0 out; 12 labels changed.
    """
    with moment(workspace, before, report=report) as old, moment(workspace, after, report=report) as new:
        yield Comparison(old, new, compare(old.contents, new.contents))


def document(compared: Comparison) -> dict[str, Any]:
    """Return all that changed as values of JSON; an image is its ``digest``, with the ``path`` it was last seen at."""
    difference = compared.difference
    return {
        "before": compared.before.name,
        "after": compared.after.name,
        "summary": summary(difference),
        "images": {
            "before": difference.images_before,
            "after": difference.images_after,
            "in": _images(compared, difference.images_in),
            "out": _images(compared, difference.images_out),
        },
        "settings": [asdict(change) for change in difference.settings],
        "attributes_in": [facts.name for facts in difference.attributes_in],
        "attributes_out": [facts.name for facts in difference.attributes_out],
        "attributes": [_attribute(compared, each) for each in difference.attributes],
    }


def _attribute(compared: Comparison, changed: AttributeDifference) -> dict[str, Any]:
    labels = zip(changed.labels_before.tolist(), changed.labels_after.tolist(), strict=True)
    relabelled = zip(_images(compared, changed.relabelled), labels, strict=True)
    return {
        "name": changed.name,
        "guarantee_broken": changed.broken,
        "facts": [asdict(change) for change in changed.facts],
        "labels": [{**image, "before": LABELS[old], "after": LABELS[new]} for image, (old, new) in relabelled],
        "delivered": {
            "before": changed.delivered_before,
            "after": changed.delivered_after,
            "in": _images(compared, changed.delivered_in),
            "out": _images(compared, changed.delivered_out),
        },
    }


def _images(compared: Comparison, images: Images) -> Sequence[dict[str, Any]]:
    return [{"digest": image.digest, "path": image.uri} for image in compared.images(images)]
