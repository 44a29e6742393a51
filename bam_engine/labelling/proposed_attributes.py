"""Proposals that become attributes.

In:  an open proposal. Out: an attribute with its question, whose guidelines have the example images.
"""

from functools import partial

from bam_engine.annotation import Attribute
from bam_engine.labelling.guideline_examples import MAX_EXAMPLES, add_examples
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.membership import removed


def accept_proposal(
    workspace: Workspace, proposal_id: int, *, name: str | None = None, question: str | None = None, kind: str = "own"
) -> Attribute:
    """Make an attribute of an open proposal, in one transaction; then make its examples good ones of the guidelines.

    The examples of proposals that were merged into it follow its own, as long as guidelines take more.

    Parameters
    ----------
    name, question
        What to write instead of the proposer's words.
    kind
        One of :data:`bam_engine.annotation.KINDS`.

    Raises
    ------
    AnnotationError
        The proposal is not open any more, or the name is taken or cannot be one. Nothing is stored.
    NotFound
        There is no such proposal.
    """
    one = workspace.proposals.get(proposal_id)
    name = one.name if name is None else name
    question = one.question if question is None else question
    define = partial(workspace.attributes.insert, name=name, kind=kind, question=question)
    attribute_id = workspace.proposals.accept(one.id, name, define)
    attribute = workspace.attributes.by_id(attribute_id)
    there = [row for row in workspace.proposals.rows_of(attribute_id) if row not in removed(workspace).rows]
    if there:
        add_examples(workspace, attribute, there[:MAX_EXAMPLES], "good")
    return attribute
