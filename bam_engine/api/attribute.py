"""One attribute of a collection as one object: its labels, its classifier, its threshold, its decisions."""

from collections.abc import Callable
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bam_engine.annotation import Attribute
from bam_engine.api.given_labels import Labels, answers_of
from bam_engine.api.guidelines import Guidelines
from bam_engine.errors import AnnotationError, LearningError
from bam_engine.exchange.label_tables import Vocabulary
from bam_engine.labelling.exporting import image_labels
from bam_engine.labelling.importing import Destination, ImportedLabels, StoredLabels, import_labels, store_labels
from bam_engine.labelling.tasks import validation_task
from bam_engine.learning import ErrorCorrection, Threshold
from bam_engine.progress import Report, silent
from bam_engine.training import extension, recall, recall_proposal, rounds, thresholds, validation
from bam_engine.training.certification_state import CertificationState
from bam_engine.training.delivered import ACCEPTED, OUTCOMES, REASONS, UNDECIDED, Delivered, delivered_of, not_covered
from bam_engine.training.error_correction import correction_at
from bam_engine.training.models import TrainedModel, scores_of
from bam_engine.training.recall import RecallState
from bam_engine.training.recall_proposal import Proposal
from bam_engine.training.thresholds import AttributeThreshold
from bam_engine.workspace import Workspace
from bam_engine.workspace.membership import member_rows

if TYPE_CHECKING:
    from bam_engine.api.torch_data import EmbeddingDataset, ImageDataset

_LABELS = np.array(["no", "yes", None], object)  # by label: 0, 1, -1


class AttributeHandle:
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

    # Labels

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

    # The threshold and what it decides

    def suggest_threshold(
        self, *, precision: float = 0.90, recall: float | None = None, confidence: float = 0.95
    ) -> Threshold:
        """Return the threshold for a target precision, or for a target recall if one is given.

        It is not in use until :meth:`use_threshold`.

        Raises
        ------
        LearningError
            Nothing is trained, the validation sample is not labelled, or no threshold reaches the target.

        Examples
        --------
        >>> threshold = watercolor.suggest_threshold(precision=0.8)
        >>> threshold.precision >= 0.8
        True
        """
        if recall is None:
            return thresholds.suggest(self._workspace, self._attribute, target=precision, confidence=confidence)
        return thresholds.suggest_recall(
            self._workspace, self._attribute, recall=recall, target=precision, confidence=confidence
        )

    def use_threshold(self, threshold: Threshold | float, *, precision: float = 0.90) -> AttributeThreshold:
        """Put a threshold in use: a suggested one, or a score of your own choice.

        ``precision`` is the target that an audit compares a score of your own with.

        Examples
        --------
        >>> watercolor.use_threshold(watercolor.suggest_threshold(precision=0.8)).saved
        True
        >>> watercolor.use_threshold(1.5).value
        1.5
        """
        if not isinstance(threshold, Threshold):
            if not isinstance(threshold, Real) or not np.isfinite(threshold):
                raise LearningError(
                    f"The threshold is {threshold!r}. Give a number, or what suggest_threshold returns."
                )
            if not 0 < precision < 1:
                raise LearningError(
                    f"Target precision must be between 0 and 1, not {precision:g}. Use 0.9, for example."
                )
            threshold = thresholds.measure_at(self._workspace, self._attribute, float(threshold), target=precision)
        return thresholds.save(self._workspace, self._attribute, threshold)

    @property
    def threshold(self) -> AttributeThreshold | None:
        """The threshold in use: the one that was chosen, else the one suggested for a precision of 90%, else None.

        ``threshold.evidence`` is what the validation sample says of it.

        Examples
        --------
        >>> evidence = watercolor.threshold.evidence
        >>> evidence.precision_low <= evidence.precision <= evidence.precision_high
        True
        """
        return thresholds.current_threshold(self._workspace, self._attribute)

    def corrected_for_errors(self, threshold: Threshold | None = None) -> ErrorCorrection | None:
        """Return precision and recall corrected for wrong answers, at a threshold or at the one in use.

        None without a threshold, or where too few images of the samples were answered by several people. It assumes
        that people err independently of each other and on every image as often, and certifies nothing.

        Examples
        --------
        >>> watercolor.corrected_for_errors() is None  # one person answered
        True
        """
        if threshold is None and (current := self.threshold) is not None:
            threshold = current.evidence
        return None if threshold is None else correction_at(self._workspace, self._attribute, threshold)

    def extend_promise(self) -> CertificationState:
        """Extend what is certified at the threshold in use over images that came later.

        Fresh labels are asked among these alone, for the app to collect; call it again to go on once they are given.
        What was promised stands, whatever they show. The state says what is certified and what is missing.

        Raises
        ------
        LearningError
            Nothing is certified, or no image that came later is accepted without a label.

        Examples
        --------
        >>> watercolor.extend_promise()  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        bam_engine.errors.LearningError: Nothing is certified at the threshold of media_watercolor in use, ...
        """
        return extension.extend(self._workspace, self._attribute)

    def propose_recall(self, count: int | None = None) -> Proposal:
        """Return what measuring the recall at the threshold in use would ask, cost and tell; nothing is drawn.

        Raises
        ------
        LearningError
            No threshold was chosen, or all images below it are labelled.

        Examples
        --------
        >>> watercolor.propose_recall()  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        bam_engine.errors.LearningError: No image below the threshold of media_watercolor is without a label: ...
        """
        return recall_proposal.propose(self._workspace, self._attribute, count)

    def measure_recall(self, count: int | None = None, *, seed: int | None = None) -> RecallState:
        """Draw a sample of the images below the threshold in use, for the app to collect labels of; return its state.

        Once it is labelled, ``threshold.evidence.recall`` is what it shows. ``count`` is by default what
        :meth:`propose_recall` says. Where a sample is drawn already, ``count`` more images are asked about; without it,
        none are.

        Raises
        ------
        LearningError
            No threshold was chosen, all images below it are labelled, or those asked about so far are not.

        Examples
        --------
        >>> watercolor.measure_recall(20)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        bam_engine.errors.LearningError: No image below the threshold of media_watercolor is without a label: ...
        """
        return recall.measure(self._workspace, self._attribute, count, seed=seed)

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
