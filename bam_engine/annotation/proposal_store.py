"""Proposals: yes/no questions that people want the next version of the dataset to ask, and the votes for them.

In:  a name, a question, why, and example images. Out: the proposals with their votes, until an owner accepts, merges or
declines them. A text is stored as it is, and shown as text only.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from bam_engine.annotation.annotator_store import merged_into
from bam_engine.annotation.attributes import KINDS, MAX_NAME_LENGTH, Attribute, check_name, readable
from bam_engine.annotation.remark_store import check_words
from bam_engine.database import (
    Snapshot,
    attributes,
    images,
    insert_row,
    lock,
    log_activity,
    now,
    proposal_decisions,
    proposal_images,
    proposal_votes,
    proposals,
    snapshot_of,
)
from bam_engine.errors import AnnotationError, NotFound

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
        Whoever proposes it.
    rows
        Example images, in the order of the proposer.
    voters
        The ids of the people who want it, ascending: the proposer, whoever voted for it, and those of what was
        merged into it. A person counts once.
    state
        ``OPEN``, ``WITHDRAWN``, ``ACCEPTED``, ``MERGED`` or ``DECLINED``.
    attribute_id
        Of an accepted one the attribute that it became, of a merged one that into which it was merged; else None.
    into_id
        The proposal into which it was merged, or None.
    note
        What the owner wrote about the decision.
    """

    id: int
    name: str
    question: str
    reason: str
    annotator_id: int
    made_at: str
    rows: tuple[int, ...]
    voters: tuple[int, ...]
    state: str = OPEN
    attribute_id: int | None = None
    into_id: int | None = None
    note: str = ""


class Proposals:
    """The proposals of one workspace."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def all(self) -> list[Proposal]:
        """Return the proposals: open ones first, those with the most votes first, the oldest first among equals."""
        listed = _read(snapshot_of(self._engine))
        return sorted(listed, key=lambda one: (one.state != OPEN, -len(one.voters), one.id))

    def get(self, proposal_id: int) -> Proposal:
        """Return the proposal with this id; raise :class:`NotFound` where there is none."""
        found = next((one for one in _read(snapshot_of(self._engine)) if one.id == proposal_id), None)
        if found is None:
            raise NotFound(f"There is no proposal {proposal_id}. List the proposals to see which there are.")
        return found

    def propose(
        self, annotator_id: int, name: str, question: str, reason: str = "", rows: Sequence[int] = ()
    ) -> Proposal:
        """Propose an attribute; whoever proposes it is its first vote.

        Parameters
        ----------
        rows
            Example images, at most ``MAX_EXAMPLES``; the same one twice counts once.

        Raises
        ------
        AnnotationError
            A text is empty, too long or has control characters, an attribute or an open proposal has the name, there
            are too many examples, or the person has ``MAX_OPEN`` open proposals. Nothing is stored.
        NotFound
            An example is not in the collection.
        """
        name = _named(name)
        question = _filled(question, MAX_QUESTION, "The question")
        reason = check_words(reason, MAX_REASON, "The reason")
        examples = list(dict.fromkeys(int(row) for row in rows))
        if len(examples) > MAX_EXAMPLES:
            raise AnnotationError(f"{len(examples)} examples are too many. Choose {MAX_EXAMPLES} at most.")
        with self._engine.begin() as connection:
            lock(connection, proposals)
            self._check_new(annotator_id, name)
            last = connection.scalar(sa.select(sa.func.max(images.c.row)))
            if unknown := [row for row in examples if not 0 <= row <= (-1 if last is None else last)]:
                raise NotFound(f"There is no image {unknown[0]}.")
            about = {"name": name, "question": question, "reason": reason}
            key = insert_row(connection, proposals, {**about, "annotator_id": annotator_id, "made_at": now()})
            for position, row in enumerate(examples):
                values = {"proposal_id": key, "row": row, "position": position}
                connection.execute(sa.insert(proposal_images).values(values))
        return self.get(key)

    def vote(self, proposal_id: int, annotator_id: int) -> Proposal:
        """Store a vote for an open proposal; nothing changes where the person's vote counts already.

        Raises
        ------
        AnnotationError
            The proposal is not open any more.
        NotFound
            There is none.
        """
        with self._engine.begin() as connection:
            if annotator_id not in self._locked_open(connection, proposal_id).voters:
                values = {"proposal_id": proposal_id, "annotator_id": annotator_id, "made_at": now()}
                connection.execute(sa.insert(proposal_votes).values(values))
        return self.get(proposal_id)

    def take_back(self, proposal_id: int, annotator_id: int) -> Proposal:
        """Take a vote back: for this proposal, and for those merged into it.

        Raises
        ------
        AnnotationError
            The proposal is not open any more, or the person proposed it, who can withdraw it.
        NotFound
            There is none.
        """
        with self._engine.begin() as connection:
            one = self._locked_open(connection, proposal_id)
            snapshot = snapshot_of(self._engine)
            person = _person(snapshot, annotator_id)
            merged = _with_merged(snapshot, proposal_id)
            if any(other.id in merged and _person(snapshot, other.annotator_id) == person for other in self.all()):
                raise AnnotationError(f"You proposed “{one.name}”, or one that was merged into it, and so are for it.")
            ids = [vote.annotator_id for vote in snapshot.rows(proposal_votes)]
            names = {other for other in ids if _person(snapshot, other) == person}
            of_person = proposal_votes.c.annotator_id.in_(names)
            connection.execute(sa.delete(proposal_votes).where(proposal_votes.c.proposal_id.in_(merged), of_person))
        return self.get(proposal_id)

    def withdraw(self, proposal_id: int, annotator_id: int) -> Proposal:
        """Withdraw one's own proposal.

        Raises
        ------
        AnnotationError
            It is not open any more, or somebody else's.
        NotFound
            There is none.
        """
        with self._engine.begin() as connection:
            one, snapshot = self._locked_open(connection, proposal_id), snapshot_of(self._engine)
            if _person(snapshot, one.annotator_id) != _person(snapshot, annotator_id):
                raise AnnotationError(f"“{one.name}” was proposed by somebody else. Only they can withdraw it.")
            connection.execute(sa.update(proposals).where(proposals.c.id == one.id).values(withdrawn_at=now()))
        return self.get(proposal_id)

    def accept(self, proposal_id: int, name: str, define: Callable[[sa.Connection], int]) -> int:
        """Accept an open proposal; return the id of the attribute that it becomes.

        Parameters
        ----------
        define
            Defines the attribute, called ``name``, in the transaction that accepts the proposal, and returns its id.

        Raises
        ------
        AnnotationError
            The proposal is not open any more. Nothing is stored.
        NotFound
            There is none.
        """
        with self._engine.begin() as connection:
            one = self._locked_open(connection, proposal_id)
            attribute_id = define(connection)
            _decide(connection, one, ACCEPTED, name, attribute_id=attribute_id)
        return attribute_id

    def merge(self, proposal_id: int, into: "Proposal | Attribute", note: str = "") -> Proposal:
        """Merge an open proposal into an attribute, or into another open proposal, for which its votes then count.

        Raises
        ------
        AnnotationError
            One of them is not open any more, or both are the same, or the note is too long.
        NotFound
            There is none.
        """
        note = check_words(note, MAX_NOTE, "The note")
        with self._engine.begin() as connection:
            one = self._locked_open(connection, proposal_id)
            if isinstance(into, Attribute):
                _decide(connection, one, MERGED, into.name, attribute_id=into.id, note=note)
            elif into.id == one.id:
                raise AnnotationError(f"“{one.name}” cannot be merged into itself. Choose another proposal.")
            else:
                other = self._open(into.id)
                _decide(connection, one, MERGED, other.name, into_id=other.id, note=note)
        return self.get(proposal_id)

    def decline(self, proposal_id: int, note: str) -> Proposal:
        """Decline an open proposal; the note tells whoever wants it why.

        Raises
        ------
        AnnotationError
            It is not open any more, or the note is empty or too long.
        NotFound
            There is none.
        """
        note = _filled(note, MAX_NOTE, "The reason")
        with self._engine.begin() as connection:
            _decide(connection, self._locked_open(connection, proposal_id), DECLINED, note=note)
        return self.get(proposal_id)

    def reopen(self, proposal_id: int) -> Proposal:
        """Open a declined or merged proposal again, with the votes that it had; nothing changes for an open one.

        Raises
        ------
        AnnotationError
            It was accepted or withdrawn, or an attribute or an open proposal has its name now.
        NotFound
            There is none.
        """
        with self._engine.begin() as connection:
            lock(connection, proposals)
            one = self.get(proposal_id)
            if one.state == OPEN:
                return one
            if one.state not in (DECLINED, MERGED):
                raise AnnotationError(f"“{one.name}” was {one.state}. Only what was declined or merged can be opened.")
            self._check_free(one.name)
            connection.execute(sa.delete(proposal_decisions).where(proposal_decisions.c.proposal_id == one.id))
            log_activity(connection, "opened proposal again", one.name)
        return self.get(proposal_id)

    def _locked_open(self, connection: sa.Connection, proposal_id: int) -> Proposal:
        lock(connection, proposals)
        return self._open(proposal_id)

    def _open(self, proposal_id: int) -> Proposal:
        one = self.get(proposal_id)
        if one.state != OPEN:
            raise AnnotationError(
                f"“{one.name}” was {one.state} in the meantime. Reload the page to see how it is now."
            )
        return one

    def _check_new(self, annotator_id: int, name: str) -> None:
        self._check_free(name)
        snapshot = snapshot_of(self._engine)
        person = _person(snapshot, annotator_id)
        mine = [one for one in self.all() if one.state == OPEN and _person(snapshot, one.annotator_id) == person]
        if len(mine) >= MAX_OPEN:
            raise AnnotationError(f"You have {len(mine)} open proposals, as many as a person may. Withdraw one first.")

    def _check_free(self, name: str) -> None:
        """Check that no attribute and no open proposal has a name, however it is spelt."""
        columns = {check_name(name), *(f"{kind}_{check_name(name)}" for kind in KINDS)}
        for attribute in snapshot_of(self._engine).rows(attributes):
            if attribute.name in columns:
                there = "There was" if attribute.archived_at is not None else "There is"
                end = ", which is archived. Ask an owner to bring it back." if there == "There was" else " already."
                raise AnnotationError(f"{there} an attribute “{readable(attribute.name)}”{end}")
        for one in self.all():
            if one.state == OPEN and check_name(one.name) == check_name(name):
                raise AnnotationError(f"“{one.name}” is proposed already. Vote for it.")


def _decide(
    connection: sa.Connection,
    one: Proposal,
    outcome: str,
    became: str = "",
    *,
    attribute_id: int | None = None,
    into_id: int | None = None,
    note: str = "",
) -> None:
    """Store a decision about a proposal, and log it; ``became`` names what it is a part of now."""
    values = {"proposal_id": one.id, "outcome": outcome, "attribute_id": attribute_id, "into_id": into_id, "note": note}
    connection.execute(sa.insert(proposal_decisions).values(**values, made_at=now()))
    joined = " as " if outcome == ACCEPTED else " into "
    log_activity(connection, f"{outcome} proposal", one.name + (joined + became if became else ""))


def _read(snapshot: Snapshot) -> list[Proposal]:
    """Return all proposals by their ids."""
    decisions = {one.proposal_id: one for one in snapshot.rows(proposal_decisions)}
    examples: dict[int, list[tuple[int, int]]] = {}
    for one in snapshot.rows(proposal_images):
        examples.setdefault(one.proposal_id, []).append((one.position, one.row))
    listed = []
    for one in snapshot.rows(proposals):
        about: dict[str, object] = {"state": OPEN if one.withdrawn_at is None else WITHDRAWN}
        if one.id in decisions:
            made = decisions[one.id]
            about = {"attribute_id": made.attribute_id, "into_id": made.into_id, "note": made.note}
            about["state"] = made.outcome
        rows = tuple(row for _, row in sorted(examples.get(one.id, [])))
        texts = (one.name, one.question, one.reason)
        voters = _voters(snapshot, one.id)
        listed.append(Proposal(one.id, *texts, one.annotator_id, one.made_at, rows, voters, **about))  # type: ignore[arg-type]
    return listed


def _voters(snapshot: Snapshot, proposal_id: int) -> tuple[int, ...]:
    """Return who wants a proposal, or one that was merged into it."""
    among = _with_merged(snapshot, proposal_id)
    ids = [one.annotator_id for one in snapshot.rows(proposals) if one.id in among]
    ids += [one.annotator_id for one in snapshot.rows(proposal_votes) if one.proposal_id in among]
    return tuple(sorted({_person(snapshot, each) for each in ids}))


def _with_merged(snapshot: Snapshot, proposal_id: int) -> set[int]:
    """Return a proposal and those merged into it, step by step: a merged one is not open, so steps end."""
    found, into = {proposal_id}, _merges(snapshot)
    while more := {one for one, other in into.items() if other in found} - found:
        found |= more
    return found


def _merges(snapshot: Snapshot) -> Mapping[int, int]:
    decided = snapshot.rows(proposal_decisions)
    return {one.proposal_id: one.into_id for one in decided if one.into_id is not None}


def _person(snapshot: Snapshot, annotator_id: int) -> int:
    return merged_into(snapshot).get(annotator_id, annotator_id)


def _named(name: str) -> str:
    name = _filled(name, MAX_NAME_LENGTH, "The name")
    check_name(name)
    return name


def _filled(text: str, most: int, what: str) -> str:
    words = check_words(text, most, what)
    if not words:
        raise AnnotationError(f"{what} is empty. Type it, and try again.")
    return words
