"""``python -m benchmarks``: run every benchmark, some of them, or one with options of its own."""

import argparse
import importlib
import subprocess
import sys
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

SUITE = (
    "encoders",
    "encoder_quality",
    "embedding_rate",
    "ray",
    "round",
    "candidates",
    "rescoring",
    "classifiers",
    "strategies",
    "first_batch",
    "newcomer",
    "stopping",
    "diagnosis",
    "advice",
    "guarantee",
    "coverage",
    "slices",
    "answer_errors",
    "end_to_end",
    "wrong_answers",
    "blind_sample",
    "recall_sample",
    "tiles",
    "tile_formats",
    "layouts",
    "lasso",
    "search",
    "duplicates",
    "words",
    "gallery",
    "picture_problems",
    "export",
    "map_view",
    "page_load",
    "pages",
    "identity",
    "urls",
    "bam_file",
    "annotating",
    "flags",
    "gold",
    "demo",
    "demo_contents",
    "tour",
    "scale",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks that the command line names, each in a process of its own; return the exit code."""
    commands = commands_of(sys.argv[1:] if arguments is None else arguments)
    failed = False
    for name, options in commands:
        if "--json" in options:
            Path(options[options.index("--json") + 1]).parent.mkdir(parents=True, exist_ok=True)
        print(f"\n== {name}", flush=True)
        failed |= subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *options], check=False).returncode != 0
    return int(failed)


def commands_of(arguments: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Return the benchmarks to run, in order, and the options of each.

    After a single name come the options of that benchmark, which are checked before anything runs. After several names,
    or none for the whole suite, comes ``--json FOLDER`` alone.
    """
    names = list(takewhile(lambda word: word in SUITE, arguments))
    rest = list(arguments[len(names) :])
    if len(names) == 1:
        importlib.import_module(f"benchmarks.{names[0]}").parser().parse_args(rest)
        return [(names[0], rest)]
    options = suite_parser().parse_args([*names, *rest])
    if options.json is None:
        return [(name, []) for name in options.names or SUITE]
    return [(name, ["--json", str(options.json / f"{name}.json")]) for name in options.names or SUITE]


def suite_parser() -> argparse.ArgumentParser:
    """Return the options of the suite as a whole."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        usage="%(prog)s [--json FOLDER] [NAME ...]\n       %(prog)s NAME [OPTION ...]",
        description="Run every benchmark, some of them, or one with its own options (NAME --help lists those).",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", type=_name, help=f"one of {', '.join(SUITE)}")
    parser.add_argument("--json", type=Path, metavar="FOLDER", help="also write the figures of each into this folder")
    return parser


def _name(text: str) -> str:
    if text not in SUITE:
        raise argparse.ArgumentTypeError(f"There is no benchmark {text!r}. There are {', '.join(SUITE)}.")
    return text


if __name__ == "__main__":
    sys.exit(main())
