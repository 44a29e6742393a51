"""``encoders``: what each encoder has, and encoders side by side."""

from argparse import ArgumentParser, Namespace

from bam_engine.annotation import Attribute
from bam_engine.cli.arguments import Commands, add_command
from bam_engine.cli.progress import bar
from bam_engine.formatting import count, decimal_interval
from bam_engine.labelling.tasks import attribute_of
from bam_engine.switching.results import encoder_results
from bam_engine.training.comparison import (
    EncoderResult,
    compare_encoders,
    comparison_lines,
    is_relied_on,
    models_behind,
    train_behind,
)
from bam_engine.workspace import Workspace
from bam_engine.workspace.flow import one_flow


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the command to the parser."""
    command = add_command(
        commands, "encoders", run, "list the encoders with what each has, or compare them attribute by attribute"
    )
    command.add_argument("names", nargs="*", metavar="name", help="attributes to compare (default: all)")
    command.add_argument("--compare", action="store_true", help="compare on the same validation labels")
    command.add_argument("--train", action="store_true", help="first train what is missing or behind the labels")


def run(workspace: Workspace, options: Namespace) -> None:
    """List the encoders with what each has; compare them for some attributes, or for all."""
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
    for one in encoder_results(workspace):
        used = ", in use" if one.in_use else ""
        print(f"{one.key}: {one.name}, {one.embedded:,} of {count(one.images, 'image')} embedded{used}")
        lists = one.attributes | ({"maps": one.maps} if one.maps else {})
        for what, names in lists.items():
            print(f"  {what}: {', '.join(names)}")


@one_flow
def _compare(workspace: Workspace, attributes: list[Attribute]) -> None:
    for attribute in attributes:
        _print_comparison(workspace, attribute)


def _print_comparison(workspace: Workspace, attribute: Attribute) -> None:
    found = compare_encoders(workspace, attribute)
    print(f"{attribute.name}: {count(found.n, 'validation label')}, {found.n_positive:,} positive")
    for one in found.encoders:
        print(f"  {workspace.encoder_name(one.encoder)}: {_words(workspace, one)}")
    for line in comparison_lines(workspace, found):
        print(f"  {line}")
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
