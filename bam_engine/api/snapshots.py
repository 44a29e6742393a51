"""The snapshots of a collection: the dataset as it was, and what has changed since."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from bam_engine.freezing import exporting, moments, restoring, snapshots
from bam_engine.freezing.snapshots import NOW, DatasetSnapshot
from bam_engine.progress import Report, silent
from bam_engine.reporting.export import form_of
from bam_engine.workspace import Workspace

_SNAPSHOTS = ["name", "made_at", "made_by", "note", "images", "answers", "attributes", "size", "digest"]
_CHANGES = ["change", "attribute", "path", "before", "after"]
_NOTHING = dict.fromkeys(_CHANGES, "")


class Snapshots:
    """What a :class:`~bam_engine.Collection` does with its snapshots."""

    workspace: Workspace

    def snapshots(self) -> pd.DataFrame:
        """Return the snapshots, newest first, as a DataFrame.

        Its columns are name, made_at (UTC), made_by, note, images, answers, attributes (how many of each), size (bytes)
        and digest (SHA-256 of its tables, in hexadecimal).

        Examples
        --------
        >>> bam.make_snapshot("first").name, bam.snapshots()["name"].tolist()
        ('first', ['first'])
        """
        found = snapshots.snapshots(self.workspace)
        rows = [{**vars(one), "attributes": len(one.attributes)} for one in found]
        return pd.DataFrame(rows, columns=_SNAPSHOTS)

    def make_snapshot(self, name: str, *, note: str = "", by: str = "", report: Report = silent) -> DatasetSnapshot:
        """Freeze images, labels, decisions and evidence as they are at this moment; others may go on working.

        Images are not copied: a snapshot holds their digests and places. Accounts and passwords are not in it.

        Parameters
        ----------
        name
            Up to 64 letters (a to z), digits, hyphens, underscores and full stops.
        note
            What it is for.
        by
            Who makes it.

        Raises
        ------
        BamError
            There are no images, the name is taken or none, or the files cannot be written; nothing is left then.

        Examples
        --------
        >>> made = bam.make_snapshot("paper-2026", note="what the paper used")
        >>> made.images, [facts.name for facts in made.attributes]
        (60, ['media_watercolor'])
        """
        return snapshots.create(self.workspace, name, note=note, by=by, report=report)

    def compare_snapshots(self, before: str, after: str = NOW) -> pd.DataFrame:
        """Return what changed from the snapshot ``before`` to ``after``: another one, or "now", the dataset as it is.

        Returns
        -------
        DataFrame
            A row for each change, with the columns change, attribute, path, before and after. The change is "image in"
            or "image out" (of the collection), "label" (of an image, from what to what), "delivered in" or "delivered
            out", "attribute in" or "attribute out", or a fact of the attribute: "name", "question", "guidelines",
            "encoder", "classifier", "threshold", "guarantee" or "audit". ``attrs["summary"]`` counts them in words.

        Raises
        ------
        NotFound
            There is no such snapshot.
        BamError
            A snapshot is damaged, or of a later version of the program.

        Examples
        --------
        >>> made = bam.make_snapshot("paper")
        >>> bam.remove_images([3], reason="a test")
        1
        >>> bam.compare_snapshots("paper").loc[0, ["change", "before", "after"]].tolist()
        ['image out', '', '']
        """
        with moments.comparison(self.workspace, before, after) as compared:
            found = moments.document(compared)
        frame = pd.DataFrame([{**_NOTHING, **change} for change in _changes(found)], columns=_CHANGES)
        frame.attrs["summary"] = found["summary"]
        return frame

    def restore_snapshot(self, name: str, *, by: str = "", report: Report = silent) -> DatasetSnapshot:
        """Bring the dataset back as it was in a snapshot; return a new snapshot of what there was before.

        Accounts and sessions stay as they are, and so do the names of annotators and the places of files that have
        moved since. One of an earlier version of the program is brought up to date first.

        Raises
        ------
        BamError
            There is no such snapshot, it is damaged or of a later version, or somebody went on working meanwhile; the
            dataset is as it was.

        Examples
        --------
        >>> made = bam.make_snapshot("before-cleaning")
        >>> bam.remove_images([3, 4], reason="a test")
        2
        >>> before = bam.restore_snapshot("before-cleaning")
        >>> len(bam), before.images
        (60, 58)
        """
        return restoring.restore(self.workspace, name, by=by, report=report)

    def export_snapshot(
        self, name: str, target: str | Path, *, form: str | None = None, report: Report = silent
    ) -> list[Path]:
        """Write the dataset of a snapshot as ``export`` writes that of now; return the files.

        Parameters
        ----------
        form
            As for ``export``; by the end of the target's name, or SQLite, if it is None.

        Raises
        ------
        BamError
            As for :meth:`restore_snapshot`, or the vectors that its scores came from are not there any more.

        Examples
        --------
        >>> made = bam.make_snapshot("handed-on")
        >>> [path.name for path in bam.export_snapshot("handed-on", "handed-on.sqlite")]
        ['handed-on.sqlite']
        """
        form = form_of(Path(target)) if form is None else form
        return exporting.export_snapshot(self.workspace, name, Path(target), form=form, report=report)

    def remove_snapshot(self, name: str) -> None:
        """Remove a snapshot; images and the dataset as it is stay.

        Examples
        --------
        >>> made = bam.make_snapshot("draft")
        >>> bam.remove_snapshot("draft")
        """
        snapshots.remove(self.workspace, name)


def _changes(found: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Yield a row for each change of a comparison's document."""
    for way in ("in", "out"):
        yield from ({"change": f"image {way}", "path": image["path"]} for image in found["images"][way])
        yield from ({"change": f"attribute {way}", "attribute": name} for name in found[f"attributes_{way}"])
    for each in found["attributes"]:
        name = {"attribute": each["name"]}
        for fact in each["facts"]:
            yield {**name, "change": fact["what"], "before": fact["before"], "after": fact["after"]}
        for label in each["labels"]:
            yield {**name, "change": "label", "path": label["path"], "before": label["before"], "after": label["after"]}
        for way in ("in", "out"):
            yield from ({**name, "change": f"delivered {way}", "path": one["path"]} for one in each["delivered"][way])
