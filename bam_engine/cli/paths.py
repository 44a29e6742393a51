"""Printing lists of paths, of which the first are named: what of a table was not used, and files that have changed."""

from collections.abc import Sequence

from bam_engine.formatting import count

LISTED = 5
"""The number of paths that are printed."""


def print_paths(paths: Sequence[str], match: str, *, where: str = "") -> None:
    """Print how many paths match ``match`` ("no image"), and the first of them; nothing if there are none.

    Parameters
    ----------
    where
        The table, in words: "of the metadata".
    """
    if not paths:
        return
    words = [count(len(paths), "path"), where, "matches" if len(paths) == 1 else "match", f"{match}:"]
    _print_list(" ".join(filter(None, words)), paths)


def print_files(files: Sequence[str], one: str, several: str) -> None:
    """Print how many files there are, what happened to the one or the several, and the first of them, if any."""
    if files:
        _print_list(f"{count(len(files), 'file')} {one if len(files) == 1 else several}:", files)


def _print_list(head: str, paths: Sequence[str]) -> None:
    print(f"  {head}")
    for path in paths[:LISTED]:
        print(f"    {path}")
    if len(paths) > LISTED:
        print(f"    and {len(paths) - LISTED:,} more")


def print_lines_without_path(places: Sequence[str]) -> None:
    """Print how many lines of a table name no image, and the first of them; nothing if there are none."""
    if places:
        more = f" and {len(places) - LISTED:,} more" if len(places) > LISTED else ""
        verb = "has" if len(places) == 1 else "have"
        print(f"  {count(len(places), 'line')} {verb} no path and no effect: {', '.join(places[:LISTED])}{more}")
