"""``demo``: make the generated collection, or let simulated annotators play one of its attributes to the end."""

import argparse
import itertools

from bam_engine.cli.progress import bar
from bam_engine.collection import Demo
from bam_engine.demo import demo_workspace, simulated_annotators
from bam_engine.errors import CollectionError
from bam_engine.labelling.tasks import attribute_of
from bam_engine.workspace import Workspace

NOTE = "the truth is known only because the collection is generated"


def add_options(step: argparse.ArgumentParser) -> None:
    """Add what the step takes."""
    step.add_argument("--count", type=int, help=f"images (default: {demo_workspace.COUNT:,}, or as many as there are)")
    step.add_argument("--seed", type=int, help=f"random seed (default: {demo_workspace.SEED}, or that of the demo)")
    step.add_argument("--attributes", nargs="+", metavar="NAME", help="of BAM's twenty (default: all of them)")
    step.add_argument("--play", metavar="NAME", help="let simulated annotators label this attribute to the end")
    step.add_argument(
        "--error-rate",
        type=float,
        default=simulated_annotators.ERROR_RATE,
        help=f"how often each of them is wrong (default: {simulated_annotators.ERROR_RATE})",
    )
    step.add_argument("--agree", type=int, help="how many must agree on an image (default: as many as the workspace)")


def run(workspace: Workspace, options: argparse.Namespace) -> None:
    """Make the demo, or go on making it, then play the attribute that is named."""
    there = demo_workspace.demo(workspace)
    wanted = options.count is not None or options.seed is not None or options.attributes
    if there is None or wanted or demo_workspace.unfinished(workspace) or options.play is None:
        _make(workspace, options, there)
    if options.play is not None:
        _play(workspace, options)


def _make(workspace: Workspace, options: argparse.Namespace, there: Demo | None) -> None:
    count, seed = options.count, options.seed
    with bar("demo", "%") as report:
        made = demo_workspace.make_demo(
            workspace,
            count=(there.count if there else demo_workspace.COUNT) if count is None else count,
            seed=(there.seed if there else demo_workspace.SEED) if seed is None else seed,
            attributes=options.attributes,
            report=report,
        )
    print(f"{made.images:,} generated images in {demo_workspace.folder_of(workspace)}, {made.attributes} attributes")


def _play(workspace: Workspace, options: argparse.Namespace) -> None:
    attribute = attribute_of(workspace, options.play)
    if not demo_workspace.has_truth(workspace, attribute.name):
        raise CollectionError(
            f"{attribute.name} cannot be played: its truth is not known. Choose one of BAM's twenty attributes."
        )
    people = workspace.redundancy if options.agree is None else options.agree
    team = simulated_annotators.choose_team(workspace, error_rate=options.error_rate, people=people)
    with bar("play", "steps") as report:
        played = simulated_annotators.play(workspace, attribute, team, report=report)
    for line in played.lines:
        print(line)
    found = demo_workspace.truth_of(workspace, attribute)
    if found is None:
        return
    print(f"\ntrue values ({NOTE}):")
    print(f"{found.positive:,} of {found.images:,} images are positive; {found.wrong} of {found.labels:,} labels wrong")
    for number, point in zip(itertools.count(1), found.rounds, strict=False):
        print(f"after round {number}, {point.labels} labels: average precision {point.average_precision:.3f}")
    if found.threshold is not None:
        print(f"threshold: precision {found.threshold.precision:.3f}, recall {found.threshold.recall:.3f}")
    if found.audited is not None:
        print(f"of the images that the audit was drawn from: precision {found.audited:.3f}")
