"""``labels``: import labels made elsewhere, and export those that people agree on."""

from argparse import ArgumentParser, Namespace

from bam_engine.cli.arguments import EPILOG, Commands, add_command, add_raw_text, given_path
from bam_engine.cli.paths import print_lines_without_path, print_paths
from bam_engine.cli.progress import bar
from bam_engine.exchange.label_tables import Vocabulary
from bam_engine.formatting import count
from bam_engine.labelling.bam_answers import import_bam
from bam_engine.labelling.exporting import write_labels
from bam_engine.labelling.importing import ImportedLabels, StoredLabels, import_labels
from bam_engine.labelling.tasks import attribute_of
from bam_engine.workspace import Workspace
from bam_engine.workspace.flow import one_flow


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the command and its subcommands to the parser."""
    command = commands.add_parser(
        "labels", help="import or export labels", description="Import or export labels.", epilog=EPILOG
    )
    actions = command.add_subparsers(title="actions", metavar="ACTION", required=True)
    action = add_command(actions, "import", import_file, "store the labels of a table as the votes of one annotator")
    action.add_argument("file", type=given_path, help="CSV (UTF-8, with a header) or Parquet file")
    action.add_argument("--attribute", required=True, help="attribute that the labels are about")
    action.add_argument("--column", required=True, help="column of the answers")
    action.add_argument("--annotator", required=True, help="name of the person who gave them")
    action.add_argument("--path-column", default="path", help="column of the images' paths (default: path)")
    action.add_argument(
        "--folder", type=given_path, help="folder that relative paths are relative to (default: the one of the file)"
    )
    for name, words in (("positive", "yes"), ("negative", "no"), ("unsure", "unsure")):
        action.add_argument(
            f"--{name}", action="append", default=[], metavar="VALUE", help=f"value that means {words}; repeatable"
        )
    action.add_argument(
        "--validation", action="store_true", help="answer the validation sample instead of adding labels to train on"
    )
    action.description = (
        "Store the labels of a table as the votes of one annotator. The usual words for yes and no are known (yes/no, "
        "true/false, 1/0, positive/negative, unsure); with --positive alone, every other value means no. Empty cells "
        "are skipped. Imported labels count as votes and are used for training; with --validation, they answer the "
        "validation sample instead. Importing a file twice stores its labels once."
    )
    action = add_command(actions, "import-bam", import_bam_file, "store the answers and captions of BAM's SQLite file")
    action.add_argument("file", type=given_path, help="BAM's SQLite file, or one that `bam export` wrote")
    action.description = (
        "Store the answers and captions of BAM's SQLite file, or of one that `bam export` wrote, under the names of "
        "its workers. Missing attributes are added. Images are recognised by the URL or the path in the table modules: "
        "`bam urls download FILE` adds those with a URL. Answers count as votes and are used for training. Importing "
        "a file twice stores its answers once, so it can be run again after more images were downloaded."
    )
    action = add_command(actions, "export", export_file, "write the labels that people agree on to a CSV")
    action.add_argument("file", type=given_path, help="CSV to write")
    action.add_argument("--attribute", required=True, help="attribute that the labels are about")
    add_raw_text(action)


def import_file(workspace: Workspace, options: Namespace) -> None:
    """Import a table of labels, and print what was stored and what was not."""
    attribute = attribute_of(workspace, options.attribute)
    imported = import_labels(
        workspace,
        attribute,
        options.file,
        column=options.column,
        annotator=options.annotator,
        path_column=options.path_column,
        vocabulary=Vocabulary.of(options.positive, options.negative, options.unsure),
        folder=options.folder,
        to="validation" if options.validation else "training",
    )
    _print_stored(imported.stored, options)
    _print_skipped(imported)
    if options.validation or not imported.stored.new:
        return
    if workspace.redundancy > 1:
        print(f"Each image needs {workspace.redundancy} votes: labels train once as many annotators agree.")
    print(f"next: train on them (`bam score {attribute.name}`)")


def import_bam_file(workspace: Workspace, options: Namespace) -> None:
    """Import BAM's file, and print what was stored and what was not."""
    with bar("import", "answers") as report:
        imported = import_bam(workspace, options.file, report=report)
    first, *more = imported.lines()
    print("\n  ".join([first, *more]))
    if imported.without_image:
        verb = "is" if imported.without_image == 1 else "are"
        print(
            f"{count(imported.without_image, 'image')} with answers or captions {verb} not in the collection: "
            f"`bam urls download {options.file}` adds those with a URL; then import again"
        )


def _print_stored(stored: StoredLabels, options: Namespace) -> None:
    new = f"{count(stored.new, 'label')} of {options.attribute} stored for {options.annotator}"
    print(f"{new}: {stored.yes:,} yes, {stored.no:,} no, {stored.unsure:,} unsure")
    if stored.repeated:
        print(f"  {stored.repeated:,} already stored")
    if stored.set_aside:
        print(f"  {stored.set_aside:,} set aside before, and still: `bam annotator bring-back` lets them count")
    if stored.left_out and options.validation:
        print(f"  {stored.left_out:,} left out: not in the validation sample")
    elif stored.left_out:
        print(f"  {stored.left_out:,} left out: held out for validation, certification or audit")
    if stored.removed:
        print(f"  {stored.removed:,} left out: removed from the collection")


def _print_skipped(imported: ImportedLabels) -> None:
    if imported.empty:
        print(f"  {count(imported.empty, 'empty cell')} skipped")
    print_paths(imported.unmatched, "no image")
    print_paths(imported.ambiguous, "several images")
    print_lines_without_path(imported.without_path)


@one_flow
def export_file(workspace: Workspace, options: Namespace) -> None:
    """Write the labels of an attribute."""
    lines = write_labels(workspace, attribute_of(workspace, options.attribute), options.file, raw_text=options.raw_text)
    print(f"{options.file}: {count(lines, 'image')}")
