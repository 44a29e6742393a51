"""What a proposal is, with its votes: an attribute that people want the next version of the dataset to have."""

from collections.abc import Mapping
from dataclasses import dataclass

from bam_engine.annotation.annotator_store import merged_into
from bam_engine.database import Snapshot, proposal_decisions, proposal_images, proposal_votes, proposals

OPEN, WITHDRAWN, ACCEPTED, MERGED, DECLINED = "open", "withdrawn", "accepted", "merged", "declined"
"""What a proposal can be."""

MAX_QUESTION, MAX_REASON, MAX_NOTE = 200, 1000, 500
"""The most characters of a question, of why it should be asked, and of what an owner writes about a decision."""

MAX_EXAMPLES, MAX_OPEN = 12, 20
"""The most example images of a proposal, and the most open proposals of one person."""


@dataclass(frozen=True)
class Proposal:
    """A question that somebody proposes.

    Attributes
    ----------
    name, question, reason
        What the attribute would be called, what annotators would be asked, and why; the reason may be empty.
    annotator_id
        Whoever proposes it; of merged annotators the one who counts.
    rows
        Example images, in the order of the proposer.
    voters
        The ids of the people who want it, ascending: the proposer, whoever voted for it, and those of what was
        merged into it. A person counts once.
    proposers
        Those of the voters who proposed it, or what was merged into it, ascending.
    absorbed
        Whether another was merged into it.
    state
        ``OPEN``, ``WITHDRAWN``, ``ACCEPTED``, ``MERGED`` or ``DECLINED``.
    attribute_id
        Of an accepted one the attribute that it became, of a merged one that into which it was merged; else None.
    into_id
        The proposal into which it was merged, or None.
    note
        What the owner wrote about the decision.
    decided_at
        When it was decided or withdrawn; empty for an open one.
    """

    id: int
    name: str
    question: str
    reason: str
    annotator_id: int
    made_at: str
    rows: tuple[int, ...]
    voters: tuple[int, ...]
    proposers: tuple[int, ...]
    absorbed: bool
    state: str = OPEN
    attribute_id: int | None = None
    into_id: int | None = None
    note: str = ""
    decided_at: str = ""


def read_proposals(snapshot: Snapshot) -> list[Proposal]:
    """Return all proposals by their ids."""
    decisions = {one.proposal_id: one for one in snapshot.rows(proposal_decisions)}
    stored = snapshot.rows(proposals)
    by_id = {one.id: one for one in stored}
    examples: dict[int, list[tuple[int, int]]] = {}
    for one in snapshot.rows(proposal_images):
        examples.setdefault(one.proposal_id, []).append((one.position, one.row))
    people, into, votes = merged_into(snapshot), _merges(snapshot), dict[int, set[int]]()
    for one in snapshot.rows(proposal_votes):
        votes.setdefault(one.proposal_id, set()).add(people.get(one.annotator_id, one.annotator_id))
    listed = []
    for one in stored:
        among = _joined(into, one.id)
        proposers = {people.get(by_id[key].annotator_id, by_id[key].annotator_id) for key in among}
        decision = decisions.get(one.id)
        state = OPEN if one.withdrawn_at is None else WITHDRAWN
        listed.append(
            Proposal(
                id=one.id,
                name=one.name,
                question=one.question,
                reason=one.reason,
                annotator_id=people.get(one.annotator_id, one.annotator_id),
                made_at=one.made_at,
                rows=tuple(row for _, row in sorted(examples.get(one.id, []))),
                voters=tuple(sorted(proposers.union(*(votes.get(key, set()) for key in among)))),
                proposers=tuple(sorted(proposers)),
                absorbed=len(among) > 1,
                state=state if decision is None else decision.outcome,
                attribute_id=None if decision is None else decision.attribute_id,
                into_id=None if decision is None else decision.into_id,
                note="" if decision is None else decision.note,
                decided_at=(one.withdrawn_at or "") if decision is None else decision.made_at,
            )
        )
    return listed


def with_merged(snapshot: Snapshot, proposal_id: int) -> set[int]:
    """Return a proposal and those merged into it, step by step: a merged one is not open, so steps end."""
    return _joined(_merges(snapshot), proposal_id)


def _joined(into: Mapping[int, int], proposal_id: int) -> set[int]:
    found = {proposal_id}
    while more := {one for one, other in into.items() if other in found} - found:
        found |= more
    return found


def _merges(snapshot: Snapshot) -> Mapping[int, int]:
    decided = snapshot.rows(proposal_decisions)
    return {one.proposal_id: one.into_id for one in decided if one.into_id is not None}
