"""The labels of one attribute: recording, importing and reading them, and the sample that judges."""

from pathlib import Path

import pandas as pd

from bam_engine.annotation import Attribute
from bam_engine.api.given_labels import Labels, answers_of
from bam_engine.exchange.label_tables import Vocabulary
from bam_engine.labelling.exporting import image_labels
from bam_engine.labelling.importing import Destination, ImportedLabels, StoredLabels, import_labels, store_labels
from bam_engine.labelling.tasks import validation_task
from bam_engine.training import validation
from bam_engine.workspace import Workspace


class AttributeLabels:
    """What an :class:`~bam_engine.AttributeHandle` does with its labels."""

    _workspace: Workspace
    _attribute: Attribute

    def record(self, labels: Labels, *, annotator: str, to: Destination = "training") -> StoredLabels:
        """Store labels as the votes of one annotator; recording the same twice stores it once.

        Parameters
        ----------
        labels
            Row or path → True, False, 1, 0, "yes", "no" or "unsure"; None and nan are no answer. A path may be
            shortened to its end where that is unique, such as a file name.
        annotator
            Who says so. A new answer of the same annotator replaces the one before.
        to
            ``"training"``: labels settle images and train. Those of images that are held out for evaluation are left
            out.
            ``"validation"``: labels answer the validation sample (:meth:`draw_validation`), and no other images.
            Labels of images that were removed from the collection are always left out.

        Raises
        ------
        AnnotationError
            A value means nothing, or a path matches no image or several.

        Examples
        --------
        >>> stored = watercolor.record({0: "yes", 1: False, "painting-02.png": "unsure"}, annotator="ben")
        >>> stored.yes, stored.no, stored.unsure
        (1, 1, 1)
        """
        answers = answers_of(self._workspace.catalogue, labels)
        return store_labels(self._workspace, self._attribute, answers, annotator=annotator, to=to)

    def import_labels(
        self,
        file: str | Path,
        *,
        column: str,
        annotator: str,
        path_column: str = "path",
        positive: tuple[str, ...] = (),
        negative: tuple[str, ...] = (),
        unsure: tuple[str, ...] = (),
        to: Destination = "training",
    ) -> ImportedLabels:
        """Store the labels of a CSV or Parquet file, like ``bam labels import``.

        Parameters
        ----------
        file
            A table with a path and an answer on each line. Paths are absolute, relative to the file's folder, or the
            unique end of an image's path.
        positive, negative, unsure
            The values that mean yes, no and unsure, where they are not the usual words. With ``positive`` alone, every
            other value means no.
        annotator, to
            As in :meth:`record`.

        Returns
        -------
        ImportedLabels
            What was ``stored``, and the paths that are ``unmatched`` or ``ambiguous``.

        Examples
        --------
        >>> imported = watercolor.import_labels(
        ...     "pictures/labels.csv", column="medium", positive=("watercolor",), annotator="ben"
        ... )
        >>> imported.stored.new, imported.stored.left_out, imported.unmatched
        (30, 30, ())
        """
        vocabulary = Vocabulary.of(positive, negative, unsure)
        return import_labels(
            self._workspace,
            self._attribute,
            file,
            column=column,
            annotator=annotator,
            path_column=path_column,
            vocabulary=vocabulary,
            to=to,
        )

    def labels(self) -> pd.DataFrame:
        """Return the label of every image that anyone answered about: what the annotators agree on.

        Columns are ``path``; ``label``, "yes", "no" or "" where none is settled; the votes as ``yes``, ``no`` and
        ``unsure``; and ``decided``, whether an adjudicator decided.

        Examples
        --------
        >>> watercolor.labels()["label"].value_counts().to_dict()
        {'yes': 30, 'no': 30}
        """
        columns = ["row", "path", "label", "yes", "no", "unsure", "decided"]
        lines = image_labels(self._workspace, self._attribute)
        return pd.DataFrame([vars(line) for line in lines], columns=columns).set_index("row")

    def draw_validation(self, count: int = validation.CERTIFYING_SIZE, *, seed: int | None = None) -> list[int]:
        """Draw a random sample on which the classifier is measured, and return the rows that it now has.

        Label it with ``record(..., to="validation")`` or in the app. Nothing trains on it. Each call adds ``count``
        images.

        Examples
        --------
        >>> landscape = bam.add_attribute("landscape", "Is it a landscape?")
        >>> len(landscape.draw_validation(30))
        30
        """
        validation.draw_validation(self._workspace, self._attribute, count, seed=seed)
        return [int(row) for row in validation_task(self._workspace, self._attribute).rows]
