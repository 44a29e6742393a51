"""``encoders``: the encoders that have vectors, side by side."""

from argparse import ArgumentParser, Namespace

from bam_engine.annotation import Attribute
from bam_engine.cli.arguments import Commands, add_command
from bam_engine.cli.progress import bar
from bam_engine.formatting import count, decimal_interval
from bam_engine.labelling.tasks import attribute_of
from bam_engine.training.comparison import (
    EncoderResult,
    compare_encoders,
    difference_words,
    is_relied_on,
    models_behind,
    train_behind,
)
from bam_engine.workspace import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import count_images
from bam_engine.workspace.vectors import embedded_rows, stored_encoders


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the command to the parser."""
    command = add_command(commands, "encoders", run, "list the encoders, or compare them attribute by attribute")
    command.add_argument("names", nargs="*", metavar="name", help="attributes to compare (default: all)")
    command.add_argument("--compare", action="store_true", help="compare on the same validation labels")
    command.add_argument("--train", action="store_true", help="first train what is missing or behind the labels")


def run(workspace: Workspace, options: Namespace) -> None:
    """List the encoders that have vectors; compare them for some attributes, or for all."""
    attributes = [attribute_of(workspace, name) for name in options.names] or workspace.attributes.all()
    if options.train:
        with bar("train", "models") as report:
            problems = train_behind(workspace, attributes, report=report)
        for problem in problems:
            print(problem)
    if options.names or options.compare or options.train:
        _compare(workspace, attributes)
    else:
        _list(workspace)


@one_flow
def _list(workspace: Workspace) -> None:
    current, images = workspace.choice.key, count_images(workspace)
    for key in stored_encoders(workspace):
        use = ", in use" if key == current else ""
        with workspace.using(key):
            embedded = len(embedded_rows(workspace))
        print(f"{key}: {workspace.encoder_name(key)}, {embedded:,} of {count(images, 'image')} embedded{use}")


@one_flow
def _compare(workspace: Workspace, attributes: list[Attribute]) -> None:
    for attribute in attributes:
        _print_comparison(workspace, attribute)


def _print_comparison(workspace: Workspace, attribute: Attribute) -> None:
    found = compare_encoders(workspace, attribute)
    print(f"{attribute.name}: {count(found.n, 'validation label')}, {found.n_positive:,} positive")
    for one in found.encoders:
        print(f"  {workspace.encoder_name(one.encoder)}: {_words(workspace, one)}")
    for difference in found.differences:
        print(f"  {difference_words(workspace, difference)}")
    if models_behind(workspace, [attribute]):
        print(f"  `bam encoders --train {attribute.name}` trains what is missing or not of all labels of today.")


def _words(workspace: Workspace, one: EncoderResult) -> str:
    estimate, model = one.average_precision, one.model
    if estimate is None or model is None:
        return one.problem
    interval = decimal_interval(estimate.value, estimate.low, estimate.high)
    kept = ", kept for its threshold" if is_relied_on(workspace, model) else ""
    behind = "" if one.current else f", not all labels of today{kept}"
    return f"average precision {interval}, trained on {count(model.labels, 'label')}{behind}"
