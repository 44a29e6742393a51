"""``demo``: generate the demo collection, or let simulated annotators label one of its attributes to the end."""

import argparse

from bam_engine.cli.arguments import Commands, add_command, positive_integer
from bam_engine.cli.progress import bar
from bam_engine.collection import Demo
from bam_engine.demo import demo_workspace, simulated_annotators
from bam_engine.demo.demo_workspace import Truth
from bam_engine.errors import CollectionError
from bam_engine.formatting import count, decimal, percent
from bam_engine.labelling.tasks import attribute_of
from bam_engine.workspace import Workspace


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    command = add_command(commands, "demo", run, "generate a demo collection, and let simulated annotators label it")
    command.add_argument(
        "--count", type=int, help=f"images (default: {demo_workspace.COUNT:,}, or as many as the demo has)"
    )
    command.add_argument("--seed", type=int, help=f"random seed (default: {demo_workspace.SEED}, or that of the demo)")
    command.add_argument("--attributes", nargs="+", metavar="NAME", help="attributes to define (default: BAM's twenty)")
    command.add_argument("--play", metavar="NAME", help="let simulated annotators label this attribute to the end")
    command.add_argument(
        "--error-rate",
        type=float,
        default=simulated_annotators.ERROR_RATE,
        help="error rate of each simulated annotator (default: %(default)s)",
    )
    command.add_argument(
        "--votes", type=positive_integer, help="votes required per image (default: as in the workspace)"
    )
    command.add_argument(
        "--judges",
        type=positive_integer,
        help="votes required per image of the validation sample, a certification or an audit (default: as --votes, "
        "or as in the workspace, in a demo 2)",
    )


def run(workspace: Workspace, options: argparse.Namespace) -> None:
    """Generate the demo, or resume or extend it, then let simulated annotators label the attribute that is named."""
    existing = demo_workspace.demo(workspace)
    changed = options.count is not None or options.seed is not None or options.attributes
    if existing is None or changed or demo_workspace.unfinished(workspace) or options.play is None:
        _generate(workspace, options, existing)
    if options.play is not None:
        _play(workspace, options)


def _generate(workspace: Workspace, options: argparse.Namespace, existing: Demo | None) -> None:
    size, seed = options.count, options.seed
    if size is None:
        size = demo_workspace.COUNT if existing is None else existing.count
    if seed is None:
        seed = demo_workspace.SEED if existing is None else existing.seed
    with bar("demo", "%") as report:
        summary = demo_workspace.make_demo(
            workspace, count=size, seed=seed, attributes=options.attributes, report=report
        )
    images, attributes = count(summary.images, "generated image"), count(summary.attributes, "attribute")
    print(f"{images} in {demo_workspace.folder_of(workspace)}, {attributes}")


def _play(workspace: Workspace, options: argparse.Namespace) -> None:
    attribute = attribute_of(workspace, options.play)
    if not demo_workspace.has_truth(workspace, attribute.name):
        raise CollectionError(
            f"Simulated annotators cannot label {attribute.name}: its ground truth is unknown. "
            "Choose one of BAM's twenty attributes."
        )
    votes, judges = options.votes or workspace.redundancy, options.judges or options.votes
    team = simulated_annotators.choose_team(
        workspace, error_rate=options.error_rate, people=votes, judges=judges or workspace.judging_redundancy
    )
    with bar("play", "steps") as report:
        played = simulated_annotators.play(workspace, attribute, team, report=report)
    for line in played.lines:
        print(line)
    truth = demo_workspace.ground_truth(workspace, attribute)
    if truth is not None:
        _print_truth(truth)


def _print_truth(truth: Truth) -> None:
    print("\nGround truth (known because the images are generated):")
    print(
        f"{truth.positive:,} of {count(truth.images, 'image')} positive; "
        f"{truth.wrong:,} of {count(truth.labels, 'label')} wrong"
    )
    for number, point in enumerate(truth.rounds, start=1):
        labels = count(point.labels, "label")
        print(f"round {number}, {labels}: average precision {decimal(point.average_precision)}")
    if truth.threshold is not None:
        print(f"threshold: precision {percent(truth.threshold.precision)}, recall {percent(truth.threshold.recall)}")
    if truth.audited is not None:
        print(f"images that the audit was drawn from: precision {percent(truth.audited)}")
