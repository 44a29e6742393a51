"""The threshold of one attribute: suggesting, choosing, certifying and measuring it."""

from numbers import Real

import numpy as np

from bam_engine.annotation import Attribute
from bam_engine.errors import LearningError
from bam_engine.learning import ErrorCorrection, Threshold
from bam_engine.training import extension, recall, recall_proposal, thresholds
from bam_engine.training.certification_state import CertificationState
from bam_engine.training.error_correction import correction_at
from bam_engine.training.recall import RecallState
from bam_engine.training.recall_proposal import Proposal
from bam_engine.training.thresholds import AttributeThreshold
from bam_engine.workspace import Workspace


class AttributeThresholds:
    """What an :class:`~bam_engine.AttributeHandle` does with its threshold."""

    _workspace: Workspace
    _attribute: Attribute

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
