"""One attribute of a collection as one object: its labels, its classifier, its threshold, its decisions."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bam_engine.annotation import Attribute
from bam_engine.api.attribute_labels import AttributeLabels
from bam_engine.api.attribute_thresholds import AttributeThresholds
from bam_engine.api.guidelines import Guidelines
from bam_engine.errors import AnnotationError, LearningError
from bam_engine.progress import Report, silent
from bam_engine.training import rounds
from bam_engine.training.delivered import ACCEPTED, OUTCOMES, REASONS, UNDECIDED, Delivered, delivered_of, not_covered
from bam_engine.training.models import TrainedModel, scores_of
from bam_engine.workspace import Workspace
from bam_engine.workspace.membership import member_rows

if TYPE_CHECKING:
    from bam_engine.api.torch_data import EmbeddingDataset, ImageDataset

_LABELS = np.array(["no", "yes", None], object)  # by label: 0, 1, -1


class AttributeHandle(AttributeLabels, AttributeThresholds):
    """A yes/no question about the images of a collection.

    Get one from :meth:`Collection.attribute` or :meth:`Collection.add_attribute`. The index of every DataFrame and
    Series is the row of the image.

    Examples
    --------
    >>> watercolor = bam.attribute("media_watercolor")
    >>> watercolor
    <AttributeHandle media_watercolor: Is the picture a watercolour?>
    """

    def __init__(self, workspace: Workspace, attribute: Attribute) -> None:
        self._workspace = workspace
        self._attribute = attribute

    @property
    def name(self) -> str:
        """The name, which is a column of the dataset."""
        return self._attribute.name

    @property
    def question(self) -> str:
        """What annotators are asked."""
        return self._attribute.question

    @property
    def instructions(self) -> str:
        """What counts and what does not."""
        return self._attribute.instructions

    @property
    def guidelines(self) -> Guidelines:
        """What annotators read, and the example pictures that they see."""
        return Guidelines(self._workspace, self._attribute)

    def __repr__(self) -> str:
        return f"<AttributeHandle {self.name}: {self.question}>"

    def rename(self, name: str) -> "AttributeHandle":
        """Give the attribute another name, and return it; the old name still finds it.

        Raises
        ------
        AnnotationError
            The name is invalid or taken.

        Examples
        --------
        >>> bam.attribute("media_watercolor").rename("is_watercolor").rename("media_watercolor").name
        'media_watercolor'
        """
        return AttributeHandle(self._workspace, self._workspace.attributes.rename(self._attribute.id, name))

    def archive(self) -> None:
        """Put the attribute out of the way; :meth:`Collection.restore_attribute` brings it back.

        Examples
        --------
        >>> watercolor.archive()
        >>> watercolor = bam.restore_attribute("media_watercolor")
        """
        self._workspace.attributes.archive(self._attribute.id)

    # The classifier

    def train(self, *, report: Report = silent) -> TrainedModel:
        """Train on the labels there are, score every image, and measure the result on the validation sample.

        Returns
        -------
        TrainedModel
            ``labels`` is the number of labels, ``measurement`` what was measured.

        Raises
        ------
        LearningError
            There are no labels of both kinds.

        Examples
        --------
        >>> model = watercolor.train()
        >>> model.labels
        30
        """
        return rounds.train(self._workspace, self._attribute, report=report)

    def scores(self) -> pd.Series:
        """Return the score of every image: float32, higher is more likely yes; nan where there is no embedding.

        Raises
        ------
        LearningError
            Nothing is trained yet.

        Examples
        --------
        >>> scores = watercolor.scores()
        >>> bool(scores[0] > scores[1])
        True
        """
        rows = member_rows(self._workspace)
        return pd.Series(self._all_scores()[rows], pd.Index(rows, name="row"), name=self.name)

    def _all_scores(self) -> NDArray[np.float32]:
        scores = np.full(len(self._workspace.catalogue), np.nan, np.float32)
        known = scores_of(self._workspace, self._attribute)[: len(scores)]
        scores[: len(known)] = known
        return scores

    # What the threshold decides

    def slices(self, *, by: str | None = None) -> pd.DataFrame:
        """Return precision, prevalence and recall by saved view, or by value of a facet, the least precise first.

        The index is the name of the slice; the first line, "all images", is the whole. Columns are ``images``,
        ``accepted``, and for each of ``precision``, ``prevalence``, ``recall`` and the ``difference`` in precision from
        all other images its value, with ``_low`` and ``_high``, the limits of its 95% interval; ``labels`` and
        ``random_labels``, on which precision and prevalence rest; ``more`` and ``more_random``, about how many further
        ones would narrow them to 5 points; ``differs``, whether the precision differs by more than chance explains,
        allowing for how many slices there are (Holm); and ``problem``, why a slice has no figures.

        Parameters
        ----------
        by
            A facet, such as ``"colour"``, ``"year"`` or ``"project"``: a slice for each of its most frequent values.

        Raises
        ------
        NoThreshold
            No threshold is in use.

        Examples
        --------
        >>> int(watercolor.slices(by="format").loc["all images", "images"])
        60
        """
        from bam_engine.api.slice_table import slice_table

        return slice_table(self._workspace, self._attribute, by)

    def decisions(self) -> pd.DataFrame:
        """Return what is delivered at the threshold in use, and why, for every image.

        Columns are ``path``; ``decision``, "accepted", which means delivered, "rejected" or "undecided"; ``score``;
        ``label``, what people agree on, "yes", "no" or None; ``reason``; and ``covered``, False for images that the
        evidence for the threshold is not about, most of which came later. People come before the classifier: an
        image labelled yes is accepted and one labelled no rejected, whatever its score. The evidence for all of them
        together is that of :attr:`threshold`.

        Raises
        ------
        LearningError
            No threshold is in use.

        Examples
        --------
        >>> watercolor.decisions().loc[0, ["decision", "label", "reason"]].tolist()
        ['accepted', 'yes', 'by people: labelled yes']
        """
        delivered = self._delivered()
        columns: dict[str, Any] = {
            "path": self._workspace.catalogue.uris(),
            "decision": pd.Series(delivered.outcomes).map(OUTCOMES).astype("category"),
            "score": self._all_scores(),
            "label": pd.Series(_LABELS[delivered.labels], dtype=object),
            "reason": pd.Series(delivered.reasons).map(REASONS).astype("category"),
            "covered": ~not_covered(self._workspace, self._attribute),
        }
        table = pd.DataFrame(columns)
        table.index.name = "row"
        return table.loc[member_rows(self._workspace)]

    def _delivered(self) -> Delivered:
        delivered = delivered_of(self._workspace, self._attribute)
        if delivered.threshold is None:
            raise LearningError(f"{self.name} has no threshold yet, so nothing is decided. Train, then choose one.")
        return delivered

    # For training a network

    def torch_dataset(
        self,
        inputs: Literal["images", "embeddings"] = "images",
        *,
        labels: Literal["people", "threshold"] = "people",
        transform: Callable[[Any], Any] | None = None,
    ) -> "ImageDataset | EmbeddingDataset":
        """Return a ``torch.utils.data.Dataset`` of (input, label) with labels 1 and 0, for a ``DataLoader``.

        Parameters
        ----------
        inputs
            ``"images"``: each image as a PIL image in RGB, as the datasets of torchvision give them.
            ``"embeddings"``: its embedding as a float32 tensor (d,).
        labels
            ``"people"``: images with a settled label. ``"threshold"``: what is delivered and what is rejected at the
            threshold in use, as :meth:`decisions` says.
        transform
            Called with each input, such as the transforms of torchvision.

        Returns
        -------
        Dataset
            Its ``rows`` and ``labels`` are arrays, by position. It can be pickled, and so be read by worker processes.

        Examples
        --------
        >>> dataset = watercolor.torch_dataset("embeddings")
        >>> vector, label = dataset[0]
        >>> vector.shape == (bam.embeddings().shape[1],), label
        (True, 1)
        """
        from bam_engine.api.torch_data import embeddings_with_labels, images_with_labels

        if inputs not in ("images", "embeddings"):
            raise AnnotationError(f"Inputs cannot be '{inputs}'. Choose images or embeddings.")
        dataset = images_with_labels if inputs == "images" else embeddings_with_labels
        return dataset(self._workspace, *self._targets(labels), transform)

    def _targets(self, labels: str) -> tuple[np.ndarray, np.ndarray]:
        if labels == "people":
            table = self.labels()
            table = table[table["label"] != ""]
            return table.index.to_numpy(np.int64), (table["label"] == "yes").to_numpy(np.int64)
        if labels == "threshold":
            outcomes = self._delivered().outcomes
            rows = np.flatnonzero(outcomes != UNDECIDED)
            return rows, (outcomes[rows] == ACCEPTED).astype(np.int64)
        raise AnnotationError(f"Labels cannot come from '{labels}'. Choose people or threshold.")
