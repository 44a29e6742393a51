"""``agreement``: how far the annotators of an attribute agree, with the figures of the Agreement page."""

from argparse import ArgumentParser, Namespace

from bam_engine.cli.arguments import Commands, add_command
from bam_engine.formatting import NOTHING, count
from bam_engine.labelling import adjudication
from bam_engine.labelling.agreement import AnnotatorAgreement, measure
from bam_engine.labelling.tasks import attribute_of
from bam_engine.workspace import Workspace
from bam_engine.workspace.flow import one_flow


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the command to the parser."""
    command = add_command(commands, "agreement", run, "print how far the annotators of an attribute agree")
    command.add_argument("name", help="attribute")
    command.add_argument("--ignore-unsure", action="store_true", help="count unsure as no answer")


@one_flow
def run(workspace: Workspace, options: Namespace) -> None:
    """Print the agreement of all annotators, of every pair, of each with the others, and the open disputes."""
    attribute = attribute_of(workspace, options.name)
    result = measure(workspace, attribute, unsure="missing" if options.ignore_unsure else "value")
    people = count(len(result.annotators), "person", "people")
    print(f"{count(result.answered, 'image')} answered by {people}, {result.shared:,} by more than one")
    if result.not_counted:
        print(result.not_counted)
    print(f"raw agreement         {result.raw.text}")
    print(f"Krippendorff's alpha  {result.alpha.text}")
    positive = f"{result.prevalence.text} positive" if result.prevalence.value is not None else result.prevalence.reason
    print(f"Dawid and Skene       {positive}")
    for pair in result.pairs:
        shared = count(pair.shared, "shared image")
        kappa = NOTHING if pair.kappa.value is None else pair.kappa.text
        print(f"{pair.first}, {pair.second}: {shared}, raw agreement {pair.raw.text}, kappa {kappa}")
        if pair.kappa.reason:
            print(f"  {pair.kappa.reason}")
    for line in result.annotators:
        _print_annotator(line)
    decided = len(adjudication.decided(workspace, attribute))
    disputed = len(adjudication.disputes(workspace, attribute, ""))
    print(f"{count(disputed, 'image')} waiting for a decision, {decided:,} decided (in the app: Agreement)")


def _print_annotator(line: AnnotatorAgreement) -> None:
    measures = {
        "yes": line.positive,
        "unsure": line.unsure,
        "agrees with majority": line.with_majority,
        "sensitivity": line.sensitivity,
        "specificity": line.specificity,
    }
    facts = [f"{name} {one.text}" for name, one in measures.items() if one.value is not None]
    print(f"{line.name}: {', '.join([count(line.answers, 'answer'), *facts])}")
