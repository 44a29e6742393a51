"""What an export would be better with, said before it starts and in its data card."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from bam_engine.formatting import count
from bam_engine.labelling.tasks import attribute_of
from bam_engine.reporting import results
from bam_engine.reporting.results import Result
from bam_engine.training.delivered import delivered_at, not_covered
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow


@one_flow
def not_ready(
    workspace: Workspace, names: Sequence[str] = (), encoders: Mapping[str, str] = MappingProxyType({})
) -> list[tuple[str, str]]:
    """Return by attribute, in sentences, what is missing behind the results that would be exported.

    Parameters
    ----------
    names
        The attributes; all if there is none.
    encoders
        As for :func:`bam_engine.reporting.export.export`.
    """
    attributes = [attribute_of(workspace, name) for name in names] or workspace.attributes.all()
    given = {attribute_of(workspace, name).id: encoder for name, encoder in encoders.items()}
    better = results.overlooked(workspace, list(encoders))
    lines = []
    for attribute in attributes:
        result = results.chosen(workspace, attribute, given.get(attribute.id))
        threshold = None if result is None or result.threshold is None else result.threshold.value
        model = None if result is None else result.model
        delivered = delivered_at(workspace, attribute, threshold, model)
        uncovered = 0 if result is None else int(not_covered(workspace, attribute, model).sum())
        problem = problem_of(result, exhausted=delivered.counts.exhausted, uncovered=uncovered)
        if problem:
            lines.append((attribute.name, problem))
        if attribute.name in better:
            lines.append((attribute.name, better[attribute.name].note))
    return lines


def problem_of(result: Result | None, *, exhausted: bool, uncovered: int = 0) -> str:
    """Return the sentence that says what is missing behind a result, the first that applies; "" if nothing is.

    Where all that is delivered is ``exhausted``, labelled by people, it needs no audit. Its evidence is not about
    ``uncovered`` of the images that are delivered.
    """
    if result is None:
        return "Nothing is trained with the encoder in use, so images have the labels of people alone."
    if result.threshold is None:
        return "There is no threshold, so images have scores, and the labels of people alone."
    if result.threshold.taken_back:
        return result.threshold.taken_back
    if not result.threshold.saved:
        return "Nobody has chosen the threshold: it is only suggested."
    if exhausted:
        return ""
    if result.audit is None:
        return "The threshold is not audited."
    if not result.audit.complete:
        return "The audit of the threshold is not finished."
    if uncovered:
        them = "it" if uncovered == 1 else "them"
        return (
            f"{count(uncovered, 'accepted image')} not covered: nothing that is guaranteed or measured is about {them}."
        )
    return ""
