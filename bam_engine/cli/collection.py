"""``ingest`` and ``embed``: images into the collection, vectors for the images, and which encoder is used."""

from argparse import ArgumentParser, BooleanOptionalAction, Namespace
from contextlib import nullcontext

from bam_engine.archives import FOLDER, ingest_images
from bam_engine.cli import bam_file
from bam_engine.cli.arguments import Commands, add_command, given_path
from bam_engine.cli.paths import print_files, print_paths
from bam_engine.cli.progress import bar
from bam_engine.collection import IngestResult
from bam_engine.collection.bucket_ingest import ingest_bucket
from bam_engine.collection.buckets import PROVIDERS
from bam_engine.embedding import connected
from bam_engine.errors import CollectionError
from bam_engine.formatting import count, decimal
from bam_engine.switching import moving
from bam_engine.workspace import Workspace


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the commands to the parser."""
    command = add_command(commands, "ingest", ingest, "add the images of a folder, an archive or a bucket")
    command.add_argument(
        "folder",
        type=given_path,
        help="folder, or a zip, tar or Parquet file; images in archives, also of the folder, are copied into the "
        "workspace; or the word bucket, and then an address; or the word bam, and then BAM's SQLite file",
    )
    command.add_argument(
        "what",
        nargs="?",
        metavar="address or file",
        help="after the word bucket: s3://BUCKET/FOLDER, gs:// or az://, whose images stay where they are; after the "
        "word bam: BAM's SQLite file, which is read and stays where it is; no image is added",
    )
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
    command.add_argument(
        "--endpoint-url",
        metavar="URL",
        help="of a bucket: its server if it is not the provider's own, such as MinIO; it is remembered",
    )
    command.add_argument(
        "--anonymous",
        action=BooleanOptionalAction,
        default=None,
        help="of a bucket: ask without credentials; it is remembered. Otherwise they come from the environment or the "
        "provider's configuration, and are never stored",
    )
    command = add_command(commands, "embed", embed, "compute the vectors of images that have none")
    command.add_argument(
        "--encoder",
        help="combined, network, builtin, timm:NAME or openclip:MODEL/PRETRAINED (default: current encoder); another "
        "one embeds all images and learns all labels, and is used from then on",
    )
    command.add_argument("--checkpoint", type=given_path, help="local file of weights, instead of the model hub's")
    command.add_argument("--preview", action="store_true", help="begin a new collection with the descriptors")
    command.add_argument(
        "--on",
        metavar="CLUSTER",
        help="embed on a Ray cluster: ray (started for this command), or HOST:PORT on one of its "
        "machines (default: in this process)",
    )
    command.add_argument("--use", metavar="KEY", help="use an encoder of `bam encoders` at once, with what it has")


def _kind(options: Namespace) -> str:
    """Return what is added: "bam", "bucket" or "", a folder or an archive; check that nothing else is asked for."""
    word, what = str(options.folder), options.what
    of_bucket = options.endpoint_url is not None or options.anonymous is not None
    if of_bucket and (word != "bucket" or what is None):
        raise CollectionError("--endpoint-url and --anonymous are about buckets: `bam ingest bucket ADDRESS`.")
    if what is None:
        if word == "bam" and not options.folder.exists():
            raise CollectionError("There is no folder bam. To read BAM's file, name it: `bam ingest bam FILE`.")
        if word == "bucket" and not options.folder.exists():
            raise CollectionError(
                "There is no folder bucket. Name the address: `bam ingest bucket s3://BUCKET/FOLDER`."
            )
        if word.partition(":/")[0] in PROVIDERS and ":/" in word:
            raise CollectionError(
                f"{word.partition(':/')[0]}:// is the address of a bucket: `bam ingest bucket ADDRESS`."
            )
        return ""
    if word == "bucket":
        return word
    if word != "bam":
        raise CollectionError(
            f"Cannot add {word} and {what} at once. Add one after the other, or, to read BAM's file, `bam ingest bam "
            f"{what}`."
        )
    if options.metadata is not None or options.project != "none" or options.verify:
        raise CollectionError("--metadata, --project and --verify are about images, and BAM's file adds none.")
    return word


def ingest(workspace: Workspace, options: Namespace) -> None:
    """Add the images of a folder, an archive or a bucket and list what cannot be read; or read BAM's file."""
    kind = _kind(options)
    if kind == "bam":
        bam_file.ingest(workspace, given_path(options.what))
        return
    if kind == "bucket":
        with bar("ingest", "images") as report:
            summary = ingest_bucket(
                workspace.catalogue,
                workspace.thumbnails,
                options.what,
                endpoint_url=options.endpoint_url,
                anonymous=options.anonymous,
                metadata=options.metadata,
                project=options.project,
                verify=options.verify,
                report=report,
            )
        _print_summary(summary)
        return
    with bar("ingest", "images") as report:
        summary = ingest_images(
            workspace.catalogue,
            workspace.thumbnails,
            options.folder,
            home=workspace.folder / FOLDER,
            metadata=options.metadata,
            project=options.project,
            verify=options.verify,
            apart=workspace.own_folders,
            report=report,
        )
    _print_summary(summary)


def _print_summary(summary: IngestResult) -> None:
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
    """Embed with an encoder and move to it, or use another with what it has."""
    if options.use:
        moving.use(workspace, options.use)
        print(f"{workspace.encoder_name()} is in use; every encoder keeps what it has")
        return
    spec, checkpoint = moving.encoder_to_embed_with(workspace, options.encoder, options.checkpoint)
    work = moving.begin_with_preview if options.preview and not len(workspace.vectors()) else moving.move
    with connected(options.on) if options.on else nullcontext() as cluster, bar("embed", "images") as report:
        moved = work(workspace, spec, checkpoint, on=cluster, report=report)
    _print_moved(workspace, moved)


def _print_moved(workspace: Workspace, moved: moving.Moved) -> None:
    """Print what a move has done, and what keeps it from being complete."""
    name, summary = workspace.encoder_name(moved.key), moved.embedded
    print(f"{count(summary.embedded, 'image')} embedded with {name} ({decimal(summary.rate, 1)} images/s)")
    if summary.failed:
        print(f"{count(summary.failed, 'image')} could not be embedded; `bam status` lists the reasons.")
    if moved.trained:
        print(f"{count(len(moved.trained), 'attribute')} trained with it: {', '.join(moved.trained)}")
    for attribute, reason in moved.failed:
        print(f"  {attribute} could not be trained: {reason}")
    before = workspace.encoder_name(moved.before)
    if not moved.in_use:
        print(f"{workspace.encoder_name()} is in use; `bam embed --use {moved.key}` uses {name} as it is")
    elif moved.before != moved.key and len(workspace.vectors(moved.before)):
        print(f"it is in use; {before} keeps what it has, and `bam embed --use {moved.before}` goes back to it")
