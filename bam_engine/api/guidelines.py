"""The guidelines of an attribute: what counts, in words and in example pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from bam_engine.annotation import Attribute
from bam_engine.api.given_labels import row_of
from bam_engine.collection.matching import rows_of_paths
from bam_engine.labelling.guideline_examples import add_examples, examples_of, remove_example
from bam_engine.workspace import Workspace

Image = int | str | Path
Kind = Literal["good", "bad", "corner"]


@dataclass(frozen=True)
class Guidelines:
    """What annotators read and see before they answer; get it from :attr:`AttributeHandle.guidelines`.

    Images are given by row or by path, which may be shortened to its end where that is unique.

    Examples
    --------
    >>> guidelines = watercolor.guidelines
    >>> guidelines.add(["painting-00.png", 1], "good", note="pigment runs into wet paper")
    >>> guidelines.examples()[["kind", "note"]].loc[1].tolist()
    ['good', 'pigment runs into wet paper']
    >>> guidelines.remove(1)
    >>> len(guidelines.examples())
    1
    """

    _workspace: Workspace
    _attribute: Attribute

    @property
    def text(self) -> str:
        """What counts and what does not, in words."""
        return self._attribute.instructions

    def examples(self) -> pd.DataFrame:
        """Return the example pictures: good ones, bad ones, corner cases, by row.

        Columns are ``path``; ``kind``, "good", "bad" or "corner"; ``note``; ``shown``, whether annotators see it; and
        ``remark``, why not, or that a sample that judges holds it.
        """
        found = examples_of(self._workspace, self._attribute)
        uris = self._workspace.catalogue.uris()
        lines = [
            {
                "row": each.row,
                "path": uris[each.row],
                "kind": each.kind,
                "note": each.note,
                "shown": each.shown,
                "remark": each.remark,
            }
            for each in found
        ]
        return pd.DataFrame(lines, columns=["row", "path", "kind", "note", "shown", "remark"]).set_index("row")

    def add(self, images: Image | Sequence[Image], kind: Kind, *, note: str = "") -> None:
        """Make images examples; one that is an example already changes its kind, and its note if one is given.

        No sample that is drawn afterwards holds them, since their answer is shown. One that a sample holds already is
        not shown until it is labelled there.

        Raises
        ------
        AnnotationError
            The kind is unknown, the note too long, an image is not in the collection, or there would be too many.
        NotFound
            A path matches no image, or several.
        """
        several = [images] if isinstance(images, int | str | Path) else list(images)
        add_examples(self._workspace, self._attribute, [self._row(image) for image in several], kind, note)

    def remove(self, image: Image) -> None:
        """Take an image out of the examples.

        Raises
        ------
        NotFound
            It is no example, or the path matches no image, or several.
        """
        remove_example(self._workspace, self._attribute, self._row(image))

    def _row(self, image: Image) -> int:
        if isinstance(image, str | Path):
            return rows_of_paths(self._workspace.catalogue, [str(image)])[str(image)]
        return row_of(image)
