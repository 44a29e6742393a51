"""``slices``: precision and prevalence of an attribute by saved view, or by the values of a facet."""

import json
import math
from argparse import ArgumentParser, Namespace
from dataclasses import asdict, replace
from typing import Any

from bam_engine.cli.arguments import Commands, add_command
from bam_engine.gallery import saved_views
from bam_engine.gallery.image_facets import FACETS
from bam_engine.labelling.tasks import attribute_of
from bam_engine.learning.slices import Figure, Figures
from bam_engine.reporting.slice_words import interval, points
from bam_engine.reporting.slices import Slice, Slices, by_facet, slices_of
from bam_engine.workspace import Workspace
from bam_engine.workspace.flow import one_flow


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the command to the parser."""
    command = add_command(commands, "slices", run, "print precision and prevalence by saved view or by facet")
    command.description = (
        "Print precision, prevalence and recall of an attribute, with 95% intervals, in each saved view of the gallery "
        "or for each value of a facet, the least precise first; how many more labels would narrow them to ±5 points; "
        "and which differ from the other images by more than chance explains, allowing for how many are looked at."
    )
    command.add_argument("name", help="attribute")
    what = command.add_mutually_exclusive_group()
    what.add_argument(
        "--view",
        action="append",
        metavar="VIEW",
        help="print this saved view alone; may be given several times. Differences are corrected for all of them",
    )
    what.add_argument("--by", choices=tuple(FACETS), help="a slice for each of the most frequent values of a facet")
    command.add_argument("--json", action="store_true", help="print the figures as JSON")


@one_flow
def run(workspace: Workspace, options: Namespace) -> None:
    """Print the figures."""
    attribute = attribute_of(workspace, options.name)
    wanted = {saved_views.load(workspace, name).name for name in options.view or ()}
    found = slices_of(workspace, attribute, by_facet(workspace, options.by) if options.by else None)
    shown = tuple(each for each in found.slices if not wanted or each.name in wanted)
    if options.json:
        print(json.dumps(_document(replace(found, slices=shown)), indent=1))
        return
    print(f"all images: {_words(found.whole)}")
    for each in shown:
        print(f"{each.name}: {each.problem if each.figures is None else _words(each.figures)}")
        for line in _below(each):
            print(f"  {line}")
    if not found.slices:
        print("There are no saved views yet: save one in the gallery, or ask for the values of a facet with --by.")
        return
    print(found.summary)
    print(found.caution)


def _words(found: Figures) -> str:
    """Return the figures in a line."""
    return (
        f"{found.accepted:,} of {found.images:,} accepted, precision {interval(found.precision)} on "
        f"{found.labels:,} labels, prevalence {interval(found.prevalence)} on {found.random_labels:,}, recall "
        f"{interval(found.recall)}"
    )


def _below(one: Slice) -> list[str]:
    compared = "" if one.apart is None else f"{points(one.apart)} points from the other images"
    if one.apart is not None and one.differs:
        compared += ", more than chance explains"
    return [line for line in (compared, one.too_few, *one.notes) if line]


def _document(found: Slices) -> dict[str, Any]:
    """Return the figures as JSON; what is not measured is null."""
    return {
        "attribute": found.attribute.name,
        "looks": found.looks,
        "all": _figures(found.whole),
        "slices": [
            {
                "name": each.name,
                "query": each.query.url(),
                **({} if each.figures is None else _figures(each.figures)),
                "problem": each.problem,
                "notes": [*each.notes],
                "difference": each.apart and _numbers(each.apart),
                "p": each.p,
                "p_corrected": each.corrected,
                "differs": each.differs,
            }
            for each in found.slices
        ],
    }


def _figures(found: Figures) -> dict[str, Any]:
    return {name: _numbers(value) if isinstance(value, tuple) else value for name, value in asdict(found).items()}


def _numbers(figure: Figure) -> list[float | None]:
    return [None if math.isnan(each) else round(each, 6) for each in figure]
