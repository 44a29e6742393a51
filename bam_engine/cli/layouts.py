"""``layout``: compute a map, place new images on one, delete or restore one, or list them all."""

from argparse import ArgumentParser, Namespace

from bam_engine import projection
from bam_engine.cli.arguments import Commands, add_command, positive_integer
from bam_engine.cli.progress import bar
from bam_engine.errors import ProjectionError
from bam_engine.formatting import count, decimal_interval, duration, percent_interval
from bam_engine.maps import layout_builder, layout_store, regions
from bam_engine.projection.score_plane import BY
from bam_engine.workspace import Workspace


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the command to the parser."""
    command = add_command(commands, "layout", run, "compute a map, or place new images on one")
    command.add_argument("--method", choices=list(layout_store.METHODS), default="tsne", help="default: %(default)s")
    command.add_argument(
        "--scope", choices=list(layout_store.SCOPES), default="collection", help="default: %(default)s"
    )
    command.add_argument(
        "--best",
        type=positive_integer,
        default=layout_builder.BEST,
        help="--scope best: top-scoring images of each attribute (default: %(default)s)",
    )
    command.add_argument("--selection", metavar="ID", help="--scope selection: a selection made on the Map page")
    command.add_argument("--attributes", nargs=2, metavar=("X", "Y"), help="--method scores: attributes of the axes")
    command.add_argument("--by", choices=BY, default="rank", help="--method scores: quantity (default: %(default)s)")
    command.add_argument(
        "--sample",
        type=positive_integer,
        default=projection.SAMPLE,
        help="fit at most this many images and place the others among them (default: %(default)s)",
    )
    command.add_argument("--seed", type=int, default=0, help="random seed (default: %(default)s)")
    command.add_argument(
        "--place-new", metavar="MAP", nargs="?", const="", help="place new images on a map (default: the newest)"
    )
    command.add_argument("--remove", metavar="MAP", help="delete a map; images, vectors and labels stay")
    command.add_argument("--restore", action="store_true", help="restore the map that was deleted last")
    command.add_argument("--list", action="store_true", help="list the maps and the names of their regions")


def run(workspace: Workspace, options: Namespace) -> None:
    """Compute a map, or do what the options say instead."""
    if options.list:
        _list(workspace)
    elif options.remove is not None:
        record = layout_store.layout_of(workspace, options.remove)
        layout_store.delete(workspace, record.id)
        print(f"Deleted: {record.title}. `bam layout --restore` undoes this until another map is deleted.")
    elif options.restore:
        print(f"Restored: {layout_store.restore(workspace).title}.")
    elif options.place_new is not None:
        _place_new(workspace, options.place_new)
    else:
        _compute(workspace, options)


def _compute(workspace: Workspace, options: Namespace) -> None:
    with bar("layout", "steps") as report:
        record = layout_builder.build(
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
    print(_title(record))
    _print_quality(record)


def _place_new(workspace: Workspace, map_id: str) -> None:
    before = _map_to_extend(workspace, map_id)
    with bar("placing", "steps") as report:
        record = layout_builder.extend(workspace, before.id, report=report)
    print(f"{count(record.n - before.n, 'image')} placed: {record.title}")


def _map_to_extend(workspace: Workspace, map_id: str) -> layout_store.LayoutRecord:
    """Return the map of this id, or the newest of the collection where the id is empty."""
    if map_id:
        return layout_store.layout_of(workspace, map_id)
    records = [record for record in layout_store.list_layouts(workspace) if record.scope == "collection"]
    if not records:
        raise ProjectionError("There is no map of the collection to place images on. Make one with `bam layout`.")
    return records[0]


def _list(workspace: Workspace) -> None:
    for record in layout_store.all_layouts(workspace):
        other = "" if record.encoder == workspace.choice.key else f", with {workspace.encoder_name(record.encoder)}"
        print(f"{record.id}\n  {_title(record)}{other}")
        _print_quality(record)
        for region in regions.refresh(workspace, record.id):
            print(f"  zoom {region.from_zoom}–{region.to_zoom}  {region.name}: {region.why}")


def _title(record: layout_store.LayoutRecord) -> str:
    return f"{record.title} ({duration(record.seconds)})"


def _print_quality(record: layout_store.LayoutRecord) -> None:
    quality = record.quality
    if quality is not None:
        preserved = percent_interval(quality.kept, quality.kept_low, quality.kept_high)
        trust = decimal_interval(quality.trust, quality.trust_low, quality.trust_high, 3)
        print(f"  nearest {quality.nearest} neighbours preserved {preserved}, trustworthiness {trust}")
