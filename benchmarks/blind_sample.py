"""What a blind sample of the labelled images would certify where a certification finds no threshold.

Certifications are played as in ``wrong_answers``. Where one certifies nothing, people who have not answered about them
are asked about a random sample of the images labelled yes, until an exact test, draw by draw, shows that 90% of them
are positive, or until it cannot pass any more: at the latest when all are asked about again. The test spends half of
the risk that the certification leaves. The sample is settled by the rule, and by as many people, as all that judges;
what it finds to be no positive is not delivered.

"two" judge by the lead of the app, or "one" alone. Of the wrong answers a part may be "shared": about images that
everybody misunderstands, the people of the sample as well. For each of these, as means of all runs: the answers and the
certified recall (0 where nothing is certified) without the test and with it, how many runs the test certifies of those
that had nothing, and how many of these hold less than 90% of positives. "untested" are the runs that would hold less if
the labelled images were simply called certified, of those that had nothing.
"""

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from bam_engine import learning
from bam_engine.learning.sequential import fewest_failing_defects
from benchmarks import pictures
from benchmarks.end_to_end import ENCODERS, TARGET
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser
from benchmarks.wrong_answers import RARE, RULES, Before, Outcome, Rule, certification, errors, outcome, prepare, settle

BATCH = 10  # images that are drawn before the test is looked at
JUDGES: dict[str, Rule] = {"two": RULES["lead"], "one": lambda yes, _: int(yes > 0)}


@dataclass(frozen=True)
class Compared:
    """One run without the test and with it; ``untested`` is what the labelled images alone are."""

    without: Outcome
    tested: Outcome
    untested: Outcome


def blind_test(yes: NDArray[np.int64], positive: NDArray[np.bool_], *, seed: int) -> tuple[bool, NDArray[np.int64]]:
    """Draw the images labelled ``yes``, batch by batch, until the test passes or cannot any more.

    ``positive`` (n,) says of each image of the collection what the people of the sample would call it. Returns whether
    the test has passed, and the rows that were drawn.
    """
    if not len(yes):
        return False, yes
    risk = 0.05 * learning.risk_share(1)
    allowed = learning.allowed_defects(len(yes), len(yes), target=TARGET, confidence=1 - risk, planned=len(yes))
    order = np.random.default_rng([seed, 6]).permutation(yes)
    most = fewest_failing_defects(len(yes), TARGET)
    for drawn in [*range(BATCH, len(order), BATCH), len(order)]:
        faults = int((~positive[order[:drawn]]).sum())
        if faults <= allowed[drawn]:
            return True, order[:drawn]
        if faults >= most:
            break
    return False, order[:drawn]


def compare(before: Before, rule: Rule, *, error_rate: float, shared: float, seed: int) -> Compared:
    """Certify, and where nothing passes test the labelled images."""
    found = certification(before, rule, error_rate=error_rate, shared=shared, seed=seed)
    passed = found.cut is not None
    truth, by_people = before.truth, found.by_people
    without = outcome(truth, found.delivered, by_people, certified=passed, answers=found.answers)
    if passed:
        return Compared(without, without, without)
    fresh = truth[:, None] ^ errors(len(truth), error_rate, shared, seed=[seed, 7])
    settled = {row: settle(rule, fresh[row]) for row in np.flatnonzero(by_people).tolist()}
    positive = np.zeros(len(truth), bool)
    positive[list(settled)] = [label == 1 for label, _ in settled.values()]
    passed, drawn = blind_test(np.flatnonzero(by_people), positive, seed=seed)
    left = by_people.copy()
    left[drawn] &= positive[drawn]
    answers = found.answers + sum(settled[row][1] for row in drawn.tolist())
    tested = outcome(truth, left, left, certified=passed, answers=answers)
    untested = outcome(truth, by_people, by_people, certified=True, answers=found.answers)
    return Compared(without, tested, untested)


def show(name: str, runs: Sequence[Compared]) -> None:
    """Print the line of some runs."""
    nothing = [run for run in runs if not run.without.certified]
    saved = [run for run in nothing if run.tested.certified]
    answers = [np.mean([each.answers for each in column]) for column in _columns(runs)]
    recall = [np.mean([each.kept for each in column]) for column in _columns(runs)]
    broken = sum(run.tested.broken for run in saved)
    limits = learning.clopper_pearson(broken, len(saved))
    certified = sum(run.without.certified for run in runs), sum(run.without.broken for run in runs)
    print(
        f"{name:<34}{answers[0]:>6.0f}{answers[1]:>6.0f}{recall[0]:>8.3f}{recall[1]:>7.3f}"
        f"{certified[1]:>6} of {certified[0]:<5}{len(saved):>6} of {len(nothing):<5}"
        f"{broken:>4} [{limits.low:.1%}, {limits.high:.1%}]{sum(run.untested.broken for run in nothing):>6}",
        flush=True,
    )


def _columns(runs: Sequence[Compared]) -> tuple[list[Outcome], list[Outcome]]:
    return [run.without for run in runs], [run.tested for run in runs]


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("blind_sample", __doc__)
    options.add_argument("--runs", type=int, default=50, help="of each attribute, encoder, error rate and judges")
    options.add_argument("--attributes", nargs="+", choices=pictures.ATTRIBUTES, default=list(RARE))
    options.add_argument("--encoders", nargs="+", choices=list(pictures.ENCODERS), default=list(ENCODERS))
    options.add_argument("--error-rates", nargs="+", type=float, default=[0.0, 0.05, 0.1], metavar="RATE")
    options.add_argument("--shared", nargs="+", type=float, default=[0.0, 0.25], metavar="PART")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    if pictures.said_missing(options.encoders):
        return
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    print(f"{options.runs} runs each; {machine()}")
    print(f"{'':<34}answers with  recall   with  broken of certified, saved of nothing, broken, untested", flush=True)
    runs: dict[tuple[str, float, float, str], list[Compared]] = {}
    for encoder in options.encoders:
        found = pictures.load(encoder)
        for rate in options.error_rates:
            for attribute in options.attributes:
                before = prepare(found, attribute, rate)
                for shared in options.shared if rate else [0.0]:
                    for name, rule in JUDGES.items():
                        played = [
                            compare(before, rule, error_rate=rate, shared=shared, seed=seed)
                            for seed in range(options.runs)
                        ]
                        runs.setdefault((encoder, rate, shared, name), []).extend(played)
                        show(f"{encoder} {attribute} {rate:.0%} {shared:.0%} {name}", played)
    for (encoder, rate, shared, name), played in runs.items():
        show(f"{encoder}, {rate:.0%} wrong, {shared:.0%} shared, {name}", played)
    if options.json:
        lines = [{"case": case, "runs": [*map(asdict, played)]} for case, played in runs.items()]
        options.json.write_text(json.dumps({"machine": machine(), "lines": lines}) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
