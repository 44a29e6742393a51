"""``problems``: dark, blurred, blank and other odd pictures, counted and listed."""

import json
from argparse import ArgumentParser, Namespace
from typing import Any

from bam_engine.cli.arguments import Commands, add_command, positive_integer
from bam_engine.cli.progress import bar
from bam_engine.collection.picture_problems import PROBLEMS
from bam_engine.formatting import count
from bam_engine.gallery import problems
from bam_engine.gallery.listing import list_images
from bam_engine.gallery.query import Query
from bam_engine.workspace import Workspace
from bam_engine.workspace.membership import members


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the command to the parser."""
    command = add_command(commands, "problems", run, "count and list dark, blurred, blank and other odd pictures")
    command.description = (
        "Count the images whose pictures are dark, over-bright, blurred, blank, of an odd aspect, tiny or grey, and "
        "list those with one of these problems, the worst first. Images that are not measured yet are measured first, "
        "from their thumbnails; stopped, the same command goes on. One that cannot be read stays not measured."
    )
    command.add_argument("--list", dest="name", choices=tuple(PROBLEMS), help="list the images with this problem")
    command.add_argument(
        "--most", type=positive_integer, default=20, metavar="NUMBER", help="how many are listed (default: %(default)s)"
    )
    command.add_argument("--json", action="store_true", help="print JSON")


def run(workspace: Workspace, options: Namespace) -> None:
    """Measure what is not measured, and print what was found."""
    with bar("measure", "pictures") as report:
        problems.scan(workspace, report=report)
    counts = problems.problem_counts(workspace, members(workspace))
    listed = [] if options.name is None else _listed(workspace, options.name, options.most)
    if options.json:
        print(json.dumps(_document(counts, options.name, listed), indent=1))
        return
    if options.name is None:
        for value, images in counts.items():
            print(f"{images:9,}  {value}")
        return
    first = f", the worst {len(listed):,} listed" if len(listed) < counts[options.name] else ""
    print(f"{count(counts[options.name], 'image')} {options.name}{first}")
    for each in listed:
        print(f"  {PROBLEMS[options.name].described(each['value'])}: {each['path']}")


def _listed(workspace: Workspace, name: str, most: int) -> list[dict[str, Any]]:
    """Return the worst images with a problem: row, path and value."""
    rows = list_images(workspace, Query(problem=(name,), sort=name)).rows[:most]
    values = problems.values_of(workspace, name, rows)
    images = workspace.catalogue.images(rows)
    return [
        {"row": image.row, "path": image.uri, "value": round(value, 4)}
        for image, value in zip(images, values.tolist(), strict=True)
    ]


def _document(counts: dict[str, int], name: str | None, listed: list[dict[str, Any]]) -> dict[str, Any]:
    """Return counts by value, what is measured for each problem, and the images that are listed."""
    limits = {
        problem: {"images": counts[problem], "measure": one.measure, "above" if one.above else "below": one.limit}
        for problem, one in PROBLEMS.items()
    }
    others = {"none": counts[problems.NONE], "not_measured": counts[problems.NOT_MEASURED]}
    return {"problems": limits, **others, **({} if name is None else {"listed": listed})}
