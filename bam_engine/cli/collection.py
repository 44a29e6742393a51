"""``ingest`` and ``embed``: images into the collection, vectors for the images."""

from argparse import ArgumentParser, Namespace

from bam_engine.cli.arguments import Commands, add_command, given_path
from bam_engine.cli.paths import print_files, print_paths
from bam_engine.cli.progress import bar
from bam_engine.collection import ingest_folder
from bam_engine.formatting import count, decimal
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import embed_collection


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the commands to the parser."""
    command = add_command(commands, "ingest", ingest, "add the images of a folder")
    command.add_argument("folder", type=given_path)
    command.add_argument(
        "--metadata", type=given_path, help="CSV with a path column and any of title, project, license"
    )
    command.add_argument(
        "--project",
        choices=("none", "folder"),
        default="none",
        help="folder: the images of one subfolder belong to one project (default: none)",
    )
    command.add_argument("--verify", action="store_true", help="read every byte of known files, too")
    command = add_command(commands, "embed", embed, "compute the vectors of images that have none")
    command.add_argument(
        "--encoder",
        help="combined, network, builtin, timm:NAME or openclip:MODEL/PRETRAINED (default: current encoder)",
    )
    command.add_argument("--checkpoint", type=given_path, help="local file of weights, instead of the model hub's")


def ingest(workspace: Workspace, options: Namespace) -> None:
    """Add the images of a folder and list the files that cannot be read."""
    with bar("ingest", "images") as report:
        summary = ingest_folder(
            workspace.catalogue,
            workspace.thumbnails,
            options.folder,
            metadata=options.metadata,
            project=options.project,
            verify=options.verify,
            apart=workspace.own_folders,
            report=report,
        )
    found_again = f"{summary.found_again:,} found again, " if summary.found_again else ""
    print(
        f"{count(summary.added, 'image')} added, {summary.existing:,} already in the collection, {summary.moved:,} "
        f"moved, {found_again}{count(len(summary.duplicates), 'exact duplicate')}, {len(summary.unreadable):,} "
        f"unreadable, {count(summary.skipped, 'other file')} skipped"
    )
    if summary.removed:
        verb = "holds an image" if summary.removed == 1 else "hold images"
        print(
            f"  {count(summary.removed, 'file')} {verb} that you have removed; `bam remove --list` lists the removals, "
            "`bam return FOLDER` brings images back"
        )
    print_files(
        summary.replaced,
        "has changed; the labels stay with the old picture, which has no file",
        "have changed; the labels stay with the old pictures, which have no file",
    )
    print_files(summary.missing, "is missing; the image keeps its labels", "are missing; the images keep their labels")
    for folder in summary.passed_over:
        print(f"  {folder} was passed over: a cache, or the folder of the workspace")
    if summary.hidden:
        print(f"  {count(summary.hidden, 'hidden file or folder', 'hidden files and folders')} left alone")
    if summary.updated:
        print(f"  {count(summary.updated, 'image')} in the collection with new details")
    if summary.other_project:
        words = "keeps its" if summary.other_project == 1 else "keep their"
        print(f"  {count(summary.other_project, 'image')} {words} project, which is not the folder")
    print_paths(summary.unmatched, "no image", where="of the metadata")
    for problem in summary.unreadable:
        print(f"  {problem.path}: {problem.reason}")


def embed(workspace: Workspace, options: Namespace) -> None:
    """Embed the images without a vector, with the encoder of the options or the current one."""
    if options.encoder:
        workspace.choose_encoder(options.encoder, options.checkpoint)
    with bar("embed", "images") as report:
        summary = embed_collection(workspace, report=report)
    rate = f"{decimal(summary.rate, 1)} images/s"
    print(f"{count(summary.embedded, 'image')} embedded with {workspace.choice.spec} ({rate})")
    if summary.failed:
        print(f"{count(summary.failed, 'image')} could not be embedded; `bam status` lists the reasons.")
