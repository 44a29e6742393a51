"""What following the next step blindly takes of people, and where it ends, on the real pictures.

Each run asks the guidance (``bam next NAME``) what is next, does exactly that through the functions of the app, with
the sizes that the pages propose, and asks again (``bam_engine/demo/following.py``): a validation sample, rounds,
training, a certification, the suggested threshold, an audit. Where the diagnosis names a stored encoder that sees more,
it is chosen (``--stored``). Five random positives are known at the beginning. Every answer is wrong with the same
probability; where there are wrong answers, two people judge and one teaches.

A run ends as "finished", as "cannot" where the guidance says that its target is not reached with these labels and this
encoder, or as "stuck": at a step that cannot be taken, or that changes nothing. A stuck run is a fault of the guidance.
Precision and recall are those of what is delivered, by the truth; "kept" is the recall in runs that are certified, 0 in
others; "audited" are also the runs in which people have labelled all that is delivered, so that nothing is left to
audit; "broken" are certified runs whose precision is below 90%.

Beside it stands the fixed protocol of ``benchmarks.end_to_end``, with the same seeds: ``--fixed`` reads its runs from
the file that ``end_to_end --runs`` writes, and plays and adds those that are not there. The aim is at most half of its
answers.

``--images`` follows on a random part of the pictures, ``--trace`` prints each step. Runs are kept with ``--runs``, and
those that are there are not played again.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bam_engine.annotation import Attribute
from bam_engine.audit import audits
from bam_engine.demo import following, protocol
from bam_engine.demo.following import Follower
from bam_engine.demo.rehearsal import rehearsal
from bam_engine.demo.simulated_annotators import Team, answer_from
from bam_engine.errors import BamError
from bam_engine.formatting import count
from bam_engine.guidance.guidance import guidance_of
from bam_engine.training.diagnosis import diagnose
from bam_engine.workspace import Workspace
from benchmarks import end_to_end, pictures
from benchmarks.end_to_end import FIXED, Delivered, Run
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

MOST_STEPS = 100
"""Steps after which a run is stuck, though each changed something."""


@dataclass(frozen=True)
class Case:
    """One run: ``stored`` names a second encoder whose vectors are there, or none; ``images`` is 0 for all."""

    encoder: str
    stored: str
    images: int
    attribute: str
    error_rate: float
    seed: int

    def pictures(self, encoder: str = "") -> pictures.Pictures:
        """Return the images of the run, by its encoder or by another."""
        found = pictures.load(encoder or self.encoder)
        return found if not self.images else part(found, self.images, self.seed)


@dataclass(frozen=True)
class Followed(Delivered):
    """A run that was followed to its end; ``why`` are the last words of the guidance, or the error."""

    case: Case
    ended: str
    why: str
    steps: tuple[str, ...]
    parts: dict[str, int]
    delivered: int
    precision: float
    recall: float
    certified: bool
    audited: bool
    interval: tuple[float, float] | None
    seconds: float

    @property
    def answers(self) -> int:
        return sum(self.parts.values())


def part(found: pictures.Pictures, n: int, seed: int) -> pictures.Pictures:
    """Return ``n`` random pictures of a collection, the same for every encoder."""
    rows = np.sort(np.random.default_rng([seed, n]).choice(len(found.vectors), n, replace=False))
    truth = {name: of[rows] for name, of in found.truth.items()}
    return pictures.Pictures(found.vectors[rows], found.projects[rows], truth)


def follow(case: Case, *, trace: bool = False) -> Followed:
    """Follow the guidance of a new attribute to its end, in a workspace of its own."""
    begin, found = time.perf_counter(), case.pictures()
    truth, judges = found.truth[case.attribute], 2 if case.error_rate else 1
    others = {case.stored: case.pictures(case.stored).vectors} if case.stored else {}
    with rehearsal(found.vectors, found.projects, encoder=case.encoder, others=others) as workspace:
        workspace.judging_redundancy, workspace.redundancy = judges, 1
        attribute = workspace.attributes.add("content_thing", "content", "Is it?")
        team = Team(case.error_rate, 1, case.seed, judges)
        follower = Follower(
            workspace,
            attribute,
            partial(answer_from, workspace, team=team, truth=truth.astype(np.int8)),
            seed=case.seed,
            examples=tuple(protocol.known_positives(truth, protocol.EXAMPLES, case.seed)),
        )
        ended, why, steps = to_the_end(follower, trace=trace)
        given = protocol.outcome(workspace, attribute, truth)
        audit, nothing_left = audits.latest_result(workspace, attribute), audits.nothing_to_doubt(workspace, attribute)
    return Followed(
        case=case,
        ended=ended,
        why=why,
        steps=tuple(steps),
        parts=dict(given.answers),
        delivered=given.delivered.n,
        precision=given.delivered.precision,
        recall=given.delivered.recall,
        certified=given.certified,
        audited=(audit is not None and audit.current and audit.complete) or nothing_left != "",
        interval=given.recall,
        seconds=round(time.perf_counter() - begin, 1),
    )


def to_the_end(follower: Follower, *, trace: bool = False) -> tuple[str, str, list[str]]:
    """Take one step after another; return how it ended, why, and the steps in words."""
    workspace, attribute, steps = follower.workspace, follower.attribute, list[str]()
    tried, before = {workspace.choice.key}, None
    while len(steps) < MOST_STEPS:
        guidance = guidance_of(workspace, attribute)
        if trace:
            print(f"    {guidance.step}: {guidance.summary}", flush=True)
        if guidance.step == "done":
            return "finished", guidance.reason, steps
        if guidance == before:
            return "stuck", f"{guidance.step} changes nothing: {guidance.summary}", steps
        if guidance.step == "diagnose":
            key = better_encoder(workspace, attribute)
            choice = None if key in tried else workspace.choice_of(key)
            if choice is None:
                return "cannot", guidance.summary, steps
            workspace.encoders.choose(choice)
            tried.add(key)
            steps.append(f"the encoder {choice.spec}")
            continue
        before = guidance
        try:
            taken = following.take(follower, guidance)
        except BamError as error:
            return "stuck", f"{guidance.step} cannot be taken: {error}", steps
        if taken is None:
            return "stuck", f"nobody can {guidance.step}: {guidance.summary}", steps
        if trace:
            print(f"      {taken}", flush=True)
        steps.append(taken)
    return "stuck", f"{MOST_STEPS} steps were taken", steps


def better_encoder(workspace: Workspace, attribute: Attribute) -> str:
    """Return the key of the stored encoder that the diagnosis names, or ""."""
    found = diagnose(workspace, attribute)
    return next((cause.encoder for cause in found.causes if cause.encoder), "") if found is not None else ""


def known_runs(file: Path | None) -> dict[Case, Followed]:
    """Return the runs of a file."""
    if file is None or not file.exists():
        return {}
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    runs = [
        Followed(
            **{
                **line,
                "case": Case(**line["case"]),
                "steps": tuple(line["steps"]),
                "interval": line["interval"] and tuple(line["interval"]),
            }
        )
        for line in lines
    ]
    return {run.case: run for run in runs}


def keep(file: Path | None, run: Followed | Run) -> None:
    """Append a run to a file of runs."""
    if file is not None:
        with file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(asdict(run)) + "\n")


def fixed_run(case: Case, known: dict[tuple[str, str, float, str, int], Run], file: Path | None) -> Run:
    """Return the run of the fixed protocol with the same seed: a known one, or one that is played now."""
    same = (case.encoder, case.attribute, case.error_rate, FIXED, case.seed)
    if case.images or same not in known:
        played = end_to_end.play_on(case.pictures(), same)
        if case.images:
            return played
        known[same] = played
        keep(file, played)
    return known[same]


def summary(runs: Sequence[Followed], fixed: Sequence[Run]) -> dict[str, Any]:
    """Return the figures of the runs of one attribute beside those of the fixed protocol."""
    certified = [run for run in runs if run.certified]
    figures: dict[str, Any] = {
        "runs": len(runs),
        "ended": dict(Counter(run.ended for run in runs)),
        "answers": _mean(run.answers for run in runs),
        "parts": {name: _mean(run.parts[name] for run in runs) for name in protocol.PURPOSES},
        "precision": _mean(run.precision for run in runs),
        "recall": _mean(run.recall for run in runs),
        "kept": _mean(run.kept for run in runs),
        "certified": len(certified),
        "audited": sum(run.audited for run in runs),
        "broken": sum(run.broken for run in runs),
    }
    if fixed:
        figures |= {
            "fixed_answers": _mean(run.answers for run in fixed),
            "fixed_kept": _mean(run.kept for run in fixed),
            "fixed_certified": sum(run.certified for run in fixed),
            "ratio": sum(run.answers for run in runs) / sum(run.answers for run in fixed),
        }
    return figures


def _mean(values: Iterable[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def show(attribute: str, share: float, found: dict[str, Any]) -> None:
    """Print the line of an attribute."""
    ended = ", ".join(f"{word} {times}" for word, times in found["ended"].items())
    parts = " + ".join(f"{found['parts'][name]:.0f}" for name in protocol.PURPOSES)
    beside = ""
    if "ratio" in found:
        beside = f"{found['fixed_answers']:>8.0f}{found['fixed_kept']:>7.3f}{found['ratio']:>7.2f}"
    print(
        f"{attribute:<12}{share:>6.1%}  {ended:<24}{found['answers']:>6.0f} = {parts:<24}{found['precision']:>6.3f}"
        f"{found['recall']:>7.3f}{found['kept']:>7.3f}{found['certified']:>5}/{found['runs']}"
        f"{found['audited']:>5}/{found['runs']}{found['broken']:>4}{beside}",
        flush=True,
    )


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("advice", __doc__)
    options.add_argument("--seeds", type=int, default=20)
    options.add_argument("--attributes", nargs="+", choices=pictures.ATTRIBUTES, default=list(pictures.ATTRIBUTES))
    options.add_argument("--encoders", nargs="+", choices=end_to_end.ENCODERS, default=["combined"])
    options.add_argument("--stored", choices=end_to_end.ENCODERS, default="", help="also store these vectors")
    options.add_argument("--error-rates", nargs="+", type=float, default=[0.0, 0.05], metavar="RATE")
    options.add_argument("--images", type=int, default=0, help="follow on as many random pictures; 0: on all")
    options.add_argument("--runs", type=Path, metavar="FILE", help="where the runs are kept, one JSON document a line")
    options.add_argument(
        "--fixed", type=Path, metavar="FILE", help="where end_to_end keeps the runs of the fixed protocol"
    )
    options.add_argument("--no-fixed", action="store_true", help="follow alone, without the fixed protocol beside it")
    options.add_argument("--trace", action="store_true", help="print each step, and what the guidance says")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    if pictures.said_missing(options.encoders):
        return
    runs, known = known_runs(options.runs), end_to_end.known_runs(options.fixed)
    figures: list[dict[str, Any]] = []
    for encoder, rate in ((encoder, rate) for encoder in options.encoders for rate in options.error_rates):
        print(f"\n{encoder}, {rate:.0%} of the answers wrong, {count(options.seeds, 'seed')}; {machine()}")
        print(
            f"{'attribute':<12}{'share':>6}  {'ended':<24}answers by purpose{'':<16}precision, recall, kept; "
            "certified, audited, broken; fixed: answers, kept, ratio",
            flush=True,
        )
        for attribute in options.attributes:
            cases = [
                Case(encoder, options.stored, options.images, attribute, rate, seed) for seed in range(options.seeds)
            ]
            for case in cases:
                if case not in runs:
                    runs[case] = follow(case, trace=options.trace)
                    keep(options.runs, runs[case])
            fixed = [] if options.no_fixed else [fixed_run(case, known, options.fixed) for case in cases]
            found = summary([runs[case] for case in cases], fixed)
            share = float(np.mean([case.pictures().truth[attribute].mean() for case in cases]))
            show(attribute, share, found)
            figures.append({"encoder": encoder, "error_rate": rate, "attribute": attribute, "share": share, **found})
            for run in (runs[case] for case in cases):
                if run.ended == "stuck":
                    print(f"  seed {run.case.seed} is stuck: {run.why}", flush=True)
    if options.json:
        document = {"machine": machine(), "seeds": options.seeds, "images": options.images, "lines": figures}
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
