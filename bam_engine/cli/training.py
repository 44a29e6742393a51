"""``score`` and ``threshold``: train on the labels, then decide where the accepted images begin."""

from argparse import ArgumentParser, Namespace

from bam_engine.cli.arguments import Commands, add_command, proportion
from bam_engine.cli.progress import bar
from bam_engine.formatting import count, decimal, decimal_interval, percent_interval
from bam_engine.labelling.tasks import attribute_of
from bam_engine.training import extension, rounds, thresholds
from bam_engine.training.delivered import delivered_at
from bam_engine.training.error_correction import correction_at
from bam_engine.training.models import rescore_all, scores_of
from bam_engine.workspace import Workspace
from bam_engine.workspace.flow import one_flow


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the commands to the parser."""
    command = add_command(commands, "score", score, "train a model on the labels and score every image")
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument("name", nargs="?", help="attribute")
    which.add_argument("--all", action="store_true", help="rescore all attributes with their current models")
    command = add_command(commands, "threshold", threshold, "choose and save the threshold of an attribute")
    command.add_argument("name", help="attribute")
    command.add_argument("--target", type=proportion, default=0.90, help="target precision (default: 0.90)")
    command.add_argument("--recall", type=proportion, help="target recall instead; audits still check the precision")
    command.add_argument("--joint", action="store_true", help="one guarantee for all attributes together")
    command.add_argument("--dry-run", action="store_true", help="print the threshold without saving it")
    command = add_command(commands, "extend", extend, "extend a guarantee over images that came later")
    command.add_argument("name", help="attribute")


def score(workspace: Workspace, options: Namespace) -> None:
    """Train on the labels of an attribute and score every image; or rescore all attributes with their models."""
    if options.all:
        with bar("score", "images") as report:
            rescored = rescore_all(workspace, report=report)
        names = ", ".join(attribute.name for attribute in rescored) or "no attribute"
        print(f"{count(len(workspace.vectors()), 'image')} rescored for {names}")
        return
    attribute = attribute_of(workspace, options.name)
    with bar("score", "steps") as report:
        model = rounds.train(workspace, attribute, report=report)
    images = count(len(scores_of(workspace, attribute)), "image")
    print(f"{count(model.labels, 'label')} ({model.n_positive:,} positive), {images} scored")
    measured = model.measurement
    if measured is not None and (estimate := measured.average_precision_interval):
        print(f"average precision {decimal_interval(*estimate)} on the validation set")
    if measured is not None and measured.problem:
        print(measured.problem)


@one_flow
def threshold(workspace: Workspace, options: Namespace) -> None:
    """Choose the threshold for a target precision or recall, and save it."""
    attribute = attribute_of(workspace, options.name)
    guarantees = len(workspace.attributes.all()) if options.joint else 1
    confidence = thresholds.joint_confidence(guarantees)
    if options.recall is None:
        choice = thresholds.suggest(workspace, attribute, target=options.target, confidence=confidence)
    else:
        choice = thresholds.suggest_recall(
            workspace, attribute, recall=options.recall, target=options.target, confidence=confidence
        )
    if not options.dry_run:
        thresholds.save(workspace, attribute, choice)
    accepted = delivered_at(workspace, attribute, choice.value).counts
    print(f"threshold {decimal(choice.value, 3)}, {count(accepted.accepted, 'image')} accepted: {accepted.words}")
    if not accepted.exhausted:
        print(f"precision {percent_interval(*choice.precision_interval)}")
    print(f"recall    {percent_interval(*choice.recall_interval)}")
    if accepted.exhausted:
        print("People have labelled every image that is delivered: nothing is left to audit.")
    else:
        print(choice.summary)
    if correction := correction_at(workspace, attribute, choice):
        print(correction.summary)


def extend(workspace: Workspace, options: Namespace) -> None:
    """Query what extends the promise of an attribute over images that came later, and print how far it is."""
    attribute = attribute_of(workspace, options.name)
    state = extension.extend(workspace, attribute)
    print(state.summary)
    if waiting := state.batch.left:
        print(f"next: label {count(waiting, 'image')} (in the app: Annotate), then `bam extend {attribute.name}` again")
