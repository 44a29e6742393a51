"""What a protocol takes of people and what it delivers, from the first answer to the last, on the real pictures.

Each run plays a protocol through the functions of the app, in a workspace of its own (``bam_engine/demo/protocol.py``,
as ``bam simulate --protocol`` does): five random positives are known at the beginning, precision of 90% is certified at
95% confidence, and every answer of every person is wrong with the same probability. "fixed" is the protocol with 200
random images, four rounds of 100, a certification of about 300 and an audit of 200, all answered by as many people.
"then" is the same under the promise that certifications made first, about the images that score at or above a cut
alone (``promise_then.py``). Ours has a random sample of 60, two or four rounds of 100, and a certification of about 150
or 250 ("4 + 150"); an audit follows only where nothing could be certified. With 5% wrong answers two people judge, and
others settle what they do not agree on; one teaches in ours, two in the fixed protocol. Without wrong answers one
person does everything.

"recall" is the true recall of what is delivered, 0 in a run that is not certified; "answers" are all answers of people.
The ratio is that of the answers of ours to those of the fixed protocol, for the shortest of ours with which the mean
recall is at least that of the fixed one, else for the longest; its interval resamples the seeds. "broken": the runs
whose delivered precision is below 90%, of those that are certified. "covered": the runs in which the recall interval
that the app states holds the true recall.

All numbers of one attribute and encoder share their seeds, and every seed is played for all of them before the next.
Runs are written to a file as they come, and those that are there are not played again: ``--runs FILE`` resumes, with
other attributes or more seeds too.
"""

import argparse
import json
import multiprocessing
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bam_engine.demo import protocol
from bam_engine.demo.protocol import Protocol
from bam_engine.demo.rehearsal import rehearsal
from bam_engine.formatting import count
from bam_engine.learning import clopper_pearson
from benchmarks import pictures, promise_then
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

TARGET = 0.90
ENCODERS = ("combined", "builtin")
ERROR_RATES = (0.0, 0.05)
FIXED, THEN = "fixed", "then"
OURS = {"2 + 150": (2, 150), "4 + 150": (4, 150), "4 + 250": (4, 250)}
"""Rounds, and planned images of the certification, from the shortest."""
CONTESTANTS = (THEN, FIXED, *OURS)


class Delivered:
    """What became of a promise of ``TARGET``, of any run that knows whether it is certified and what is delivered."""

    certified: bool
    precision: float
    recall: float

    @property
    def kept(self) -> float:
        """The recall that is certified, 0 where nothing is."""
        return self.recall if self.certified else 0.0

    @property
    def broken(self) -> bool:
        """Whether it is certified, and its true precision is below the target."""
        return self.certified and self.precision < TARGET - 1e-12


@dataclass(frozen=True)
class Run(Delivered):
    """One run of a contestant; ``recall`` is the true one of what is delivered, whether or not it is certified."""

    encoder: str
    attribute: str
    error_rate: float
    contestant: str
    seed: int
    answers: int
    images: int
    delivered: int
    precision: float
    recall: float
    certified: bool
    interval: tuple[float, float] | None
    parts: dict[str, int]
    seconds: float

    @property
    def case(self) -> tuple[str, str, float, str, int]:
        """What identifies the run."""
        return self.encoder, self.attribute, self.error_rate, self.contestant, self.seed

    @property
    def covered(self) -> bool | None:
        """Whether the stated interval holds the recall; None where none is stated."""
        return None if self.interval is None else self.interval[0] - 1e-9 <= self.recall <= self.interval[1] + 1e-9


def plan(contestant: str, n: int, error_rate: float) -> Protocol:
    """Return the protocol of a contestant for ``n`` images."""
    judges = 2 if error_rate else 1
    if contestant in (FIXED, THEN):
        return protocol.fixed(n, judges)
    rounds, planned = OURS[contestant]
    return replace(protocol.proposed(n, judges), rounds=rounds, planned=min(planned, n // 4))


def play(case: tuple[str, str, float, str, int]) -> Run:
    """Play one run on all pictures, in a workspace of its own."""
    return play_on(pictures.load(case[0]), case)


def play_on(found: pictures.Pictures, case: tuple[str, str, float, str, int]) -> Run:
    """Play one run on these pictures, in a workspace of its own."""
    _, attribute, error_rate, contestant, seed = case
    begin = time.perf_counter()
    truth = found.truth[attribute]
    with rehearsal(found.vectors, found.projects) as workspace:
        chosen = plan(contestant, len(truth), error_rate)
        played = (promise_then if contestant == THEN else protocol).play(
            workspace, truth, chosen, error_rate=error_rate, target=TARGET, seed=seed
        )
    return Run(
        *case,
        answers=played.human_answers,
        images=played.labelled_images,
        delivered=played.delivered.n,
        precision=played.delivered.precision,
        recall=played.delivered.recall,
        certified=played.certified,
        interval=played.recall,
        parts=dict(played.answers),
        seconds=round(time.perf_counter() - begin, 2),
    )


def play_all(cases: Sequence[tuple[str, str, float, str, int]], processes: int) -> Iterator[Run]:
    """Yield the runs as they are played."""
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap(play, cases)


def known_runs(file: Path | None) -> dict[tuple[str, str, float, str, int], Run]:
    """Return the runs of a file, by what identifies them."""
    if file is None or not file.exists():
        return {}
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    runs = [Run(**{**line, "interval": line["interval"] and tuple(line["interval"])}) for line in lines]
    return {run.case: run for run in runs}


def ratio(ours: Sequence[Run], fixed: Sequence[Run]) -> tuple[float, float, float]:
    """Return the ratio of the answers, with the 95% interval of a bootstrap of the seeds, which both share."""
    by_seed = {run.seed: run.answers for run in fixed}
    paired = np.array([(run.answers, by_seed[run.seed]) for run in ours if run.seed in by_seed], dtype=float)
    draws = np.random.default_rng(0).integers(0, len(paired), (2000, len(paired)))
    sums = paired[draws].sum(axis=1)
    low, high = np.percentile(sums[:, 0] / sums[:, 1], [2.5, 97.5])
    return float(paired[:, 0].sum() / paired[:, 1].sum()), float(low), float(high)


def shortest(runs: dict[str, list[Run]]) -> str | None:
    """Return the shortest of ours that keeps the recall of the fixed protocol; None if none does."""
    goal = float(np.mean([run.kept for run in runs[FIXED]]))
    return next((name for name in OURS if runs[name] and np.mean([run.kept for run in runs[name]]) >= goal), None)


def summary(runs: Sequence[Run]) -> dict[str, Any]:
    """Return the figures of the runs of one contestant."""
    certified = [run for run in runs if run.certified]
    covered = [run.covered for run in runs if run.covered is not None]
    return {
        "runs": len(runs),
        "answers": float(np.mean([run.answers for run in runs])),
        "images": float(np.mean([run.images for run in runs])),
        "recall": float(np.mean([run.kept for run in runs])),
        "certified": len(certified),
        "broken": sum(run.broken for run in certified),
        "covered": sum(covered),
        "intervals": len(covered),
    }


def table(runs: Sequence[Run], shares: dict[str, float]) -> list[dict[str, Any]]:
    """Print a table for each encoder and error rate, and return its lines."""
    parts: dict[tuple[str, float], list[Run]] = defaultdict(list)
    for run in runs:
        parts[run.encoder, run.error_rate].append(run)
    lines = []
    for (encoder, rate), of in parts.items():
        print(f"\n{encoder}, {rate:.0%} of the answers wrong, {count(len({run.seed for run in of}), 'seed')}")
        print(
            f"{'attribute':<12}{'share':>6} {'contestant':<10}{'answers':>8}{'images':>7}{'recall':>8}{'certified':>11}"
            f"{'broken':>8}{'covered':>9}  ratio of the answers"
        )
        for attribute in dict.fromkeys(run.attribute for run in of):
            found: dict[str, list[Run]] = {name: [] for name in CONTESTANTS}
            for run in of:
                if run.attribute == attribute:
                    found[run.contestant].append(run)
            best = shortest(found) if found[FIXED] else None
            compared = best or max((name for name in OURS if found[name]), key=list(OURS).index, default=None)
            for name, own in found.items():
                if own:
                    fixed = found[FIXED] if name == compared else ()
                    lines.append(_line(attribute, shares[attribute], name, own, fixed, reached=best is not None))
                    lines[-1] |= {"encoder": encoder, "error_rate": rate}
        _totals(of)
    return lines


def _line(
    attribute: str, share: float, name: str, own: Sequence[Run], fixed: Sequence[Run], *, reached: bool
) -> dict[str, Any]:
    found = summary(own)
    of_answers = ratio(own, fixed) if fixed else None
    words = "" if of_answers is None else f"{of_answers[0]:.2f} [{of_answers[1]:.2f}, {of_answers[2]:.2f}]"
    words += "" if of_answers is None or reached else ", less recall"
    counts = f"{found['certified']}/{found['runs']}", f"{found['covered']}/{found['intervals']}"
    print(
        f"{attribute:<12}{share:>6.1%} {name:<10}{found['answers']:>8.0f}{found['images']:>7.0f}{found['recall']:>8.3f}"
        f"{counts[0]:>11}{found['broken']:>8}{counts[1]:>9}  {words}",
        flush=True,
    )
    return {
        "attribute": attribute,
        "share": share,
        "contestant": name,
        **found,
        "ratio": of_answers,
        "reached": reached,
    }


def _totals(runs: Sequence[Run]) -> None:
    for words, chosen in (
        ("ours", [run for run in runs if run.contestant in OURS]),
        ("fixed", [run for run in runs if run.contestant == FIXED]),
        ("then", [run for run in runs if run.contestant == THEN]),
    ):
        if not chosen:
            continue
        found = summary(chosen)
        text = f"{words}: {_share(found['broken'], found['certified'])} of the certified runs broken"
        print(f"{text}; {_share(found['covered'], found['intervals'])} of the recall intervals hold")


def _share(k: int, n: int) -> str:
    if not n:
        return "none of 0"
    limits = clopper_pearson(k, n)
    return f"{k} of {n}, {k / n:.1%} [{limits.low:.1%}, {limits.high:.1%}],"


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("end_to_end", __doc__)
    options.add_argument("--seeds", type=int, default=20)
    options.add_argument("--attributes", nargs="+", choices=pictures.ATTRIBUTES, default=list(pictures.ATTRIBUTES))
    options.add_argument("--encoders", nargs="+", choices=list(pictures.ENCODERS), default=list(ENCODERS))
    options.add_argument("--error-rates", nargs="+", type=float, default=list(ERROR_RATES), metavar="RATE")
    options.add_argument("--contestants", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS))
    options.add_argument("--runs", type=Path, metavar="FILE", help="where the runs are kept, one JSON document a line")
    options.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    if pictures.said_missing(options.encoders):
        return
    begin, found = time.perf_counter(), {encoder: pictures.load(encoder) for encoder in options.encoders}
    data = found[options.encoders[0]]
    print(f"{len(data.vectors):,} real pictures, precision {TARGET:.0%} at 95% confidence; {machine()}", flush=True)
    cases = [
        (encoder, attribute, rate, contestant, seed)
        for rate in options.error_rates
        for seed in range(options.seeds)
        for encoder in options.encoders
        for attribute in options.attributes
        for contestant in options.contestants
    ]
    runs = known_runs(options.runs)
    left = [case for case in cases if case not in runs]
    for number, run in enumerate(play_all(left, options.processes), start=1):
        runs[run.case] = run
        if options.runs:
            with options.runs.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(run)) + "\n")
        if number % 20 == 0:
            print(f"  {number} of {len(left)} runs after {time.perf_counter() - begin:.0f} s", flush=True)
    shares = {name: float(data.truth[name].mean()) for name in options.attributes}
    lines = table([runs[case] for case in cases], shares)
    print(f"\n{time.perf_counter() - begin:.0f} s")
    if options.json:
        figures = {"machine": machine(), "seeds": options.seeds, "target": TARGET, "lines": lines}
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
