"""``agreement``: how far the annotators of an attribute agree, printed as on the page."""

from argparse import Namespace

from bam_engine.labelling import adjudication
from bam_engine.labelling.agreement import measure
from bam_engine.labelling.tasks import attribute_of
from bam_engine.workspace import Workspace


def run(workspace: Workspace, options: Namespace) -> None:
    """Print the agreement of all, of every two, every annotator's habits, and how many images are disputed."""
    attribute = attribute_of(workspace, options.name)
    found = measure(workspace, attribute, unsure="missing" if options.without_unsure else "value")
    people = "1 person" if len(found.annotators) == 1 else f"{len(found.annotators)} people"
    print(f"{found.answered} images answered by {people}, {found.shared} of them by several")
    print(f"raw agreement         {found.raw.words}")
    print(f"Krippendorff's alpha  {found.alpha.words}")
    print(f"Dawid and Skene       {found.model.words} positive" if found.model.value is not None else found.model.why)
    for pair in found.pairs:
        print(f"{pair.first}, {pair.second}: {pair.shared} shared, raw {pair.raw.words}, kappa {pair.kappa.words}")
    for line in found.annotators:
        shares = {
            "yes": line.positive,
            "unsure": line.unsure,
            "as most others": line.with_others,
            "sensitivity": line.sensitivity,
            "specificity": line.specificity,
        }
        known = [f"{name} {share.words}" for name, share in shares.items() if share.value is not None]
        print(f"{line.name}: {line.answers} answers, {', '.join(known)}")
    decided = len(adjudication.decided(workspace, attribute))
    waiting = len(adjudication.disputes(workspace, attribute, ""))
    print(f"{waiting} images wait for a decision, {decided} are decided: adjudicate on the Agreement page")
