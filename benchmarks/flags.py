"""How many annotators who do not look are flagged, and how many who do.

Each run has 50 simulated annotators of six kinds: careful (95% right), ordinary (88%), hasty (80%), always yes, always
no and at random (yes to half); 14, 14, 10, 4, 4 and 4 of them. Two annotators drawn at random answer each image, 30%
of the images are positive, and everybody errs independently. The flags are those of the Annotators page, from the
planned answers alone. Precision is the fraction of flagged annotators who do not look, recall the fraction of those
who do not look that are flagged, both with exact 95% intervals; "named" the fraction of the flagged ones of the last
three kinds whose pattern is the right one, "clean" the fraction of runs without a false flag.

A second table is of the flag for answering faster than a person can look. How fast people are is assumed: who looks
takes 1.2, 0.9 or 0.5 seconds for an image (careful, ordinary, hasty), who does not look as long as the table says, each
as the median of pages of 24 images that vary by a factor of 1.6 (log-normal).
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from bam_engine.annotation import Answers
from bam_engine.annotation.agreement import tabulate
from bam_engine.labelling.pace import pace_of
from bam_engine.labelling.patterns import differences, pattern_of
from bam_engine.learning import clopper_pearson
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

POSITIVE = 0.3  # of the images
KINDS = {  # how often each says yes to a positive image and to another one, and how many there are
    "careful": (0.95, 0.05, 14),
    "ordinary": (0.88, 0.12, 14),
    "hasty": (0.80, 0.20, 10),
    "all yes": (1.0, 1.0, 4),
    "all no": (0.0, 0.0, 4),
    "random": (0.5, 0.5, 4),
}
SPAM = ("all yes", "all no", "random")
SECONDS = {"careful": 1.2, "ordinary": 0.9, "hasty": 0.5}  # for an image, of who looks
VARIES = np.log(1.6)  # the standard deviation of the logarithm of a page's seconds
PER_PAGE = 24


@dataclass
class Found:
    """Counts over all runs."""

    runs: int = 0
    clean: int = 0
    flagged: int = 0
    right: int = 0
    named: int = 0
    spam: int = 0


def simulate(each: int, rng: np.random.Generator) -> tuple[Answers, list[str]]:
    """Return the answers of 50 annotators to about ``each`` images each, two to an image, and the kind of each."""
    kinds = [kind for kind, (_, _, people) in KINDS.items() for _ in range(people)]
    images = each * len(kinds) // 2
    people = np.argsort(rng.random((images, len(kinds))), axis=1)[:, :2]
    truth = rng.random(images) < POSITIVE
    rates = np.array([KINDS[kind][:2] for kind in kinds])
    yes = rng.random(people.shape) < np.where(truth[:, None], rates[people, 0], rates[people, 1])
    order = np.argsort(people, axis=1)
    rows = np.repeat(np.arange(images), 2)
    who = np.take_along_axis(people, order, axis=1).ravel()
    return Answers(rows, who, np.take_along_axis(yes, order, axis=1).ravel().astype(np.int8)), kinds


def measure(each: int, runs: int, rng: np.random.Generator) -> Found:
    """Return how the flags compare with the kinds."""
    found = Found()
    for _ in range(runs):
        answers, kinds = simulate(each, rng)
        people = differences(tabulate(answers))
        flags = {who: pattern_of(one, len(people)) for who, one in people.items()}
        flagged = {who: pattern for who, pattern in flags.items() if pattern is not None}
        right = [who for who in flagged if kinds[who] in SPAM]
        found.runs += 1
        found.clean += len(right) == len(flagged)
        found.flagged += len(flagged)
        found.right += len(right)
        found.named += sum(flagged[who] == kinds[who] for who in right)
        found.spam += sum(kind in SPAM for kind in kinds)
    return found


def measure_pace(pages: int, seconds: float, runs: int, rng: np.random.Generator) -> Found:
    """Return how the flag for speed compares with the kinds, if who does not look takes ``seconds`` for an image."""
    found = Found()
    kinds = [kind for kind, (_, _, people) in KINDS.items() for _ in range(people)]
    medians = np.array([SECONDS.get(kind, seconds) for kind in kinds])
    for _ in range(runs):
        taken = medians[:, None] * np.exp(VARIES * rng.standard_normal((len(kinds), pages)))
        flagged = [
            kind
            for kind, own in zip(kinds, taken, strict=True)
            if pace_of(own.tolist(), [PER_PAGE] * pages, tests=len(kinds)).too_fast
        ]
        right = sum(kind in SPAM for kind in flagged)
        found.runs += 1
        found.clean += right == len(flagged)
        found.flagged += len(flagged)
        found.right += right
        found.spam += sum(kind in SPAM for kind in kinds)
    return found


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("flags", __doc__)
    options.add_argument("--answers", nargs="+", type=int, default=[34, 68, 136, 272, 544], help="of each annotator")
    options.add_argument("--pages", nargs="+", type=int, default=[6, 12, 24], help="of each annotator, for their speed")
    options.add_argument(
        "--seconds", nargs="+", type=float, default=[0.05, 0.1, 0.15, 0.3], help="for an image, of who does not look"
    )
    options.add_argument("--runs", type=int, default=200)
    options.add_argument("--seed", type=int, default=0)
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    rng, lines = np.random.default_rng(options.seed), []
    print(f"generated answers, {options.runs} runs of 50 annotators each, 95% intervals; {machine()}")
    print(f"{'answers':>7}  {'precision':<22} {'recall':<22} {'named':<22} clean runs")
    for each in options.answers:
        found = measure(each, options.runs, rng)
        shares = [(found.right, found.flagged), (found.right, found.spam), (found.named, found.right)]
        shares.append((found.clean, found.runs))
        print(f"{each:>7}  " + " ".join(f"{share(*one):<22}" for one in shares), flush=True)
        lines.append({"answers": each, **asdict(found)})
    print(f"\n{'pages':>7} {'seconds':>8}  {'precision':<22} {'recall':<22} clean runs")
    paces = []
    for pages in options.pages:
        for seconds in options.seconds:
            found = measure_pace(pages, seconds, options.runs, rng)
            shares = [(found.right, found.flagged), (found.right, found.spam), (found.clean, found.runs)]
            print(f"{pages:>7} {seconds:>8}  " + " ".join(f"{share(*one):<22}" for one in shares), flush=True)
            paces.append({"pages": pages, "seconds": seconds, **asdict(found)})
    if options.json:
        figures = {"data": "generated", "machine": machine(), "lines": lines, "paces": paces}
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def share(k: int, n: int) -> str:
    """Return a proportion with its interval; a dash where there is nothing to count."""
    if n == 0:
        return "–"
    limits = clopper_pearson(k, n)
    return f"{k / n:.3f} ({limits.low:.3f}–{limits.high:.3f})"


if __name__ == "__main__":
    main()
