"""The attributes that people propose for the next version of a dataset."""

import pandas as pd

from bam_engine.annotation.proposals import Proposal
from bam_engine.labelling.proposed_attributes import accept_proposal
from bam_engine.workspace import Workspace
from bam_engine.workspace.flow import one_flow


class Proposals:
    """What a :class:`~bam_engine.Collection` does with proposals."""

    workspace: Workspace

    def proposals(self) -> pd.DataFrame:
        """Return the proposals: open ones first, those with the most votes first, the oldest first among equals.

        Returns
        -------
        DataFrame
            By number: ``name``, ``question``, ``reason``, ``by``, ``votes``, ``state`` (open, accepted, merged,
            declined or withdrawn), ``note`` of whoever decided, and ``examples``, the rows of the example images.

        Examples
        --------
        >>> one = bam.propose("Red kite", "Is there a red kite?", annotator="ada", examples=[3])
        >>> bam.proposals().loc[one, ["name", "state"]].tolist()
        ['Red kite', 'open']
        """
        return _table(self.workspace)

    def propose(
        self, name: str, question: str, *, annotator: str, reason: str = "", examples: tuple[int, ...] | list[int] = ()
    ) -> int:
        """Propose an attribute; return the number of the proposal.

        Parameters
        ----------
        examples
            Rows of images in which the answer is yes, at most 12.

        Raises
        ------
        AnnotationError
            A text is empty or too long, or an attribute or an open proposal has the name.
        NotFound
            There is no such image.

        Examples
        --------
        >>> one = bam.propose("Boat", "Is there a boat?", annotator="ada")
        >>> bam.proposals().loc[one, "by"]
        'ada'
        """
        person = self.workspace.annotators.actor(annotator)
        return self.workspace.proposals.propose(person, name, question, reason, examples).id

    def accept_proposal(self, number: int, *, name: str | None = None, question: str | None = None) -> str:
        """Make an attribute of an open proposal, with its examples as guidelines; return the attribute's name.

        Raises
        ------
        AnnotationError
            The proposal is not open any more, or an attribute has the name.
        NotFound
            There is no such proposal.

        Examples
        --------
        >>> bam.accept_proposal(bam.propose("Full moon", "Is there a full moon?", annotator="ben"))
        'full_moon'
        """
        return accept_proposal(self.workspace, number, name=name, question=question).name


@one_flow
def _table(workspace: Workspace) -> pd.DataFrame:
    listed, names = workspace.proposals.all(), workspace.annotators.names()

    def line(one: Proposal) -> dict[str, object]:
        return {
            "name": one.name,
            "question": one.question,
            "reason": one.reason,
            "by": names[one.annotator_id],
            "votes": len(one.voters),
            "state": one.state,
            "note": one.note,
            "examples": list(one.rows),
        }

    columns = ("name", "question", "reason", "by", "votes", "state", "note", "examples")
    index = pd.Index([one.id for one in listed], dtype="int64", name="number")
    return pd.DataFrame([line(one) for one in listed], index=index, columns=list(columns))
