"""The options of a benchmark: a parser with its name, its documentation and ``--json``."""

import argparse
from pathlib import Path


def benchmark_parser(name: str, text: str | None) -> argparse.ArgumentParser:
    """Return the parser of the benchmark ``name``; ``text`` is its module's docstring."""
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks {name}",
        description=text,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to this file")
    return parser


def checkout_at(folder: Path | None) -> Path | None:
    """Return the absolute path of another checkout of the project, as ``--against`` names it; None where it does not.

    Raises
    ------
    SystemExit
        It does not exist, or is no checkout.
    """
    if folder is None or (folder / "bam_engine").is_dir():
        return folder and folder.resolve()
    reason = "holds no checkout of the project" if folder.is_dir() else "does not exist"
    raise SystemExit(f"The folder {folder} {reason}. Make one with: git worktree add {folder} COMMIT")
