"""What people said: attributes, annotators, assignments, answers, and what the annotators agree on."""

from bam_engine.annotation.attributes import KINDS, LONGEST_NAME, Attribute, Attributes, check_name, readable
from bam_engine.annotation.consensus import NO_LABEL, Consensus, consensus
from bam_engine.annotation.store import (
    ADJUDICATION,
    BULK,
    NEGATIVE,
    POSITIVE,
    PURPOSES,
    UNSURE,
    WITHDRAWN,
    Annotation,
    Annotations,
    Annotator,
    Answers,
    Assignment,
    Decisions,
    NewAnswer,
    Saved,
    UnknownAssignment,
)
from bam_engine.annotation.templates import BAM_ATTRIBUTES, Template

__all__ = [
    "ADJUDICATION",
    "BAM_ATTRIBUTES",
    "BULK",
    "KINDS",
    "LONGEST_NAME",
    "NEGATIVE",
    "NO_LABEL",
    "POSITIVE",
    "PURPOSES",
    "UNSURE",
    "WITHDRAWN",
    "Annotation",
    "Annotations",
    "Annotator",
    "Answers",
    "Assignment",
    "Attribute",
    "Attributes",
    "Consensus",
    "Decisions",
    "NewAnswer",
    "Saved",
    "Template",
    "UnknownAssignment",
    "check_name",
    "consensus",
    "readable",
]
