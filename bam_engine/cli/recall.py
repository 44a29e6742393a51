"""``recall``: measure how many positives the threshold in use misses, with a sample drawn below it for this."""

from argparse import ArgumentParser, Namespace

from bam_engine.cli.arguments import Commands, add_command, positive_integer
from bam_engine.formatting import count, percent_interval
from bam_engine.labelling.tasks import attribute_of
from bam_engine.training import recall, recall_proposal
from bam_engine.training.thresholds import current_threshold
from bam_engine.workspace import Workspace
from bam_engine.workspace.flow import one_flow


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the command to the parser."""
    command = add_command(commands, "recall", run, "measure how many positives a threshold misses")
    command.add_argument("name", help="attribute")
    what = command.add_mutually_exclusive_group()
    what.add_argument("--draw", action="store_true", help="draw the sample, to be labelled in the app")
    what.add_argument("--more", type=positive_integer, metavar="N", help="ask about N more images")
    what.add_argument("--stop", action="store_true", help="ask about no more images than are labelled")
    command.add_argument(
        "--count",
        type=positive_integer,
        metavar="N",
        help="images to draw (default: what is worth its labels)",
    )


@one_flow
def run(workspace: Workspace, options: Namespace) -> None:
    """Print what is measured and what is left to label, or what it would cost; draw, grow or stop the sample."""
    attribute = attribute_of(workspace, options.name)
    if options.draw:
        recall.measure(workspace, attribute, options.count)
    elif options.more:
        recall.grow(workspace, attribute, options.more)
    elif options.stop:
        recall.stop(workspace, attribute)
    state = recall.current(workspace, attribute)
    if state is None:
        if recall.former(workspace, attribute) is not None:
            print("The recall was measured at another threshold or by another model, which says nothing of this one.")
        print(recall_proposal.propose(workspace, attribute, options.count).summary)
        print(f"next: draw it with `bam recall {attribute.name} --draw`")
        return
    threshold = current_threshold(workspace, attribute)
    if state.shown is not None and threshold is not None:
        print(f"recall {percent_interval(*threshold.evidence.recall_interval)}")
    print(state.summary)
    if state.waiting > 0:
        print(f"next: label {count(state.waiting, 'image')} (in the app: Annotate)")
    elif state.more or state.stopped:
        print(f"more narrowly: `bam recall {attribute.name} --more N`")
