"""The parser of the command line, and what its exit codes mean.

0: done. 1: it cannot be done, the message says why. 2: the command itself is wrong. 130: stopped from the keyboard;
what was finished is kept and the same command goes on.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bam_engine.annotation import KINDS
from bam_engine.cli import agreement, commands, demo, layouts, simulation
from bam_engine.errors import BamError
from bam_engine.learning import STRATEGIES
from bam_engine.reporting.export import FORMATS
from bam_engine.workspace import Workspace

_EPILOG = (
    "The workspace is the folder BAM_WORKSPACE (default: workspace), derived files go to BAM_CACHE (default: cache). "
    "Both are shared with the app."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    options = parser().parse_args(arguments)
    workspace = None
    try:
        workspace = Workspace.from_environment()
        options.run(workspace, options)
    except BamError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped: what was finished is kept, the same command goes on from there", file=sys.stderr)
        return 130
    finally:
        if workspace is not None:
            workspace.close()
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of every subcommand."""
    top = argparse.ArgumentParser(
        prog="python -m bam_engine", description="From a pile of images to a dataset people can trust.", epilog=_EPILOG
    )
    steps = top.add_subparsers(title="steps", metavar="STEP", required=True)
    demo.add_options(_step(steps, "demo", demo.run, "make a generated collection to try everything with, and play it"))
    _add_collection(steps)
    _add_attribute(steps)
    _add_learning(steps)
    _add_results(steps)
    return top


Steps = argparse._SubParsersAction  # the only name argparse gives to this type


def _step(steps: "Steps[argparse.ArgumentParser]", name: str, run: object, text: str) -> argparse.ArgumentParser:
    step = steps.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", epilog=_EPILOG)
    step.set_defaults(run=run)
    return step


def _add_collection(steps: "Steps[argparse.ArgumentParser]") -> None:
    step = _step(steps, "ingest", commands.ingest, "add the images of a folder")
    step.add_argument("folder", type=Path)
    step.add_argument("--metadata", type=Path, help="CSV with a column path and any of title, project, license")
    step.add_argument("--project", choices=("none", "folder"), default="none", help="what groups images of one maker")
    step = _step(steps, "embed", commands.embed, "embed every image that has no vector yet")
    step.add_argument("--encoder", help="builtin, timm:NAME or openclip:MODEL/PRETRAINED; default: the one in use")
    step.add_argument("--checkpoint", type=Path, help="a file of weights instead of the hub's")


def _add_attribute(steps: "Steps[argparse.ArgumentParser]") -> None:
    step = steps.add_parser("attribute", help="define or list attributes", epilog=_EPILOG)
    actions = step.add_subparsers(metavar="ACTION", required=True)
    add = _step(actions, "add", commands.add_attribute, "define an attribute, or take one of BAM's twenty by its name")
    add.add_argument("name")
    add.add_argument("--question", help="may be left out for one of BAM's twenty")
    add.add_argument("--kind", choices=KINDS, default="own")
    add.add_argument("--instructions", default="")
    _step(actions, "list", commands.list_attributes, "list the attributes")


def _add_learning(steps: "Steps[argparse.ArgumentParser]") -> None:
    step = _step(steps, "simulate", simulation.run, "play the rounds against a truth column, beside random sampling")
    step.add_argument("--labels", type=Path, required=True, help="CSV with a column path and the truth")
    step.add_argument("--column", required=True, help="the truth column")
    step.add_argument("--positive", required=True, help="the value that means yes")
    step.add_argument("--rounds", type=_positive, default=4)
    step.add_argument("--batch", type=_positive, default=100, help="labels a round (default: 100)")
    step.add_argument("--validation", type=_positive, default=200, help="labels of the validation set (default: 200)")
    step.add_argument("--strategy", choices=list(STRATEGIES), default="mixture")
    step.add_argument("--target", type=_share, default=0.90, help="precision to keep (default: 0.90)")
    step.add_argument("--seed", type=int, default=0)
    step.add_argument("--json", type=Path, help="write the figures to this file")
    step = _step(steps, "score", commands.score, "train on the labels there are and score every image")
    which = step.add_mutually_exclusive_group(required=True)
    which.add_argument("name", nargs="?")
    which.add_argument("--all", action="store_true", help="train nothing: score all attributes anew, in one pass")
    step = _step(steps, "threshold", commands.threshold, "choose and keep the threshold of an attribute")
    step.add_argument("name")
    step.add_argument("--target", type=_share, default=0.90, help="precision to keep (default: 0.90)")
    step.add_argument("--recall", type=_share, help="keep this recall instead; an audit still checks the precision")
    step.add_argument("--at-once", action="store_true", help="be sure of all attributes' promises together")
    step.add_argument("--dry-run", action="store_true", help="print it, keep nothing")


def _add_results(steps: "Steps[argparse.ArgumentParser]") -> None:
    step = _step(steps, "agreement", agreement.run, "print how far the annotators of an attribute agree")
    step.add_argument("name")
    step.add_argument("--without-unsure", action="store_true", help="count unsure as no answer")
    layouts.add_options(_step(steps, "layout", layouts.run, "compute a map, or place new images on one"))
    step = _step(steps, "audit", commands.audit, "draw an audit, print what the answers say, or write the chart of all")
    step.add_argument("name", nargs="?", help="the attribute; may be left out with --chart")
    step.add_argument("--draw", action="store_true", help="draw a fresh sample to judge in the app")
    step.add_argument("--accepted", type=_positive, default=100)
    step.add_argument("--rejected", type=_positive, default=100)
    step.add_argument("--people", type=_positive, help="who judge each image (default: as many as for every label)")
    step.add_argument("--chart", type=Path, help="write every attribute's audited precision to a .svg, .png or .csv")
    step = _step(steps, "report", commands.report, "write all that is known of an attribute as one HTML file")
    step.add_argument("name")
    step.add_argument("--out", type=Path, help="the file (default: NAME.html)")
    step = _step(steps, "export", commands.export, "write the dataset")
    step.add_argument("target", type=Path, help="the file (sqlite) or folder (csv) to write")
    step.add_argument("--format", choices=FORMATS, default="sqlite")
    _step(steps, "status", commands.status, "print where everything stands and what to do next")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of at least 1")
    return number


def _share(text: str) -> float:
    share = float(text)
    if not 0 < share < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a share between 0 and 1")
    return share
