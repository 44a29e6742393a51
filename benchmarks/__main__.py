"""``python -m benchmarks``: run every benchmark in turn; ``--json FOLDER`` keeps the figures."""

import argparse
import subprocess
import sys
from pathlib import Path

SUITE = (
    "encoder_quality",
    "embedding_rate",
    "round",
    "candidates",
    "rescoring",
    "classifiers",
    "strategies",
    "first_batch",
    "stopping",
    "guarantee",
    "coverage",
    "tiles",
    "layouts",
    "lasso",
    "search",
    "gallery",
    "map_view",
    "demo",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", help=f"some of {', '.join(SUITE)}; all without")
    parser.add_argument("--json", type=Path, metavar="FOLDER", help="write the figures into this folder too")
    options = parser.parse_args()
    unknown = set(options.only) - set(SUITE)
    if unknown:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(SUITE)}")
    if options.json:
        options.json.mkdir(parents=True, exist_ok=True)
    failed = False
    for name in options.only or SUITE:
        print(f"\n== {name}", flush=True)
        keep = ["--json", str(options.json / f"{name}.json")] if options.json else []
        failed |= subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *keep], check=False).returncode != 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
