"""``snapshot``: the dataset as it was, frozen under a name; what changed since."""

import json
from argparse import ArgumentParser, Namespace

from bam_engine.cli.arguments import EPILOG, Commands, add_command, given_path
from bam_engine.cli.progress import bar
from bam_engine.formatting import count, decimal, file_size
from bam_engine.freezing import exporting, moments, restoring, snapshots
from bam_engine.freezing.contents import Facts
from bam_engine.freezing.differences import AttributeDifference, Images, summary
from bam_engine.freezing.moments import Comparison
from bam_engine.freezing.snapshots import NOW, DatasetSnapshot
from bam_engine.reporting.export import FORMATS, form_of
from bam_engine.workspace import Workspace

_LISTED = 10
"""How many images of each kind of change are named; ``--json`` names all."""


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the command and its subcommands to the parser."""
    text = "freeze the dataset under a name, and say what has changed since"
    command = commands.add_parser("snapshot", help=text, description=f"{text.capitalize()}.", epilog=EPILOG)
    actions = command.add_subparsers(title="actions", metavar="ACTION", required=True)
    action = add_command(actions, "create", create, "freeze images, labels, decisions and evidence as they are now")
    _add_name(action)
    action.add_argument("--note", default="", metavar="TEXT", help="what it is for")
    action.add_argument("--as", dest="by", default="", metavar="NAME", help="who makes it")
    action.description = (
        "Freeze images, labels, decisions and evidence as they are now, also while people label. Images are not "
        "copied: the snapshot knows their content and where they are. Accounts and passwords are not in it."
    )
    add_command(actions, "list", list_snapshots, "list the snapshots, newest first")
    action = add_command(actions, "show", show, "print what a snapshot holds and promises")
    _add_name(action)
    action = add_command(actions, "diff", diff, "print what changed between two snapshots, or since one")
    action.add_argument("before", metavar="A", help="a snapshot")
    action.add_argument(
        "after", metavar="B", nargs="?", default=NOW, help="another one (default: the dataset as it is)"
    )
    action.add_argument("--json", action="store_true", help="print every image, as JSON")
    action = add_command(actions, "restore", restore, "bring the dataset back as it was in a snapshot")
    _add_name(action)
    action.add_argument("--as", dest="by", default="", metavar="NAME", help="who does it")
    action.description = (
        "Bring the dataset back as it was in a snapshot. What there is now is kept in a snapshot of its own first. "
        "Accounts, sessions and the log stay as they are, and image files are not changed. A job that runs in the app "
        "is not seen from here: let none run."
    )
    action = add_command(
        actions, "export", export, "write the dataset of a snapshot, as `bam export` writes that of now"
    )
    _add_name(action)
    action.add_argument("target", type=given_path, help="file or folder to write")
    action.add_argument("--format", choices=FORMATS, help="default: by the end of the name, or sqlite")
    action = add_command(actions, "remove", remove, "remove a snapshot; images and the dataset as it is stay")
    _add_name(action)


def _add_name(action: ArgumentParser) -> None:
    action.add_argument("name", metavar="NAME", help="name of the snapshot, such as paper-2026")


def create(workspace: Workspace, options: Namespace) -> None:
    """Freeze the dataset."""
    with bar("snapshot", "rows") as report:
        made = snapshots.create(workspace, options.name, note=options.note, by=options.by, report=report)
    print(f"{made.name}: {_contents(made)} ({file_size(made.size)})")


def list_snapshots(workspace: Workspace, _options: Namespace) -> None:
    """Print one line for each snapshot."""
    found = snapshots.snapshots(workspace)
    for one in found:
        print(f"{one.name}: {_made(one)}, {_contents(one)}{f' · {one.note}' if one.note else ''}")
    for folder in snapshots.damaged(workspace):
        print(f"{folder.name}: damaged, cannot be read")
    if not found:
        print("There are no snapshots yet: `bam snapshot create NAME` makes one.")


def show(workspace: Workspace, options: Namespace) -> None:
    """Print what a snapshot holds, with what was decided about each attribute."""
    one = snapshots.get(workspace, options.name)
    print(f"{one.name}: {_contents(one)}")
    print(f"made {_made(one)}, by version {one.version} (schema {one.schema})")
    if one.note:
        print(f"note: {one.note}")
    print(f"SHA-256 of its tables: {one.digest}")
    contents = one.contents()
    for each in contents.attributes:
        print(f"\n{each.facts.name}: {count(int(each.delivered.sum()), 'image')} delivered")
        for line in _decided(each.facts):
            print(f"  {line}")


def _decided(facts: Facts) -> list[str]:
    """Return what is decided and known about an attribute, a line each."""
    if facts.threshold is None:
        return ["no threshold"]
    how = "saved" if facts.saved else "suggested"
    lines = [f"threshold {decimal(facts.threshold, 3)} ({how}), {facts.encoder}", facts.evidence, facts.audit]
    return [line for line in (facts.taken_back and "guarantee taken back", *lines) if line]


def diff(workspace: Workspace, options: Namespace) -> None:
    """Print what changed."""
    with moments.comparison(workspace, options.before, options.after) as compared:
        if options.json:
            print(json.dumps(moments.document(compared), indent=1))
            return
        difference = compared.difference
        print(f"{options.before} → {options.after}: {summary(difference)}")
        _print_images(compared, "in", difference.images_in)
        _print_images(compared, "out", difference.images_out)
        for facts in difference.attributes_in:
            print(f"attribute {facts.name}: new")
        for facts in difference.attributes_out:
            print(f"attribute {facts.name}: not in use any more")
        for each in difference.attributes:
            _print_attribute(compared, each)


def _print_attribute(compared: Comparison, changed: AttributeDifference) -> None:
    print(f"\n{changed.name}")
    for fact in changed.facts:
        note = " (what was guaranteed no longer holds)" if fact.what == "guarantee" and changed.broken else ""
        print(f"  {fact.what}{note}: {fact.before or 'none'} → {fact.after or 'none'}")
    for before, after, number in changed.transitions:
        print(f"  {count(number, 'label')}: {before} → {after}")
    _print_images(compared, "relabelled", changed.relabelled)
    print(f"  delivered: {changed.delivered_before:,} → {changed.delivered_after:,}")
    _print_images(compared, "delivered now", changed.delivered_in)
    _print_images(compared, "delivered no more", changed.delivered_out)


def _print_images(compared: Comparison, what: str, images: Images) -> None:
    """Print the first few of the images of one kind of change."""
    shown = Images(images.before[:_LISTED], images.after[:_LISTED])
    for image in compared.images(shown):
        print(f"  {what}: {image.uri}")
    if len(images) > len(shown):
        print(f"  {what}: {len(images) - len(shown):,} more, which --json lists")


def restore(workspace: Workspace, options: Namespace) -> None:
    """Bring the dataset back, and print where what was there before is."""
    with bar("snapshot", "rows") as report:
        before = restoring.restore(workspace, options.name, by=options.by, report=report)
    print(f"the dataset is as it was in {options.name}: {_contents(snapshots.get(workspace, options.name))}")
    print(f"what was there before is the snapshot {before.name}")


def export(workspace: Workspace, options: Namespace) -> None:
    """Write the dataset of a snapshot."""
    form = options.format or form_of(options.target)
    with bar("export", "steps") as report:
        written = exporting.export_snapshot(workspace, options.name, options.target, form=form, report=report)
    for path in written:
        print(path)


def remove(workspace: Workspace, options: Namespace) -> None:
    """Remove a snapshot."""
    snapshots.remove(workspace, options.name)
    print(f"the snapshot {options.name} is removed")


def _contents(one: DatasetSnapshot) -> str:
    attributes = count(len(one.attributes), "attribute")
    return f"{count(one.images, 'image')}, {attributes}, {count(one.answers, 'answer')}"


def _made(one: DatasetSnapshot) -> str:
    by = f" by {one.made_by}" if one.made_by else ""
    return f"on {one.made_at[:10]} at {one.made_at[11:16]} UTC{by}"
