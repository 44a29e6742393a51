"""Proposals: yes/no questions that people want the next version of the dataset to ask, and the votes for them.

In:  a name, a question, why, and example images. Out: the proposals with their votes, until an owner accepts, merges or
declines them. A text is stored as it is, and shown as text only.
"""

from collections.abc import Callable, Sequence

import sqlalchemy as sa

from bam_engine.annotation.annotator_store import person_of, same_person
from bam_engine.annotation.attributes import KINDS, MAX_NAME_LENGTH, Attribute, check_name, readable
from bam_engine.annotation.proposals import (
    ACCEPTED,
    DECLINED,
    MAX_EXAMPLES,
    MAX_NOTE,
    MAX_OPEN,
    MAX_QUESTION,
    MAX_REASON,
    MERGED,
    OPEN,
    WITHDRAWN,
    Proposal,
    read_proposals,
    with_merged,
)
from bam_engine.annotation.remark_store import check_words
from bam_engine.collection.removals import removed
from bam_engine.database import (
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
from bam_engine.errors import AnnotationError, NotFound, TooLate


class Proposals:
    """The proposals of one workspace."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def all(self) -> list[Proposal]:
        """Return the proposals: open ones first, those with the most votes first, the oldest first among equals."""
        listed = read_proposals(snapshot_of(self._engine))
        return sorted(listed, key=lambda one: (one.state != OPEN, -len(one.voters), one.id))

    def get(self, proposal_id: int) -> Proposal:
        """Return the proposal with this id; raise :class:`NotFound` where there is none."""
        found = next((one for one in read_proposals(snapshot_of(self._engine)) if one.id == proposal_id), None)
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
            gone = removed(self._engine).rows
            if unknown := [row for row in examples if not 0 <= row <= (-1 if last is None else last) or row in gone]:
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
            voters = self._locked_open(connection, proposal_id).voters
            if person_of(snapshot_of(self._engine), annotator_id) not in voters:
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
            one, snapshot = self._locked_open(connection, proposal_id), snapshot_of(self._engine)
            if person_of(snapshot, annotator_id) in one.proposers:
                raise AnnotationError(f"You proposed “{one.name}”, or one that was merged into it, and so are for it.")
            of_person = proposal_votes.c.annotator_id.in_(same_person(snapshot, annotator_id))
            among = proposal_votes.c.proposal_id.in_(with_merged(snapshot, proposal_id))
            connection.execute(sa.delete(proposal_votes).where(among, of_person))
        return self.get(proposal_id)

    def withdraw(self, proposal_id: int, annotator_id: int) -> Proposal:
        """Withdraw one's own proposal; :meth:`undo` takes that back.

        Raises
        ------
        AnnotationError
            It is not open any more, is somebody else's, or others were merged into it, whose it then is, too.
        NotFound
            There is none.
        """
        with self._engine.begin() as connection:
            one = self._locked_open(connection, proposal_id)
            if one.annotator_id != person_of(snapshot_of(self._engine), annotator_id):
                raise AnnotationError(f"“{one.name}” was proposed by somebody else. Only they can withdraw it.")
            if one.absorbed:
                raise AnnotationError(f"Others were merged into “{one.name}”, so it is not yours alone. Ask an owner.")
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
            if isinstance(into, Attribute) and into.archived:
                raise AnnotationError(f"The attribute “{into.name}” is archived. Bring it back first.")
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
            self._open_again(connection, one)
        return self.get(proposal_id)

    def undo(self, act: Proposal) -> Proposal:
        """Take back what :meth:`merge`, :meth:`decline` or :meth:`withdraw` returned, unless more came since.

        Raises
        ------
        TooLate
            It was opened or decided again, or its name is taken now.
        """
        with self._engine.begin() as connection:
            lock(connection, proposals)
            one = self.get(act.id)
            if (one.state, one.decided_at) != (act.state, act.decided_at):
                raise TooLate(f"“{act.name}” was opened or decided again in the meantime. Nothing has changed.")
            try:
                self._open_again(connection, one)
            except AnnotationError as error:
                raise TooLate(str(error)) from error
        return self.get(act.id)

    def _open_again(self, connection: sa.Connection, one: Proposal) -> None:
        self._check_free(one.name)
        if one.state == WITHDRAWN:
            connection.execute(sa.update(proposals).where(proposals.c.id == one.id).values(withdrawn_at=None))
            return
        connection.execute(sa.delete(proposal_decisions).where(proposal_decisions.c.proposal_id == one.id))
        log_activity(connection, "opened proposal again", one.name)

    def rows_of(self, attribute_id: int) -> list[int]:
        """Return the examples of what became an attribute or was merged into it, in the order of the proposals.

        Those of the accepted proposal come first. Whoever saw them knows what they were examples of.
        """
        snapshot = snapshot_of(self._engine)
        decided = [one for one in snapshot.rows(proposal_decisions) if one.attribute_id == attribute_id]
        firsts = [one.proposal_id for one in sorted(decided, key=lambda one: one.outcome != ACCEPTED)]
        listed = {one.id: one for one in read_proposals(snapshot)} if decided else {}
        order = [key for first in firsts for key in sorted(with_merged(snapshot, first), key=lambda key: key != first)]
        return list(dict.fromkeys(row for key in order for row in listed[key].rows))

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
        person = person_of(snapshot_of(self._engine), annotator_id)
        mine = [one for one in self.all() if one.state == OPEN and one.annotator_id == person]
        if len(mine) >= MAX_OPEN:
            raise AnnotationError(f"You have {len(mine)} open proposals, as many as a person may. Withdraw one first.")

    def _check_free(self, name: str) -> None:
        """Check that no attribute and no open proposal has a name, however it is spelt."""
        columns = {column for kind in KINDS for column in (check_name(name, kind), f"{kind}_{check_name(name)}")}
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


def _named(name: str) -> str:
    name = _filled(name, MAX_NAME_LENGTH, "The name")
    check_name(name)
    return name


def _filled(text: str, most: int, what: str) -> str:
    words = check_words(text, most, what)
    if not words:
        raise AnnotationError(f"{what} is empty. Type it, and try again.")
    return words
