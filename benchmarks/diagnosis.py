"""How often the diagnosis of an attribute is right, where the truth is known.

Generated collections of 1,000 vectors in projects of two, labelled through the functions of the app: 200 validation
images and two rounds of 100, the first from five examples, then the diagnosis. The cases are an attribute that the
encoder shows, one that it does not show (with and without another encoder that does), one of which a single annotator
gets 15% of the answers wrong, one that two annotators answer with 35% wrong answers, one that is two things at
opposite corners, and one with 1% of positives. A diagnosis is right if the verdict is, and where an attribute
does not learn, the likeliest cause too. Of wrong labels, it is counted how many are among the 20 that the classifier
contradicts most.

On the 500 real photos, "dog" with the descriptors alone and with the network and descriptors, the other one's vectors
stored as well: the verdict and the likeliest cause.
"""

import argparse
import json
import tempfile
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from bam_engine import learning
from bam_engine.annotation import Attribute, NewAnswer
from bam_engine.collection import ingest_folder
from bam_engine.embedding import VectorStore
from bam_engine.labelling import assigning, tasks
from bam_engine.training import rounds, validation
from bam_engine.training.contradictions import contradictions
from bam_engine.training.diagnosis import Diagnosis, diagnose
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import embed_collection
from benchmarks.embedding_rate import SHARED, pictures_found
from benchmarks.generated import collection
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

N, DIM, EXAMPLES, ROUNDS = 1000, 32, 5, 2
OTHER = "another-v1"
LISTED = 20

Truth = npt.NDArray[np.bool_]
Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Case:
    """One kind of attribute: the verdicts and the likeliest cause that are right, and how it is answered."""

    name: str
    make: Callable[[np.random.Generator], tuple[Vectors, Truth, Vectors | None]]
    verdicts: tuple[str, ...]
    cause: str = ""
    wrong: float = 0.0
    people: int = 1


def seen(rng: np.random.Generator, share: float = 0.2) -> tuple[Vectors, Truth, None]:
    """Positives at one end of a direction."""
    vectors = spread(rng)
    along = vectors[:, 0] + 0.2 * rng.normal(size=N)
    return vectors, along >= np.quantile(along, 1 - share), None


def unseen(rng: np.random.Generator) -> tuple[Vectors, Truth, None]:
    """Positives that have nothing to do with the vectors, whole projects together."""
    vectors, truth, _ = unseen_but_by_another(rng)
    return vectors, truth, None


def unseen_but_by_another(rng: np.random.Generator) -> tuple[Vectors, Truth, Vectors]:
    """Positives that only the vectors of another encoder show."""
    other, truth, _ = seen(rng)
    return spread(rng), truth, other


def two_things(rng: np.random.Generator) -> tuple[Vectors, Truth, None]:
    """Positives at two opposite corners of a square, negatives at the two others."""
    vectors = spread(rng)
    truth, side = (np.tile(rng.random(N // 2) < share, 2) for share in (0.3, 0.5))
    vectors[:, 0] += np.where(side, 6.0, -6.0)
    vectors[:, 1] += np.where(side == truth, 6.0, -6.0)
    return vectors, truth, None


def spread(rng: np.random.Generator) -> Vectors:
    """Vectors of projects of two images that are alike, not identical."""
    makers = rng.normal(size=(N // 2, DIM))
    return np.asarray(np.tile(makers, (2, 1)) + 0.5 * rng.normal(size=(N, DIM)), np.float32)


CASES = (
    Case("the encoder shows it", seen, ("yes", "fully")),
    Case("15% of the answers are wrong", seen, ("yes",), wrong=0.15),
    Case("the encoder does not show it", unseen, ("no",), "encoder"),
    Case("another encoder shows it", unseen_but_by_another, ("no",), "encoder"),
    Case("two people, 35% wrong", lambda rng: seen(rng, 0.1), ("no",), "labels", wrong=0.35, people=2),
    Case("two things", two_things, ("no",), "question"),
    Case("1% of positives", lambda rng: seen(rng, 0.01), ("unknown",)),
)


def generated(home: Path, vectors: Vectors, other: Vectors | None) -> Workspace:
    """Return a workspace of images with these vectors, and with those of another encoder."""
    workspace = collection(home, N, dim=DIM, projects=N // 2)
    blank = workspace.thumbnails.render(Image.new("RGB", (4, 4)))
    for row in range(N):
        workspace.thumbnails.store(row, blank)
    workspace.vectors().replace(np.arange(N), unit(vectors))
    if other is not None:
        store = VectorStore(workspace.cache / "vectors" / OTHER, images=workspace.catalogue.digests().array)
        store.claim(spec="another", key=OTHER, dim=DIM)
        with store.writing():
            store.append(unit(other))
    return workspace


def unit(vectors: Vectors) -> Vectors:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def answer(
    workspace: Workspace, task: tasks.Task, truth: Truth, rng: np.random.Generator, wrong: float, people: int
) -> None:
    """Let each person answer a task, each with wrong answers of their own."""
    for person in range(people):
        while (assignment := assigning.open_task(workspace, task, f"person {person}")) is not None:
            rows = assignment.rows
            given = truth[list(rows)] ^ (rng.random(len(rows)) < wrong)
            answers = [NewAnswer(uuid.uuid4().hex, row, int(yes)) for row, yes in zip(rows, given, strict=True)]
            workspace.annotations.record(assignment.id, answers)


def label(
    workspace: Workspace,
    attribute: Attribute,
    truth: Truth,
    rng: np.random.Generator,
    *,
    wrong: float = 0.0,
    people: int = 1,
) -> Diagnosis:
    """Label the validation sample and the rounds, train after each; return the diagnosis."""
    workspace.redundancy = people
    validation.draw_validation(workspace, attribute, validation.CERTIFYING_SIZE, seed=int(rng.integers(2**31)))
    answer(workspace, tasks.validation_task(workspace, attribute), truth, rng, wrong, people)
    examples = rng.choice(np.flatnonzero(truth), EXAMPLES, replace=False).tolist()
    for number in range(ROUNDS):
        seeds = [] if number else examples
        begun = rounds.start_round(workspace, attribute, seeds=seeds, seed=int(rng.integers(2**31)))
        answer(workspace, begun.task, truth, rng, wrong, people)
        rounds.train(workspace, attribute)
    found = diagnose(workspace, attribute)
    if found is None:
        raise RuntimeError("The attribute has no model.")
    return found


def play(case: Case, seed: int) -> dict[str, Any]:
    """Return the verdict, the likeliest cause, and how many of the labels listed as contradicted are wrong."""
    rng = np.random.default_rng([seed, 14])
    vectors, truth, other = case.make(rng)
    with tempfile.TemporaryDirectory() as home:
        workspace = generated(Path(home), vectors, other)
        attribute = workspace.attributes.add("content_thing", "content", "Is it?")
        found = label(workspace, attribute, truth, rng, wrong=case.wrong, people=case.people)
        listed = contradictions(workspace, attribute)
        worst = listed.rows[np.argsort(-listed.distances)[:LISTED]]
        labels = tasks.labels_of(tasks.labels(workspace, attribute), worst) == 1
        taught = tasks.labels_of(tasks.labels(workspace, attribute), listed.rows) == 1
        workspace.close()
    first = found.causes[0].kind if found.causes and found.verdict.learned == "no" else ""
    return {
        "case": case.name,
        "seed": seed,
        "verdict": found.verdict.learned,
        "cause": first,
        "right": found.verdict.learned in case.verdicts and first == case.cause,
        "reason": found.verdict.reason,
        "advice": None if found.advice is None else found.advice.outcome,
        "listed_wrong": float((labels != truth[worst]).mean()) if len(worst) else float("nan"),
        "all_wrong": float((taught != truth[listed.rows]).mean()) if len(worst) else float("nan"),
    }


def real_pictures(encoder: str, other: str, seeds: int) -> list[dict[str, Any]]:
    """Diagnose "dog" on real pictures with one encoder while the vectors of another are stored."""
    labels = pd.read_csv(SHARED / "images" / "labels.csv")
    chosen = labels[labels["medium"] == "photo"]
    lines = []
    with tempfile.TemporaryDirectory() as home:
        workspace = Workspace(Path(home) / "workspace", Path(home) / "cache")
        chosen.to_csv(Path(home) / "labels.csv", index=False)
        for path in chosen["path"]:
            place = Path(home) / "pictures" / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to((SHARED / "images" / path).resolve())
        ingest_folder(
            workspace.catalogue, workspace.thumbnails, Path(home) / "pictures", metadata=Path(home) / "labels.csv"
        )
        for spec in (other, encoder):
            workspace.choose_encoder(spec)
            embed_collection(workspace)
        dogs = {str(Path(home) / "pictures" / path) for path in chosen["path"][chosen["content"] == "dog"]}
        truth = np.array([uri in dogs for uri in workspace.catalogue.uris()])
        for seed in range(seeds):
            attribute = workspace.attributes.add(f"content_dog{seed}", "content", "Does it show a dog?")
            found = label(workspace, attribute, truth, np.random.default_rng(seed))
            share = found.verdict.share
            lines.append(
                {
                    "encoder": encoder,
                    "seed": seed,
                    "verdict": found.verdict.learned,
                    "cause": found.causes[0].kind if found.causes else "",
                    "compared": bool(found.causes) and bool(found.causes[0].encoder),
                    "average_precision": None if share is None else share.value,
                    "guessing": None if share is None else share.guessing,
                    "lines": found.lines,
                }
            )
        workspace.close()
    return lines


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("diagnosis", __doc__)
    options.add_argument("--seeds", type=int, default=20)
    options.add_argument("--real-seeds", type=int, default=5, help="runs on the real pictures")
    options.add_argument("--cases", nargs="+", type=int, choices=range(len(CASES)), default=list(range(len(CASES))))
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    figures: dict[str, Any] = {"machine": machine(), "generated": [], "real": []}
    print(f"generated vectors, {N} images, {options.seeds} seeds each")
    print(f"{'case':<32} {'right':>22}  {'verdicts and causes':<44} wrong among the {LISTED} listed, of all")
    for case in (CASES[number] for number in options.cases):
        found = [play(case, seed) for seed in range(options.seeds)]
        figures["generated"] += found
        k = sum(one["right"] for one in found)
        limits = learning.clopper_pearson(k, len(found))
        told = Counter(f"{one['verdict']} {one['cause']}".strip() for one in found)
        words = ", ".join(f"{what} {times}" for what, times in told.most_common())
        listed, every = (np.nanmean([one[name] for one in found]) for name in ("listed_wrong", "all_wrong"))
        wrong = f"{listed:.2f}, {every:.2f}" if case.wrong else ""
        right = f"{k} of {len(found)} ({limits.low:.2f}–{limits.high:.2f})"
        print(f"{case.name:<32} {right:>22}  {words:<44} {wrong}", flush=True)
    if not pictures_found():
        print("the real pictures are not in ../shared: skipped")
    elif options.real_seeds:
        for encoder, other in (("builtin", "combined"), ("combined", "builtin")):
            lines = real_pictures(encoder, other, options.real_seeds)
            figures["real"] += lines
            told = Counter(
                f"{one['verdict']} {one['cause']}{', named' if one['compared'] else ''}".strip() for one in lines
            )
            mean = np.nanmean([one["average_precision"] or np.nan for one in lines])
            guess = np.nanmean([one["guessing"] or np.nan for one in lines])
            print(f"dog, {encoder}: average precision {mean:.2f}, guessing {guess:.2f}; {dict(told)}")
            print("  " + "\n  ".join(lines[0]["lines"]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
