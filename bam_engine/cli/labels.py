"""``labels``: import labels made elsewhere, and export those that people agree on."""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from bam_engine.cli.arguments import EPILOG, Commands, add_command, add_raw_text, given_path
from bam_engine.cli.paths import print_lines_without_path, print_paths
from bam_engine.cli.progress import bar
from bam_engine.errors import AnnotationError
from bam_engine.exchange.label_tables import Vocabulary
from bam_engine.formatting import count
from bam_engine.labelling.bam_answers import import_bam
from bam_engine.labelling.class_answers import FoundClasses, ImportedClasses, find_classes, import_classes
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
    action = add_command(actions, "import-classes", import_class_file, "store the classes of COCO, FiftyOne or folders")
    action.add_argument("source", type=given_path, help="COCO file, folder that FiftyOne wrote, or folder of classes")
    action.add_argument(
        "--class",
        dest="classes",
        action="append",
        default=[],
        metavar="NAME[=ATTRIBUTE]",
        help="class to store, and the attribute it is a label of (default: the one called like it, added if missing); "
        "repeatable; without it, the classes are listed and nothing is stored",
    )
    action.add_argument("--annotator", help="name of the source that gave the labels, such as COCO")
    action.add_argument(
        "--complete", action="store_true", help="images that are not said to show a class do not show it"
    )
    action.add_argument("--field", help="field of FiftyOne's samples, where several have classes")
    action.description = (
        "Store the classes of images as the votes of a named source: a COCO or LVIS file, a folder that FiftyOne "
        "exported (FiftyOneDataset, FiftyOneImageClassificationDataset, COCODetectionDataset), or a folder with a "
        "folder for each class. Images that show a class are a yes. Without --complete, only what the source states "
        "is a no (neg_category_ids of LVIS). Several classes may be one attribute. Imported labels train, and never "
        "judge. Importing a source twice stores its labels once."
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
    _print_stored(imported.stored, options.attribute, options.annotator, validation=options.validation)
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


def import_class_file(workspace: Workspace, options: Namespace) -> None:
    """Import the classes that are named, or list those that there are."""
    found = find_classes(workspace, options.source, label_field=options.field)
    print(f"{options.source}: {found.labels.kind}, {count(len(found.matches.rows), 'image')} in the collection")
    for why, places in found.labels.unclear.items():
        print(f"  {len(places):,} left out: {why}; the first: {places[0]}")
    print_paths(found.matches.unmatched, "no image")
    print_paths(found.matches.ambiguous, "several images")
    if not options.classes:
        print("classes, and the images that show them:")
        for name, number in found.counts.items():
            print(f"  {number:>9,}  {name}")
        print("nothing is stored: name classes with --class, and their source with --annotator")
        return
    if not options.annotator:
        raise AnnotationError("Say who gave these labels with --annotator, such as --annotator COCO.")
    classes = _classes(options.classes, found)
    with bar("import", "labels") as report:
        imported = import_classes(
            workspace, found, classes, annotator=options.annotator, complete=options.complete, report=report
        )
    for each in imported:
        _print_class(each, options)


def _classes(given: Sequence[str], found: FoundClasses) -> dict[str, str]:
    """Return class → attribute, "" where none is named; a class may have the sign = in its name."""
    parts = {text: (text, "") if text in found.labels.shown else text.rpartition("=")[::2] for text in given}
    return {name or attribute: attribute if name else "" for name, attribute in parts.values()}


def _print_class(imported: ImportedClasses, options: Namespace) -> None:
    _print_stored(imported.stored, imported.attribute, options.annotator)
    if imported.added:
        print(f"  {imported.attribute} was added: look at its question on the page Attributes")
    if imported.contradictions:
        print(f"  {imported.contradictions:,} left out: said to show it, and not to")
    if not imported.stored.no and imported.stored.yes and not options.complete:
        print("  nothing is a no: a classifier needs both. If the source has all that show it, import with --complete")


def _print_stored(stored: StoredLabels, attribute: str, annotator: str, *, validation: bool = False) -> None:
    new = f"{count(stored.new, 'label')} of {attribute} stored for {annotator}"
    print(f"{new}: {stored.yes:,} yes, {stored.no:,} no, {stored.unsure:,} unsure")
    if stored.repeated:
        print(f"  {stored.repeated:,} already stored")
    if stored.set_aside:
        print(f"  {stored.set_aside:,} set aside before, and still: `bam annotator bring-back` lets them count")
    if stored.left_out and validation:
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
