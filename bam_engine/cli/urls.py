"""``urls``: pictures of the web, by lists of their URLs."""

from argparse import ArgumentParser, Namespace
from dataclasses import asdict, replace
from pathlib import Path

from bam_engine.cli.arguments import EPILOG, Commands, add_command, given_path, positive_integer
from bam_engine.cli.progress import bar
from bam_engine.download import (
    COLUMNS,
    FOLDER,
    KINDS,
    SUFFIXES,
    Columns,
    Downloaded,
    Settings,
    UrlList,
    best_of,
    download_list,
    is_url,
    name_of,
    parse_rules,
    parse_url,
    preview,
    reading,
    resume_list,
    rewritten,
    url_list,
    url_lists,
)
from bam_engine.errors import NotFound
from bam_engine.files import replacing
from bam_engine.formatting import count
from bam_engine.spreadsheets import write_lines
from bam_engine.workspace import Workspace
from bam_engine.workspace.downloads import stores_of

_LISTED = 10  # kinds of failures
_NAME = "name of a list, as `bam urls status` prints it"


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the command and its subcommands to the parser."""
    command = commands.add_parser(
        "urls",
        help="download the pictures of a list of URLs",
        description="Download the pictures of a list of URLs.",
        epilog=EPILOG,
    )
    actions = command.add_subparsers(title="actions", metavar="ACTION", required=True)
    formats = f"file with URLs ({', '.join(SUFFIXES)})"
    action = add_command(
        actions, "preview", show, "print the columns, the number and the first URLs of a list", opened=False
    )
    action.add_argument("list", type=given_path, help=formats)
    _add_columns(action)
    _add_hosts(action)
    action = add_command(actions, "best", best, "write a list of the images that BAM's scores put first", opened=False)
    action.add_argument("file", type=given_path, help="BAM's SQLite file, or one that `bam export` wrote")
    action.add_argument(
        "--attribute", action="append", default=[], metavar="NAME", help="that the images should have; repeatable"
    )
    action.add_argument(
        "--without", action="append", default=[], metavar="NAME", help="that they should not have; repeatable"
    )
    action.add_argument("--count", type=positive_integer, default=1_000, help="images (default: 1000)")
    action.add_argument("--to", type=given_path, required=True, metavar="LIST", help="list of URLs to write, a CSV")
    action.description = (
        "Write a list of the images that BAM's scores put first, to be downloaded. Scores are compared within one "
        "attribute alone: the place of an image is the share of images with a lower score, or, with --without, with a "
        "higher one. With several attributes, its lowest place counts."
    )
    action = add_command(
        actions, "download", download, "download the pictures of a list and add them to the collection"
    )
    action.add_argument("list", type=given_path, help=formats)
    _add_columns(action)
    _add_settings(action)
    _add_hosts(action)
    action = add_command(actions, "retry", retry, "go on with a list, and try its failed URLs again")
    action.add_argument("name", help=_NAME)
    action.add_argument(
        "--error",
        action="append",
        metavar="KIND",
        help=f"try those again that failed so: {', '.join(KINDS)} (default: all)",
    )
    _add_hosts(action)
    action = add_command(actions, "status", status, "print how far lists are, and why URLs have failed")
    action.add_argument("name", nargs="?", help=f"{_NAME} (default: all)")
    action = add_command(actions, "export", export, "write the status of every URL of a list into a CSV file")
    action.add_argument("name", help=_NAME)
    action.add_argument("--to", type=given_path, required=True, metavar="FILE")
    action.add_argument("--error", choices=list(KINDS), metavar="KIND", help="only URLs that failed so")


def _add_columns(action: ArgumentParser) -> None:
    words = {"url": "URLs", "title": "titles", "project": "projects", "license": "licences", "mature": "mature flags"}
    for name, content in words.items():
        action.add_argument(f"--{name}", metavar="COLUMN", help=f"column of the {content} (default: by its name)")


def _add_settings(action: ArgumentParser) -> None:
    default = Settings()
    action.add_argument("--name", help="what the list is called (default: like its file)")
    action.add_argument(
        "--to", type=given_path, metavar="FOLDER", help="folder of the pictures (default: in the workspace)"
    )
    action.add_argument(
        "--shorter-side",
        type=positive_integer,
        metavar="PIXELS",
        help="store larger pictures as JPEG copies of this size (default: store originals)",
    )
    action.add_argument(
        "--per-host",
        type=positive_integer,
        metavar="N",
        help=f"requests at once to one host (default: {default.per_host})",
    )
    action.add_argument(
        "--connections", type=positive_integer, metavar="N", help=f"requests at once (default: {default.connections})"
    )
    action.add_argument(
        "--max-size",
        type=positive_integer,
        metavar="MB",
        help=f"largest file (default: {default.max_bytes // 1_000_000})",
    )
    action.add_argument(
        "--contact", metavar="TEXT", help="how hosts reach you, an e-mail address; sent with every request"
    )
    action.add_argument(
        "--ignore-robots",
        action="store_true",
        help="fetch what robots.txt or X-Robots-Tag forbid, too: only where you are permitted to",
    )
    action.add_argument("--refresh", action="store_true", help="ask for newer versions of what was downloaded")


def _add_hosts(action: ArgumentParser) -> None:
    action.add_argument(
        "--rewrite-host",
        action="append",
        metavar="OLD=NEW",
        help="ask the host NEW for the pictures of OLD, whose URLs they keep; repeatable",
    )


def _columns(options: Namespace) -> Columns:
    return Columns(options.url, options.title, options.project, options.license, options.mature)


def show(options: Namespace) -> None:
    """Print what a list holds."""
    found = preview(options.list, _columns(options))
    print(f"{found.format}, {count(found.count, 'line')}")
    for name, column in asdict(found.columns).items():
        if column:
            print(f"  {name:8} {column}")
    unused = [name for name in found.names if name not in asdict(found.columns).values()]
    if unused:
        print(f"  not used: {', '.join(unused)}")
    if found.columns.url is None:
        print("no column is named url: name the one that holds the URLs with --url")
    hosts = parse_rules(options.rewrite_host or ())
    for line in found.lines:
        print(f"{line.number:8}  {line.url or line.problem or 'no URL'}")
        if is_url(line.url) and (asked := rewritten(parse_url(line.url), hosts)) != parse_url(line.url):
            print(f"{'':8}  from {asked.text}")


def best(options: Namespace) -> None:
    """Write the URLs of the images that BAM's scores put first."""
    found = best_of(options.file, options.attribute, without=options.without, count=options.count)
    with replacing(options.to) as path, path.open("w", newline="", encoding="utf-8") as file:
        write_lines(file, [("url", "project", "license", "mature")])
        write_lines(file, found.lines)
    print(f"{options.to}: {count(len(found.lines), 'image')}, the best of {found.scored:,}")
    if found.unscored:
        print(f"  {found.unscored:,} left out: no score")
    if found.left_out:
        print(f"  {found.left_out:,} left out: no URL, or not in modules, or there twice")
    print(f"next: `bam urls download {options.to}`, then `bam labels import-bam {options.file}`")


def download(workspace: Workspace, options: Namespace) -> None:
    """Download a list."""
    with bar("download", "URLs") as report:
        done = download_list(
            stores_of(workspace),
            options.list,
            name=options.name,
            columns=_columns(options),
            settings=_settings(workspace, options),
            refresh=options.refresh,
            report=report,
        )
    _print_done(done)


def _settings(workspace: Workspace, options: Namespace) -> Settings:
    """Return the settings that are named, and the others as the list has them, or by default."""
    named = {name: getattr(options, name) for name in ("shorter_side", "per_host", "connections", "contact")}
    named["max_bytes"] = None if options.max_size is None else options.max_size * 1_000_000
    named["folder"] = None if options.to is None else str(Path(options.to).absolute())
    named["hosts"] = None if options.rewrite_host is None else parse_rules(options.rewrite_host)
    named["respect_robots"] = False if options.ignore_robots else None
    try:
        before = url_list(workspace.folder / FOLDER, name_of(options.list, options.name)).settings
    except NotFound:
        before = Settings()
    return replace(before, **{name: value for name, value in named.items() if value is not None})


def retry(workspace: Workspace, options: Namespace) -> None:
    """Go on with a list."""
    stores, settings = stores_of(workspace), None
    if options.rewrite_host is not None:
        settings = replace(url_list(stores.home, options.name).settings, hosts=parse_rules(options.rewrite_host))
    with bar("download", "URLs") as report:
        done = resume_list(stores, options.name, retry=options.error, settings=settings, report=report)
    _print_done(done)


def _print_done(done: Downloaded) -> None:
    print(f"{count(done.added, 'picture')} added, {count(done.failed, 'URL')} failed")
    _print_list(done.list, done.list.folder.parent)


def status(workspace: Workspace, options: Namespace) -> None:
    """Print how far lists are."""
    home = workspace.folder / FOLDER
    found = url_lists(home) if options.name is None else [url_list(home, options.name)]
    if not found:
        print("no list of URLs was begun; `bam urls download LIST` begins one")
    for one in found:
        _print_list(one, home)


def _print_list(one: UrlList, home: Path) -> None:
    counts = one.counts
    waiting = f", {counts.waiting + counts.stored:,} to do" if counts.waiting + counts.stored else ""
    duplicates = f", {count(counts.duplicates, 'duplicate')} left out" if counts.duplicates else ""
    print(
        f"{one.name}: {count(counts.urls, 'URL')}{duplicates}; {counts.added:,} in the collection, {counts.failed:,} "
        f"failed{waiting}"
    )
    with reading(home, one.name) as statuses:
        errors = statuses.errors()
    for kind, code, number in errors[:_LISTED]:
        http = "" if code is None else f" ({code})"
        print(f"{number:10,}  {kind}{http}: {KINDS.get(kind, kind)}")
    if len(errors) > _LISTED:
        print(f"{sum(number for _, _, number in errors[_LISTED:]):10,}  for other reasons")


def export(workspace: Workspace, options: Namespace) -> None:
    """Write the statuses of a list into a CSV file."""
    home = workspace.folder / FOLDER
    with (
        reading(home, options.name) as statuses,
        replacing(options.to) as path,
        path.open("w", newline="", encoding="utf-8") as file,
    ):
        write_lines(file, [COLUMNS])
        write_lines(file, statuses.table(error=options.error))
    print(f"the status of every URL is in {options.to}")
