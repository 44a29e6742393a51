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


def checkout_at(text: str) -> Path:
    """Return the folder of a checkout of the project, for ``--against``.

    Raises
    ------
    ArgumentTypeError
        It does not exist, or is no checkout.
    """
    folder = Path(text).resolve()
    if not (folder / "bam_engine").is_dir():
        reason = "holds no checkout of the project" if folder.is_dir() else "does not exist"
        raise argparse.ArgumentTypeError(f"the folder {folder} {reason}; make one with: git worktree add {text} COMMIT")
    return folder
