"""What a dataset says at one moment: which images it has, and of each attribute what is labelled, decided and promised.

In:  a workspace. Out: arrays over its images, and a few facts for each attribute, which can be stored and compared with
those of another moment. An image is its bytes, so that it is the same one under another name or number.
"""

import math
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine.annotation import Attribute
from bam_engine.errors import BamError
from bam_engine.formatting import percent, percent_at_least
from bam_engine.learning import Threshold
from bam_engine.progress import Report, silent
from bam_engine.reporting import results
from bam_engine.reporting.results import Result
from bam_engine.training.delivered import Reason, delivered_at
from bam_engine.training.models import check_scored, scores_of
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import members

LABELS = ("no label", "yes", "no", "unsure or disputed")
"""What people say about an image, by the codes of :attr:`AttributeContents.labels`."""

_LABELS = np.zeros(len(Reason), np.uint8)
_LABELS[[Reason.PEOPLE_YES, Reason.PEOPLE_NO, Reason.PEOPLE_UNSURE]] = 1, 2, 3

Proportion = tuple[float, float, float]
"""An estimate and the ends of its interval."""

_SAMPLED = 10_000


@dataclass(frozen=True)
class Facts:
    """What is decided and promised about an attribute.

    ``id`` and ``made_at`` tell it from others, whatever it is called. Without a classifier ``encoder`` and ``model``
    are empty; without a threshold ``threshold`` and what follows it. ``promise`` says what is guaranteed, and is empty
    where nothing is; ``guaranteed`` has its precision, recall and confidence, 0 for what it does not state, and is None
    where the snapshot is of a version that did not store it. ``taken_back`` says which promise does not hold any more.
    ``evidence`` is all that is known of the threshold, in words, and ``audit`` what its newest complete audit found.
    """

    id: int
    made_at: str
    name: str
    question: str
    instructions: str
    encoder: str = ""
    model: str = ""
    threshold: float | None = None
    saved: bool = False
    promise: str = ""
    guaranteed: tuple[float, float, float] | None = None
    taken_back: str = ""
    evidence: str = ""
    precision: Proportion | None = None
    recall: Proportion | None = None
    audit: str = ""


@dataclass(frozen=True, eq=False)
class AttributeContents:
    """The facts of an attribute, and why each of the n images is accepted or not.

    Attributes
    ----------
    reasons
        uint8 (n,), of ``Reason``.
    sampled_scores
        The scores of the images at :func:`sampled_rows`, float32, NaN without a vector: other vectors are known by
        them. Empty without a classifier, and in snapshots of versions that did not store them.
    """

    facts: Facts
    reasons: NDArray[np.uint8]
    sampled_scores: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))

    @property
    def labels(self) -> NDArray[np.uint8]:
        """What people agree on, uint8 (n,): places in :data:`LABELS`."""
        return _LABELS[self.reasons]

    @property
    def delivered(self) -> NDArray[np.bool_]:
        """Which images are delivered, bool (n,)."""
        return np.isin(self.reasons, (Reason.PEOPLE_YES, Reason.CLASSIFIER_YES))


@dataclass(frozen=True, eq=False)
class Contents:
    """What a dataset says of its n images, by row.

    Attributes
    ----------
    digests
        The first 16 bytes of each image's SHA-256, uint64 (n, 2).
    members
        Which images are in the collection and not removed from it, bool (n,).
    attributes
        Those that are in use, in the order of their definition.
    votes
        How many people must agree on an image, and on one that judges.
    """

    digests: NDArray[np.uint64]
    members: NDArray[np.bool_]
    attributes: tuple[AttributeContents, ...]
    votes: tuple[int, int] = (1, 1)

    @property
    def images(self) -> int:
        """The number of images in the collection."""
        return int(self.members.sum())


@one_flow
def contents_of(workspace: Workspace, *, report: Report = silent) -> Contents:
    """Return what the dataset of a workspace says at this moment, with the encoder in use.

    Raises
    ------
    LearningError
        A classifier has no vectors to score: what it delivers cannot be told.
    """
    attributes = workspace.attributes.all()
    found = []
    for done, attribute in enumerate(attributes):
        report(done, len(attributes), "reading what is decided")
        found.append(_contents_of(workspace, attribute))
    return Contents(
        workspace.catalogue.digests().array,
        members(workspace),
        tuple(found),
        (workspace.redundancy, workspace.judging_redundancy),
    )


def _contents_of(workspace: Workspace, attribute: Attribute) -> AttributeContents:
    result = results.chosen(workspace, attribute)
    if result is not None:
        check_scored(workspace, result.model)
    threshold = None if result is None else result.threshold
    delivered = delivered_at(
        workspace, attribute, None if threshold is None else threshold.value, None if result is None else result.model
    )
    facts = _facts(workspace, attribute, result)
    if result is None:
        return AttributeContents(facts, delivered.reasons)
    scores = scores_of(workspace, attribute, result.model)
    return AttributeContents(facts, delivered.reasons, scores[sampled_rows(len(scores))])


def sampled_rows(n: int) -> NDArray[np.int64]:
    """Return the rows of n images whose scores a snapshot keeps: at most 10,000, evenly spaced."""
    return np.unique(np.linspace(0, max(n - 1, 0), min(n, _SAMPLED)).astype(np.int64))


def _facts(workspace: Workspace, attribute: Attribute, result: Result | None) -> Facts:
    (row,) = workspace.snapshot.rows_with(db.attributes.c.id, attribute.id)
    facts = Facts(attribute.id, row.made_at, attribute.name, attribute.question, attribute.instructions)
    if result is None:
        return facts
    facts = replace(facts, encoder=result.encoder, model=result.model.digest)
    threshold = result.threshold
    if threshold is None:
        return facts
    return replace(
        facts,
        threshold=threshold.value,
        saved=threshold.saved,
        promise=_promise(threshold.evidence),
        guaranteed=_guaranteed(threshold.evidence),
        taken_back=threshold.taken_back,
        evidence=threshold.finding,
        precision=_proportion(threshold.evidence.precision_interval),
        recall=_proportion(threshold.evidence.recall_interval),
        audit=result.short_words if result.standing == "audited" else "",
    )


def _promise(evidence: Threshold) -> str:
    """Return what is guaranteed, without the estimates beside it; "" where nothing is."""
    if evidence.recall_target is not None:
        return evidence.promise
    if not evidence.certified:
        return ""
    return f"Precision is at least {percent(evidence.target)} with {percent_at_least(evidence.confidence)} confidence."


def _guaranteed(evidence: Threshold) -> tuple[float, float, float]:
    """Return the precision, the recall and the confidence that are guaranteed."""
    if evidence.recall_target is not None:
        return 0.0, evidence.recall_target, evidence.confidence
    return (evidence.target, 0.0, evidence.confidence) if evidence.certified else (0.0, 0.0, 0.0)


def _proportion(interval: Proportion) -> Proportion | None:
    return None if any(map(math.isnan, interval)) else interval


# Files --------------------------------------------------------------------------------------------------------------


def facts_from(stored: dict[str, Any]) -> Facts:
    """Return facts that were stored as a dictionary; what a later version adds is left out."""
    known = {field.name for field in fields(Facts)}
    values: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in stored.items()}
    return Facts(**{name: value for name, value in values.items() if name in known})


def write_arrays(contents: Contents, file: Path) -> None:
    """Write the arrays to a new file; the facts are stored elsewhere."""
    reasons = {f"reasons-{number}": each.reasons for number, each in enumerate(contents.attributes)}
    scores = {f"scores-{number}": each.sampled_scores for number, each in enumerate(contents.attributes)}
    arrays: dict[str, Any] = {"digests": contents.digests, "members": contents.members, **reasons, **scores}
    np.savez_compressed(file, **arrays)


def read_arrays(file: Path, facts: list[Facts], votes: tuple[int, int]) -> Contents:
    """Return what :func:`write_arrays` wrote, with the ``facts`` of its attributes in the same order and the votes.

    Raises
    ------
    BamError
        The file is damaged.
    """
    try:
        with file.open("rb") as content, np.load(content) as stored:
            attributes = [_read_attribute(stored, number, each) for number, each in enumerate(facts)]
            return Contents(stored["digests"], stored["members"], tuple(attributes), votes)
    except Exception as error:  # numpy raises many kinds
        raise BamError(f"The file {file} of a snapshot is missing or damaged. Bring it back from a backup.") from error


def _read_attribute(stored: Any, number: int, facts: Facts) -> AttributeContents:
    reasons, scores = stored[f"reasons-{number}"], f"scores-{number}"
    return AttributeContents(facts, reasons, stored[scores]) if scores in stored else AttributeContents(facts, reasons)
