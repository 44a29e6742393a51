"""What a newcomer gets from five examples and two rounds, per encoder: "Does it show a dog?" on mixed real pictures.

All pictures of the first content, and others drawn at random up to ``--images``, are added to a workspace of their own
and labelled through the engine as on the pages: a validation sample of 200, five examples that are random positives,
as the gallery would give them, and two rounds of 100, answered from the truth. Every seed draws everything anew; all
encoders get the same samples and examples.

"validation" is what the Rounds page shows: average precision on the sample. "never trained on" is the truth on every
picture that the sample keeps out of the rounds. "positives" are those among the labels. The contents come from names,
so a few are wrong. Means over the seeds with Student's 95% intervals.
"""

import argparse
import json
import tempfile
import uuid
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bam_engine.annotation import Attribute, NewAnswer
from bam_engine.collection import ingest_folder
from bam_engine.labelling import assigning, tasks
from bam_engine.training import querying, rounds, validation
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import embed_collection
from benchmarks.embedding_rate import SHARED, pictures_found
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser
from benchmarks.pictures import CONTENTS
from benchmarks.played import mean, precisions, shown

ENCODERS = ("combined", "network", "builtin")
EXAMPLES, ROUNDS = 5, 2


@dataclass(frozen=True)
class Flow:
    """One content, encoder and seed: the average precisions, the positives among the labels, and the share of all."""

    content: str
    encoder: str
    seed: int
    validation: float
    untrained: float
    positives: int
    share: float


def mixed(labels: pd.DataFrame, content: str, count: int) -> pd.DataFrame:
    """Return the labels of every picture of a content, and of others drawn at random up to ``count``."""
    shows = labels["content"] == content
    others = labels[~shows].sample(max(0, count - int(shows.sum())), random_state=0)
    return pd.concat([labels[shows], others]).sort_index()


def collection(home: Path, labels: pd.DataFrame) -> Workspace:
    """Return a workspace of the pictures, which are links to where they are."""
    folder = home / "pictures"
    for path in labels["path"]:
        link = folder / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(SHARED / "images" / path)
    table = home / "labels.csv"
    labels.assign(path=[str(folder / path) for path in labels["path"]]).to_csv(table, index=False)
    workspace = Workspace(home / "workspace", home / "cache")
    ingest_folder(workspace.catalogue, workspace.thumbnails, folder, metadata=table)
    return workspace


def contents_by_row(workspace: Workspace, labels: pd.DataFrame) -> np.ndarray:
    """Return the content of each row, "" where it is unknown."""
    known = {
        str((SHARED / "images" / path).resolve()): content
        for path, content in zip(labels["path"], labels["content"], strict=True)
    }
    return np.array([known.get(str(Path(uri).resolve()), "") for uri in workspace.catalogue.uris()])


def answer(workspace: Workspace, task: tasks.Task, truth: np.ndarray) -> None:
    while (assignment := assigning.open_task(workspace, task, "newcomer")) is not None:
        answers = [NewAnswer(uuid.uuid4().hex, row, int(truth[row]), 1.0) for row in assignment.rows]
        workspace.annotations.record(assignment.id, answers)


def flow(workspace: Workspace, content: str, truth: np.ndarray, seed: int) -> Flow:
    """Label one content as a newcomer would, with the encoder in use."""
    spec = workspace.choice.spec
    attribute = workspace.attributes.add(f"{content}_{spec}_{seed}", "own", f"Does it show a {content}?")
    validation.draw_validation(workspace, attribute, validation.CERTIFYING_SIZE, seed=seed)
    answer(workspace, tasks.validation_task(workspace, attribute), truth)
    pool = querying.query_pool(workspace, attribute)
    examples = np.random.default_rng(seed).permutation(pool[truth[pool]])[:EXAMPLES]
    for number in range(ROUNDS):
        first = {"seeds": examples.tolist()} if number == 0 else {}
        answer(workspace, rounds.start_round(workspace, attribute, seed=seed + number, **first).task, truth)
        model = rounds.train(workspace, attribute)
    interval = model.measurement and model.measurement.average_precision_interval
    measured = interval[0] if interval else float("nan")
    untrained, _, _ = precisions(workspace, attribute, truth)
    return Flow(content, spec, seed, measured, untrained, positives(workspace, attribute), float(truth.mean()))


def positives(workspace: Workspace, attribute: Attribute) -> int:
    return int(querying.training_labels(workspace, attribute)[1].sum())


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("newcomer", __doc__)
    options.add_argument("--contents", nargs="+", choices=CONTENTS, default=["dog", "cat", "bird", "people"])
    options.add_argument("--encoders", nargs="+", choices=ENCODERS, default=list(ENCODERS))
    options.add_argument("--images", type=int, default=2780)
    options.add_argument("--seeds", type=int, default=5)
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    if not pictures_found():
        return
    labels = mixed(pd.read_csv(SHARED / "images" / "labels.csv"), options.contents[0], options.images)
    print(f"{len(labels):,} real pictures, {options.seeds} seeds; {machine()}")
    print(f"{'content':<10}{'share':>6}  {'encoder':<10}{'validation':>20}{'never trained on':>20}{'positives':>10}")
    flows: list[Flow] = []
    with tempfile.TemporaryDirectory() as home, closing(collection(Path(home), labels)) as workspace:
        shows = contents_by_row(workspace, labels)
        for encoder in options.encoders:
            workspace.choose_encoder(encoder)
            embed_collection(workspace)
            for content in options.contents:
                ours = [flow(workspace, content, shows == content, seed) for seed in range(options.seeds)]
                flows += ours
                cells = shown(mean([one.validation for one in ours])) + shown(mean([one.untrained for one in ours]))
                found = np.mean([one.positives for one in ours])
                print(f"{content:<10}{ours[0].share:>6.1%}  {encoder:<10}{cells}{found:>10.0f}", flush=True)
    if options.json:
        options.json.write_text(json.dumps({"machine": machine(), "flows": [asdict(one) for one in flows]}) + "\n")


if __name__ == "__main__":
    main()
