"""How fast 50 annotators get and answer assignments at once, and whether an answer is lost or doubled.

Generated images and simulated people, in two processes on one database: each takes an assignment, answers it in one
submit, and takes the next, until every image has the votes that it needs (two who agree, or a third). Of the answers,
10% are wrong and 3% unsure. One submit in ten is sent twice, as after a lost reply. One assignment in twenty is given
back and answered all the same once others may have had it, as by somebody whose lease has expired.

"Lost" are answers that were acknowledged and are not stored, "doubled" second votes of one person about an image,
"beyond" votes about an image that needed none when they came, and "extra" answers that were kept without counting.
"""

import argparse
import json
import multiprocessing
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import sqlalchemy as sa
from PIL import Image

from bam_engine import database as db
from bam_engine.annotation import Answers, Assignment, NewAnswer, complete, consensus
from bam_engine.errors import StoreUnavailable
from bam_engine.labelling import assigning, tasks
from bam_engine.labelling.tasks import Task
from bam_engine.workspace import Workspace
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

T = TypeVar("T")

PEOPLE, PROCESSES, IMAGES, VOTES = 50, 2, 2000, 2
WRONG, UNSURE, TWICE, LATE = 0.1, 0.03, 0.1, 0.05
ATTRIBUTE = "kite"
LOOK_AGAIN = 0.05  # seconds between looks of somebody who waits for images that others hold


@dataclass
class Work:
    """What one process did: seconds of each request, uids that were acknowledged, answers that did not count."""

    opens: list[float] = field(default_factory=list)
    submits: list[float] = field(default_factory=list)
    uids: list[str] = field(default_factory=list)
    extra: int = 0


@dataclass(frozen=True)
class Place:
    """Where the workspace is; ``url`` is that of its database, None for a file."""

    home: Path
    url: str | None

    def open(self) -> Workspace:
        return Workspace(self.home / "workspace", self.home / "cache", database_url=self.url)


def prepare(place: Place, images: int, votes: int = VOTES) -> None:
    """Make a workspace of blank images, with an attribute about which so many people must agree."""
    workspace = place.open()
    records = [
        {"row": row, "uri": f"/blank/{row}.png", "width": 4, "height": 4, "digest": f"{row:064x}", "made_at": "2030"}
        for row in range(images)
    ]
    with workspace.engine.begin() as connection:
        connection.execute(sa.insert(db.images).values(status="ok"), records)
    blank = workspace.thumbnails.render(Image.new("RGB", (4, 4)))
    for row in range(images):
        workspace.thumbnails.store(row, blank)
    workspace.attributes.add(ATTRIBUTE, "own", "Is there a kite?")
    workspace.redundancy = votes
    workspace.close()


def task_of(workspace: Workspace) -> Task:
    """Return the task of all images."""
    rows = np.arange(len(workspace.catalogue))
    return Task(workspace.attributes.get(ATTRIBUTE), "round", 1, "Round 1", rows)


def insist(ask: Callable[[], T]) -> T:
    """Ask again where the database was busy for too long, as a browser does."""
    while True:
        try:
            return ask()
        except StoreUnavailable:
            time.sleep(LOOK_AGAIN)


def annotate(workspace: Workspace, name: str, work: Work, rng: np.random.Generator) -> None:
    """Answer as one person until no image needs them."""
    task = insist(lambda: task_of(workspace))
    who = insist(lambda: workspace.annotations.annotator(name))
    while True:
        begin = time.perf_counter()
        assignment = insist(lambda: assigning.open_task(workspace, task, name))
        if assignment is None:
            if not insist(lambda: assigning.held_by_others(workspace, task, who)):
                return
            time.sleep(LOOK_AGAIN)
            continue
        work.opens.append(time.perf_counter() - begin)
        if rng.random() < LATE:
            insist(partial(workspace.leases.give_back, [assignment.id]))
            time.sleep(LOOK_AGAIN)
        submit(workspace, assignment, work, rng)


def submit(workspace: Workspace, assignment: Assignment, work: Work, rng: np.random.Generator) -> None:
    """Send the answers to an assignment, some of them twice."""
    truth, chance = np.array(assignment.rows) % 3 == 0, rng.random(len(assignment.rows))
    said = np.where(chance < UNSURE, -1, np.where(chance < UNSURE + WRONG, ~truth, truth)).tolist()
    answers = [NewAnswer(uuid.uuid4().hex, row, int(one)) for row, one in zip(assignment.rows, said, strict=True)]
    for _ in range(1 + (rng.random() < TWICE)):
        begin = time.perf_counter()
        saved = insist(
            lambda: workspace.annotations.record(
                assignment.id, answers, terms_of=lambda of: assigning.terms_of(workspace, of)
            )
        )
        work.submits.append(time.perf_counter() - begin)
        work.extra += saved.extra
    work.uids += [answer.uid for answer in answers]


def run_process(place: Place, people: Sequence[int], results: Any) -> None:
    """Let these people annotate, each in a thread."""
    workspace, work = place.open(), [Work() for _ in people]
    threads = [
        threading.Thread(target=annotate, args=(workspace, f"person {one}", mine, np.random.default_rng(one)))
        for one, mine in zip(people, work, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    workspace.close()
    results.put(
        Work(
            opens=[one for each in work for one in each.opens],
            submits=[one for each in work for one in each.submits],
            uids=[one for each in work for one in each.uids],
            extra=sum(each.extra for each in work),
        )
    )


def annotate_together(place: Place, people: int = PEOPLE, processes: int = PROCESSES) -> tuple[Work, float]:
    """Let all people annotate at once; return what they did, and the seconds that it took from the first request."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    parts = [list(range(first, people, processes)) for first in range(processes)]
    running = [context.Process(target=run_process, args=(place, part, results)) for part in parts]
    for process in running:
        process.start()
    found: list[Work] = [results.get() for _ in running]
    for process in running:
        process.join()
    everything = Work(
        opens=[one for each in found for one in each.opens],
        submits=[one for each in found for one in each.submits],
        uids=[one for each in found for one in each.uids],
        extra=sum(each.extra for each in found),
    )
    return everything, _seconds(place)


def _seconds(place: Place) -> float:
    """Return the time between the first assignment and the last answer, without the start of the processes."""
    workspace = place.open()
    log = workspace.engine
    with log.connect() as connection:
        first = connection.scalar(sa.select(sa.func.min(db.assignments.c.made_at)))
        last = connection.scalar(sa.select(sa.func.max(db.annotations.c.made_at)))
    workspace.close()
    return float((np.datetime64(last[:-6]) - np.datetime64(first[:-6])) / np.timedelta64(1, "s"))


def faults(place: Place, uids: Sequence[str]) -> dict[str, int]:
    """Count what must not happen: lost answers, doubled ones, votes beyond those needed, images that lack one."""
    workspace = place.open()
    task, given = task_of(workspace), db.annotations.c
    query = (
        sa.select(given.row, given.annotator_id, given.answer, given.uid, db.assignments.c.purpose)
        .join(db.assignments, db.assignments.c.id == given.assignment_id)
        .order_by(given.id)
    )
    with workspace.engine.connect() as connection:
        stored = connection.execute(query).all()
    number = {"positive": 1, "negative": 0, "unsure": -1}
    votes = [(one.row, one.annotator_id, number[one.answer]) for one in stored if one.purpose == "round"]
    before: dict[int, list[tuple[int, int, int]]] = {}
    beyond = 0
    for vote in votes:
        earlier = before.setdefault(vote[0], [])
        beyond += bool(earlier) and _needs_none(earlier, workspace.redundancy)
        earlier.append(vote)
    missing = tasks.state(workspace, task).left
    workspace.close()
    return {
        "lost": len(set(uids) - {one.uid for one in stored}),
        "doubled": sum(times > 1 for times in Counter((row, who) for row, who, _ in votes).values()),
        "beyond": beyond,
        "unanswered": missing,
    }


def _needs_none(votes: Sequence[tuple[int, int, int]], required: int) -> bool:
    rows, people, said = np.array(votes).T
    agreed = consensus(Answers(rows, people, said.astype(np.int8)), redundancy=required)
    return bool(complete(agreed)[0])


@contextmanager
def _places() -> Iterator[dict[str, Place]]:
    """Give an empty workspace on each kind of database."""
    from tests.postgresql import run_server

    with tempfile.TemporaryDirectory() as home, run_server() as server, server.database() as url:
        yield {"SQLite": Place(Path(home) / "sqlite", None), "PostgreSQL": Place(Path(home) / "postgresql", url)}


def measure(images: int, people: int) -> dict[str, Any]:
    lines = {}
    with _places() as places:
        for name, place in places.items():
            prepare(place, images)
            work, seconds = annotate_together(place, people)
            lines[name] = {
                "judgements a second": len(work.uids) / seconds,
                "open": percentiles(work.opens),
                "submit": percentiles(work.submits),
                "extra": work.extra,
                **faults(place, work.uids),
            }
    return {"machine": machine(), "images": images, "people": people, "databases": lines}


def percentiles(seconds: Sequence[float]) -> list[float]:
    """Return the median, the 95th and the 99th percentile in ms."""
    return [1000 * float(one) for one in np.percentile(seconds, [50, 95, 99])]


def show(figures: dict[str, Any]) -> None:
    print(figures["machine"])
    print(f"{figures['people']} annotators, {figures['images']:,} images, assignments of 34 at most; ms: p50/p95/p99\n")
    print(
        f"{'':<12}{'judgements/s':>13}{'open':>18}{'submit':>18}"
        + f"{'lost':>6}{'doubled':>9}{'beyond':>8}{'extra':>7}"
    )
    for name, one in figures["databases"].items():
        open_, submitted = ("/".join(f"{value:.0f}" for value in one[what]) for what in ("open", "submit"))
        counts = f"{one['lost']:>6}{one['doubled']:>9}{one['beyond']:>8}{one['extra']:>7}"
        print(f"{name:<12}{one['judgements a second']:>13,.0f}{open_:>18}{submitted:>18}{counts}")


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("annotating", __doc__)
    options.add_argument("--images", type=int, default=IMAGES, help="images to answer (default: %(default)s)")
    options.add_argument("--people", type=int, default=PEOPLE, help="annotators at once (default: %(default)s)")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    figures = measure(options.images, options.people)
    show(figures)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
