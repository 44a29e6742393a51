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
