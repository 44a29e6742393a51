"""Printing what of a table was not used: paths that match no image or several, and lines without a path."""

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
    print(" ", " ".join(filter(None, words)))
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
