"""``bam-file``: BAM's published SQLite file, browsed where it lies; ``ingest bam`` reads it."""

import json
import shlex
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import Any

from bam_engine.cli.arguments import EPILOG, Commands, add_command, add_raw_text, given_path, positive_integer
from bam_engine.cli.progress import bar
from bam_engine.collection.texts import printable
from bam_engine.download import Settings, parse_rules
from bam_engine.errors import CollectionError
from bam_engine.files import check_output, replacing
from bam_engine.formatting import count, percent
from bam_engine.published import Arrays, Contents, Query, find, forget, lines_of, make_arrays, named_file, opened
from bam_engine.published.fetching import MOST, USUAL, download_found
from bam_engine.published.pictures import hosts_of, picture_settings, switch_off, switch_on
from bam_engine.published.query import BY, SORTS
from bam_engine.spreadsheets import write_lines
from bam_engine.workspace import Workspace

_SUFFIXES = (".csv", ".json")
_LISTED = 10  # hosts


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the command and its subcommands to the parser."""
    command = commands.add_parser(
        "bam-file",
        help="browse BAM's published SQLite file",
        description="Browse BAM's published SQLite file, which `bam ingest bam FILE` has read.",
        epilog=EPILOG,
    )
    actions = command.add_subparsers(title="actions", metavar="ACTION", required=True)
    add_command(actions, "contents", show_contents, "print what is in the file")
    action = add_command(actions, "find", run, "print or write the images of the file that match conditions")
    action.description = (
        "Print or write the images of the file that match all conditions. The place of an image for an attribute is "
        "the share of scored images with a lower score, or, with --without, with a higher one; with several "
        "attributes, its lowest place counts."
    )
    _add_query(action)
    action.add_argument("--count", type=positive_integer, help="images (default: 20 printed, all written)")
    action.add_argument(
        "--to",
        type=given_path,
        metavar="FILE",
        help="CSV or JSON file to write; a CSV is a list for `bam urls download`",
    )
    add_raw_text(action)
    action = add_command(
        actions, "download", run_download, "download images that match conditions, with what the crowd said of them"
    )
    action.description = (
        f"Download the first images that match all conditions and are not in the collection, {MOST:,} at most, and "
        "store what the crowd said of them as votes of its workers."
    )
    _add_query(action)
    action.add_argument("--count", type=positive_integer, default=USUAL, help=f"most images (default: {USUAL})")
    action = add_command(actions, "pictures", run_pictures, "fetch pictures of the file from their URLs, or do not")
    action.description = (
        "Say whether the page of BAM's file fetches pictures that the collection does not have from their URLs, while "
        "somebody looks at them. At first it does not; nobody is asked for anything."
    )
    action.add_argument("state", nargs="?", choices=("on", "off"), help="default: print what holds, and the hosts")
    action.add_argument("--contact", metavar="TEXT", help="how hosts reach you; sent with every request")
    action.add_argument(
        "--rewrite-host", action="append", metavar="OLD=NEW", help="ask the host NEW for pictures of OLD; repeatable"
    )
    add_command(actions, "forget", run_forget, "browse the file no more; the file stays")


def _add_query(action: ArgumentParser) -> None:
    _add_attributes(action, "--attribute", "that the images should have")
    _add_attributes(action, "--without", "that they should not have")
    action.add_argument(
        "--by",
        choices=BY,
        default="place",
        help="place: all images with scores; automatic: those that BAM's automatic labels call so (default: place)",
    )
    action.add_argument("--place-from", type=_share, default=0.0, metavar="SHARE", help="least place, from 0 to 1")
    action.add_argument("--place-to", type=_share, default=1.0, metavar="SHARE", help="greatest place, from 0 to 1")
    _add_attributes(action, "--crowd", "that the crowd has labelled positive")
    _add_attributes(action, "--crowd-without", "that the crowd has labelled negative")
    action.add_argument("--words", default="", help="words, or parts of words, that one caption contains, in any case")
    action.add_argument("--sort", choices=SORTS, default="best", help="order (default: best)")


def _add_attributes(action: ArgumentParser, option: str, words: str) -> None:
    action.add_argument(option, action="append", default=[], metavar="NAME", help=f"{words}; repeatable")


def _share(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise ArgumentTypeError(f"{text} is no number from 0 to 1")
    return number


def ingest(workspace: Workspace, file: Path) -> None:
    """Read BAM's file, and print what is in it."""
    with bar("read", "lines") as report:
        arrays = make_arrays(workspace, file, report=report)
    _print_contents(arrays.file, arrays.contents)
    print("next: the page BAM's file of the app, or `bam bam-file find`")
    print(f"its pictures: `bam urls download {shlex.quote(str(file))}`")


def show_contents(workspace: Workspace, options: Namespace) -> None:
    """Print what is in the file."""
    arrays = opened(workspace)
    _print_contents(arrays.file, arrays.contents)


def _print_contents(file: Path, contents: Contents) -> None:
    first, *more = contents.lines()
    print("\n  ".join([f"{file}: {first}", *more]))
    columns = ("attribute", "scores", "automatic: yes", "unsure", "no", "crowd: yes", "no", "choices")
    print(f"  {columns[0]:24}" + "".join(f"{column:>16}" for column in columns[1:]))
    for one in contents.attributes:
        numbers = (one.scored, one.positive, one.unsure, one.negative, one.crowd_positive, one.crowd_negative)
        print(f"  {_shown(one.name):24}" + "".join(f"{number:>16,}" for number in (*numbers, one.choices)))


def _shown(text: object) -> str:
    """Return a text of the file with control characters as escapes: a terminal would obey them."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in printable(str(text)))


def _query(options: Namespace) -> Query:
    """Return the query of the options."""
    return Query(
        yes=tuple(dict.fromkeys(options.attribute)),
        no=tuple(dict.fromkeys(options.without)),
        by=options.by,
        place_from=options.place_from,
        place_to=options.place_to,
        crowd_yes=tuple(dict.fromkeys(options.crowd)),
        crowd_no=tuple(dict.fromkeys(options.crowd_without)),
        words=options.words,
        sort=options.sort,
    )


def run(workspace: Workspace, options: Namespace) -> None:
    """Print or write the images that match."""
    arrays = opened(workspace)
    query = _query(options)
    found = find(workspace, arrays, query)
    names = tuple(dict.fromkeys((*query.names, *query.crowd_yes, *query.crowd_no)))
    positions = found.positions[: options.count or (20 if options.to is None else len(found))]
    listed = f", the first {len(positions):,} {'listed' if options.to is None else 'written'}"
    print(f"{count(len(found), 'image')} of {len(arrays):,} found{listed if len(positions) < len(found) else ''}")
    if found.unscored:
        print(f"  {found.unscored:,} left out: no score")
    if options.to is not None:
        _write(options.to, arrays, positions, names, raw_text=options.raw_text)
        print(f"{options.to}: {count(len(positions), 'image')}")
        return
    for line, lowest in zip(lines_of(arrays, positions, names), found.lowest.tolist(), strict=False):
        place = "" if lowest != lowest else f"  place {percent(lowest)}"
        print(f"  {line['mid']:>10}{place}  {_shown(line['url'] or 'no URL')}")


def _write(target: Path, arrays: Arrays, positions: Any, names: tuple[str, ...], *, raw_text: bool) -> None:
    """Write images as CSV or JSON, by the name of the file."""
    if target.suffix.lower() not in _SUFFIXES:
        raise CollectionError(f"Cannot write {target}: name a file that ends in {' or '.join(_SUFFIXES)}.")
    try:
        check_output(target)
        with replacing(target) as path, path.open("w", newline="", encoding="utf-8") as file:
            lines = lines_of(arrays, positions, names)
            if target.suffix.lower() == ".json":
                for number, line in enumerate(lines):
                    file.write(("[\n" if number == 0 else ",\n") + json.dumps(line, default=str))
                file.write("\n]\n" if len(positions) else "[]\n")
                return
            columns = ["mid", "url", "project", "license", "mature"]
            columns += [f"{name}_{what}" for name in names for what in ("place", "automatic", "crowd")]
            write_lines(file, [columns])
            write_lines(file, (tuple(line.values()) for line in lines), raw_text=raw_text)
    except OSError as error:
        raise CollectionError(f"Cannot write {target}: {error.strerror or error}.") from error


def run_forget(workspace: Workspace, options: Namespace) -> None:
    """Name no file any more."""
    file = named_file(workspace)
    forget(workspace)
    print("no file of BAM's was named" if file is None else f"{file} is not browsed any more; the file stays")


def run_download(workspace: Workspace, options: Namespace) -> None:
    """Download images that match."""
    arrays = opened(workspace)
    found = find(workspace, arrays, _query(options))
    print(f"{count(len(found), 'image')} found; downloading {options.count:,} of them at most")
    with bar("download", "URLs") as report:
        fetched = download_found(workspace, arrays, found, options.count, report=report)
    print("\n".join(fetched.lines()))
    print(f"next: `bam urls status {fetched.downloaded.list.name}`, then `bam embed`")


def run_pictures(workspace: Workspace, options: Namespace) -> None:
    """Switch pictures on or off, and print what holds and whom the server asks."""
    settings = picture_settings(workspace)
    named = options.contact is not None or options.rewrite_host is not None
    if named and options.state != "on":
        raise CollectionError("--contact and --rewrite-host belong to `bam bam-file pictures on`.")
    if options.state == "on":
        before = settings or Settings()
        hosts = before.hosts if options.rewrite_host is None else parse_rules(options.rewrite_host)
        switch_on(workspace, contact=before.contact if options.contact is None else options.contact, hosts=hosts)
    elif options.state == "off":
        switch_off(workspace)
    settings = picture_settings(workspace)
    print(f"pictures are {'not ' if settings is None else ''}fetched from their URLs")
    if settings is None and options.state == "off":
        return
    found = hosts_of(workspace, opened(workspace))
    for host, images in found[:_LISTED]:
        instead = "" if settings is None or host not in settings.hosts else f", asked at {settings.hosts[host]}"
        print(f"{images:12,}  {_shown(host)}{instead}")
    if len(found) > _LISTED:
        print(f"{sum(images for _, images in found[_LISTED:]):12,}  at {count(len(found) - _LISTED, 'other host')}")
