"""Attributes, annotators, assignments, answers, and consensus.

Importing the package loads values and arithmetic only. The stores, which need a database, are
:class:`~bam_engine.annotation.attribute_store.Attributes` and :class:`~bam_engine.annotation.answer_store.Annotations`.
"""

from bam_engine.annotation.answers import (
    ADJUDICATION,
    BULK,
    DIRECT,
    IMPORT,
    NEGATIVE,
    POSITIVE,
    PURPOSES,
    TASK_PURPOSES,
    UNSURE,
    WITHDRAWN,
    Annotation,
    Annotator,
    Answers,
    Assignment,
    Decisions,
    ForeignAssignment,
    NewAnswer,
    OvertakenAnswer,
    Saved,
    UnknownAssignment,
    UsedUid,
)
from bam_engine.annotation.attributes import KINDS, MAX_NAME_LENGTH, Attribute, check_name, readable
from bam_engine.annotation.consensus import (
    NO_LABEL,
    Consensus,
    Redundancy,
    answered_enough,
    consensus,
    judged_labels,
)
from bam_engine.annotation.templates import BAM_ATTRIBUTES, Template

__all__ = [
    "ADJUDICATION",
    "BAM_ATTRIBUTES",
    "BULK",
    "DIRECT",
    "IMPORT",
    "KINDS",
    "MAX_NAME_LENGTH",
    "NEGATIVE",
    "NO_LABEL",
    "POSITIVE",
    "PURPOSES",
    "TASK_PURPOSES",
    "UNSURE",
    "WITHDRAWN",
    "Annotation",
    "Annotator",
    "Answers",
    "Assignment",
    "Attribute",
    "Consensus",
    "Decisions",
    "ForeignAssignment",
    "NewAnswer",
    "OvertakenAnswer",
    "Redundancy",
    "Saved",
    "Template",
    "UnknownAssignment",
    "UsedUid",
    "answered_enough",
    "check_name",
    "consensus",
    "judged_labels",
    "readable",
]
