"""The step ``layout``: compute a map, place new images on one, delete one, or list those there are."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace

from bam_engine import projection
from bam_engine.cli.progress import bar
from bam_engine.errors import ProjectionError
from bam_engine.maps import maps, regions
from bam_engine.workspace import Workspace


def add_options(step: ArgumentParser) -> None:
    """Add what the step takes."""
    step.add_argument("--method", choices=list(maps.METHODS), default="tsne")
    step.add_argument("--scope", choices=list(maps.SCOPES), default="collection")
    step.add_argument("--best", type=_number, default=maps.BEST, help="images of each attribute for --scope best")
    step.add_argument("--selection", help="the id of a selection made on the Map page, for --scope selection")
    step.add_argument("--attributes", nargs=2, metavar=("RIGHT", "UP"), help="the two of --method scores")
    step.add_argument("--by", choices=maps.BY, default="rank", help="what of a score counts for --method scores")
    step.add_argument(
        "--sample",
        type=_number,
        default=projection.SAMPLE,
        help=f"of more images, so many are fitted and the rest placed among them (default: {projection.SAMPLE})",
    )
    step.add_argument("--seed", type=int, default=0)
    step.add_argument("--place-new", metavar="MAP", nargs="?", const="", help="place images that came later on a map")
    step.add_argument("--remove", metavar="MAP", help="delete a map; images, vectors and labels stay")
    step.add_argument("--bring-back", action="store_true", help="have the map again that was deleted last")
    step.add_argument("--list", action="store_true", help="print the maps there are and their names on the land")


def run(workspace: Workspace, options: Namespace) -> None:
    """Compute a map, or do what the options say instead."""
    if options.list:
        _list(workspace)
        return
    if options.remove is not None:
        record = maps.layout_of(workspace, options.remove)
        maps.remove(workspace, record.id)
        print(f"deleted: {record.title}. --bring-back takes that back, until another is deleted.")
        return
    if options.bring_back:
        print(f"brought back: {maps.bring_back(workspace).title}")
        return
    if options.place_new is not None:
        before = _asked(workspace, options.place_new)
        with bar("placing", "steps") as report:
            made = maps.place_new(workspace, before.id, report=report)
        print(f"{made.n - before.n:,} images placed. {made.title}")
        return
    with bar("layout", "steps") as report:
        made = maps.make_layout(
            workspace,
            method=options.method,
            scope=options.scope,
            best=options.best,
            selection=options.selection,
            attributes=options.attributes or (),
            by=options.by,
            seed=options.seed,
            sample=options.sample,
            report=report,
        )
    print(f"{made.title}, in {made.seconds:.1f} s")
    _print_quality(made)


def _asked(workspace: Workspace, map_id: str) -> maps.LayoutRecord:
    """Return the map that is meant: by its id, or the newest of the collection."""
    if map_id:
        return maps.layout_of(workspace, map_id)
    found = [record for record in maps.layouts(workspace) if record.scope == "collection"]
    if not found:
        raise ProjectionError("there is no map of the collection to place images on. Make one with `layout`.")
    return found[0]


def _list(workspace: Workspace) -> None:
    for record in maps.layouts(workspace):
        print(f"{record.id}\n  {record.title}, in {record.seconds:.1f} s")
        _print_quality(record)
        for region in regions.refresh(workspace, record.id):
            print(f"  zoom {region.from_zoom}-{region.to_zoom}  {region.name}: {region.why}")


def _print_quality(record: maps.LayoutRecord) -> None:
    if (found := record.quality) is not None:
        print(
            f"  {found.nearest} nearest kept {found.kept:.3f} ({found.kept_low:.3f}-{found.kept_high:.3f}), "
            f"trustworthiness {found.trust:.3f} ({found.trust_low:.3f}-{found.trust_high:.3f})"
        )


def _number(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ArgumentTypeError(f"{text} is not a number of at least 1")
    return number
