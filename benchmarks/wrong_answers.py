"""How often a promise breaks since people err together, by the rule that settles what they do not agree on.

For each attribute of the real pictures one protocol of the guide is played through the functions of the app
(``end_to_end``, "4 + 150"). What it asked about in its random sample and its rounds, and the scores by its last model,
stay as they are; everybody's answers to all images, and what the certification draws, are played again many times: a
teacher answers about the rounds, two people about all that judges and about each yes of the teacher, further ones until
a rule settles the image. A certification of about 150 images then promises a precision of 90% at 95% confidence, as the
app does, for the loosest cut that passes.

The rules: "majority", where a third person decides; "lead", that of the app, where a yes that anybody contradicts must
lead by two; "three", where a yes needs three votes and the lead. "broken": the runs whose delivered precision is below
90%, of those that are certified. "wrong yes": the images delivered on the word of people that are none.
"""

import argparse
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from bam_engine import learning
from bam_engine.demo import protocol
from bam_engine.demo.rehearsal import rehearsal
from bam_engine.labelling.drawn_images import queried_rows, validation_images
from bam_engine.learning import CertificationPlan, clopper_pearson
from bam_engine.training.models import scores_of
from benchmarks import pictures
from benchmarks.end_to_end import ENCODERS, TARGET, Delivered, plan
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

PEOPLE = 9  # who can be asked about one image
PLANNED = 150
RARE = ("bird", "flower", "dog", "cat", "cars")

Rule = Callable[[int, int], int | None]
"""Takes the yes and the no; returns the label, 1 or 0, or None while it is open."""


def _no(yes: int, no: int) -> int | None:
    return 0 if no >= 2 and no > yes else None


RULES: dict[str, Rule] = {
    "majority": lambda yes, no: 1 if yes >= 2 and yes > no else _no(yes, no),
    "lead": lambda yes, no: 1 if yes >= 2 and yes - no >= 2 else _no(yes, no),
    "three": lambda yes, no: 1 if yes >= 3 and yes - no >= 2 else _no(yes, no),
}


@dataclass(frozen=True, eq=False)
class Before:
    """What there is before a certification: the truth (n,), scores (n,), and the rows of the sample and the rounds."""

    truth: NDArray[np.bool_]
    scores: NDArray[np.float32]
    sample: NDArray[np.int64]
    rounds: NDArray[np.int64]


@dataclass(frozen=True)
class Outcome(Delivered):
    """What a certification gave: of the ``people``, images delivered on their word, ``wrong`` are none."""

    certified: bool
    precision: float
    recall: float
    answers: int
    wrong: int


def prepare(found: pictures.Pictures, attribute: str, error_rate: float) -> Before:
    """Play a protocol, and return what it asked about before its certification."""
    truth = found.truth[attribute]
    with rehearsal(found.vectors, found.projects) as workspace:
        chosen = plan("4 + 150", len(truth), error_rate)
        protocol.play(workspace, truth, chosen, error_rate=error_rate, target=TARGET)
        (of,) = workspace.attributes.all()
        scores, sample = np.array(scores_of(workspace, of)), validation_images(workspace, of).rows
        return Before(truth, scores, sample, queried_rows(workspace, of))


@dataclass(frozen=True, eq=False)
class Certified:
    """What a certification found: the lowest certified score, or None, and what people say of the images.

    ``labels`` (n,) int8 are 1, 0 or, where nobody was asked, -1; ``delivered`` and ``by_people`` (n,) are the images
    that are delivered, and those that people have labelled yes.
    """

    cut: float | None
    labels: NDArray[np.int8]
    delivered: NDArray[np.bool_]
    answers: int

    @property
    def by_people(self) -> NDArray[np.bool_]:
        return self.labels == 1


def errors(n: int, error_rate: float, shared: float, *, seed: Sequence[int]) -> NDArray[np.bool_]:
    """Return which answers to ``n`` images are wrong, (n, PEOPLE).

    The part ``shared`` of the wrong answers is about images that everybody misunderstands, whoever else is asked:
    the seed's first number alone decides which.
    """
    wrong: NDArray[np.bool_] = np.random.default_rng([*seed]).random((n, PEOPLE)) < error_rate * (1 - shared)
    return wrong | (np.random.default_rng([seed[0], 5]).random((n, 1)) < error_rate * shared)


def certify(before: Before, rule: Rule, *, error_rate: float, seed: int) -> Outcome:
    """Let people answer, certify, and compare what is delivered with the truth."""
    found = certification(before, rule, error_rate=error_rate, seed=seed)
    return outcome(
        before.truth, found.delivered, found.by_people, certified=found.cut is not None, answers=found.answers
    )


def outcome(
    truth: NDArray[np.bool_],
    delivered: NDArray[np.bool_],
    by_people: NDArray[np.bool_],
    *,
    certified: bool,
    answers: int,
) -> Outcome:
    """Compare what is delivered with the truth."""
    right = int((delivered & truth).sum())
    return Outcome(
        certified,
        right / max(int(delivered.sum()), 1),
        right / int(truth.sum()),
        answers,
        int((by_people & ~truth).sum()),
    )


def certification(before: Before, rule: Rule, *, error_rate: float, seed: int, shared: float = 0.0) -> Certified:
    """Let people answer, and certify."""
    truth, scores = before.truth, before.scores
    wrong = errors(len(truth), error_rate, shared, seed=[seed, 0])
    labels, answers = np.full(len(truth), -1, np.int8), 0

    def ask(rows: NDArray[np.int64]) -> int:
        total = 0
        for row in rows.tolist():
            labels[row], asked = settle(rule, truth[row] ^ wrong[row])
            total += asked
        return total

    said_yes = before.rounds[truth[before.rounds] ^ wrong[before.rounds, 0]]
    free = np.setdiff1d(np.flatnonzero(np.isfinite(scores)), np.union1d(before.rounds, before.sample))
    ranked = free[np.argsort(-scores[free], kind="stable")]
    pilot = ranked[learning.pilot_ranks(len(ranked), rng=np.random.default_rng([seed, 1]))]
    answers += len(before.rounds) + ask(before.sample) + ask(pilot)
    answers += ask(said_yes) - len(said_yes)  # the teacher was the first
    known = int((labels[np.concatenate([before.sample, pilot, said_yes])] == 1).sum())
    population, placed = np.setdiff1d(free, pilot), np.concatenate([pilot, before.sample])
    cuts = learning.plan_cuts(
        scores[population],
        scores[placed],
        labels[placed],
        target=TARGET,
        known_positives=known,
        rng=np.random.default_rng([seed, 2]),
    )
    risk = 0.05 * learning.risk_share(0)
    test = CertificationPlan(tuple(cuts.tolist()), TARGET, 1 - risk, PLANNED)
    order, asked = np.random.default_rng([seed, 3]).random(len(population)), len(pilot)
    while True:
        state = learning.certify_precision(test, scores[population], order, labels[population], known_positives=known)
        if asked >= PLANNED or not len(state.to_label):
            break
        answers += ask(population[state.to_label])
        asked += len(state.to_label)
    delivered = labels == 1
    if state.certified is not None:
        unlabelled = labels < 0
        unlabelled[before.rounds] = False  # what the teacher calls no
        delivered = delivered | (unlabelled & (scores >= state.certified))
    return Certified(state.certified, labels, delivered, answers)


def settle(rule: Rule, answers: NDArray[np.bool_]) -> tuple[int, int]:
    """Return the label of an image, 0 if it stays open, and how many people were asked."""
    for asked in range(1, len(answers) + 1):
        yes = int(answers[:asked].sum())
        label = rule(yes, asked - yes)
        if label is not None:
            return label, asked
    return 0, len(answers)


def _line(name: str, outcomes: Sequence[Outcome]) -> str:
    certified, broken = sum(each.certified for each in outcomes), sum(each.broken for each in outcomes)
    limits = clopper_pearson(broken, certified)
    kept = np.mean([each.kept for each in outcomes])
    answers, wrong = np.mean([each.answers for each in outcomes]), np.mean([each.wrong for each in outcomes])
    share = f"{broken:>4} of {certified:<5} {broken / max(certified, 1):>6.1%} [{limits.low:.1%}, {limits.high:.1%}]"
    return f"{name:<28}{answers:>8.0f}{kept:>8.3f}{wrong:>11.2f}  {share}"


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("wrong_answers", __doc__)
    options.add_argument("--runs", type=int, default=100, help="of each attribute and encoder")
    options.add_argument("--attributes", nargs="+", choices=pictures.ATTRIBUTES, default=list(RARE))
    options.add_argument("--encoders", nargs="+", choices=list(pictures.ENCODERS), default=list(ENCODERS))
    options.add_argument("--error-rate", type=float, default=0.05)
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    if pictures.said_missing(options.encoders):
        return
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    print(f"{options.error_rate:.0%} of the answers wrong, {options.runs} runs each; {machine()}")
    print(f"{'':<28}{'answers':>8}{'recall':>8}{'wrong yes':>11}  broken", flush=True)
    outcomes: dict[str, list[Outcome]] = {name: [] for name in RULES}
    for encoder in options.encoders:
        found = pictures.load(encoder)
        for attribute in options.attributes:
            before = prepare(found, attribute, options.error_rate)
            for name, rule in RULES.items():
                played = [
                    certify(before, rule, error_rate=options.error_rate, seed=seed) for seed in range(options.runs)
                ]
                outcomes[name] += played
                print(_line(f"{encoder} {attribute} {name}", played), flush=True)
    for name, played in outcomes.items():
        print(_line(f"all, {name}", played))
    if options.json:
        figures = {
            "machine": machine(),
            "outcomes": {name: [*map(asdict, played)] for name, played in outcomes.items()},
        }
        options.json.write_text(json.dumps(figures) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
