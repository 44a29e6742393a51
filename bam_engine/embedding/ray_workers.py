"""The workers of a Ray cluster, and the pool that keeps them busy.

In:  tasks, each some rows. Out: their vectors, in the order in which workers finish.

A worker is an actor that opens the encoder once and has a few processors, or a graphics processor, to itself. It works
on two tasks at a time, so that the pictures of one are decoded while the model computes the other. A task counts once,
when its vectors have arrived here: what a dead worker was working on is given to another.
"""

import contextlib
import hashlib
import platform
import tempfile
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bam_engine.collection import read_image
from bam_engine.embedding.base import Encoder, PortableEncoder
from bam_engine.embedding.encoder import open_encoder
from bam_engine.embedding.parts import File, Part, computed
from bam_engine.errors import BamError, EmbeddingError, ImageUnreadable
from bam_engine.formatting import count, file_size
from bam_engine.processes import limit_processors, processes

AT_ONCE = 2  # tasks of a worker
MOST_PROCESSORS = 4  # of a worker; more of them wait for each other
CAREFUL, HOPELESS = 2, 6  # deaths of workers with a task: after these, each file is tried, and no other worker is
FATAL = "It ends the program that reads it."
_WAIT = 1.0  # seconds between two looks at the cluster and at whether the run is to stop

Result = tuple[npt.NDArray[np.float16], list[tuple[int, str]]]


@dataclass
class Task:
    """Rows to embed, and how many workers died with it."""

    rows: Sequence[int]
    deaths: int = 0


@dataclass(frozen=True)
class Wanted:
    """The encoder that workers open: its spec and key, the name and digest of its weights, and what it runs on."""

    spec: str
    key: str
    weights: Path | None
    digest: str
    on_processors: bool

    @classmethod
    def of(cls, encoder: Encoder) -> "Wanted":
        """Describe an encoder that is open here."""
        file: Path | None = getattr(encoder, "checkpoint", None)
        digest = hashlib.sha256(file.read_bytes()).hexdigest() if file else ""
        return cls(encoder.spec, encoder.key, file, digest, isinstance(encoder, PortableEncoder))


class Worker:
    """What runs on a machine of the cluster; it keeps ``processors`` processors busy."""

    def __init__(self, processors: int) -> None:
        limit_processors(processors)
        self._processors, self._encoding = processors, threading.Lock()
        self._encoder: Encoder | None = None

    def open(self, wanted: Wanted, weights: npt.NDArray[np.uint8] | None) -> None:
        """Open the encoder, from the content of its file of weights if it has one.

        Raises
        ------
        EmbeddingError
            It cannot be opened, is another one here, or the weights have changed on their way.
        """
        with contextlib.ExitStack() as stack:
            file = None
            if wanted.weights is not None and weights is not None:
                file = _written(stack, wanted.weights, weights)
                if hashlib.sha256(file.read_bytes()).hexdigest() != wanted.digest:
                    raise EmbeddingError(f"The weights {wanted.weights} arrived damaged at a worker. Start again.")
            encoder = open_encoder(wanted.spec, checkpoint=file)
        if encoder.key != wanted.key:
            raise EmbeddingError(
                f"A worker opened {encoder.key} where {wanted.key} was wanted. Install the same there."
            )
        self._encoder = encoder

    def embed(self, files: list[File], batch: int, *, carefully: bool) -> Result:
        """Return the vectors (n, dim) of files, as they are stored, and the places and reasons of those that failed.

        With ``carefully``, files that end the process that reads them are found first, and left out.
        """
        assert self._encoder is not None  # noqa: S101
        fatal = _fatal(files) if carefully else {}
        parts = computed(
            self._encoder,
            range(len(files)),
            files,
            batch=batch,
            workers=self._processors,
            encoding=self._encoding,
            refused=fatal,
        )
        with closing(parts):
            done = list(parts)
        vectors = np.concatenate([part.vectors for part in done])
        return np.ascontiguousarray(vectors, np.float16), [failed for part in done for failed in part.failed]


def _written(stack: contextlib.ExitStack, name: Path, weights: npt.NDArray[np.uint8]) -> Path:
    """Return a file with the content of weights, which ends with ``stack``.

    Raises
    ------
    EmbeddingError
        There is no room for it on this machine; nothing is left.
    """
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bam-weights-"))
    file = Path(folder) / name.name
    try:
        file.write_bytes(weights.data)
    except OSError as error:
        room = file_size(weights.nbytes)
        raise EmbeddingError(
            f"The machine {platform.node()} of the cluster cannot write the weights {name.name} to "
            f"{Path(folder).parent} ({error.strerror}). They need {room} while a worker starts: free some space there, "
            "or set TMPDIR before `ray start`. Finished work is saved; start again to continue."
        ) from error
    return file


def _fatal(files: list[File]) -> dict[int, str]:
    """Return the places of the files that end a process that reads them."""
    fatal: dict[int, str] = {}
    tried = 0
    while tried < len(files):
        with contextlib.suppress(BamError), processes(1) as pool:
            for _ in pool.map(_look_at, files[tried:], ahead=1):
                tried += 1
        if tried < len(files):
            fatal[tried] = FATAL
            tried += 1
    return fatal


def _look_at(file: File) -> None:
    with contextlib.suppress(ImageUnreadable, MemoryError):
        read_image(file[0], digest=file[1])


@dataclass(eq=False)
class _Hired:
    """A worker of the pool: its actor, its machine, and how many tasks it works on."""

    actor: Any
    node: str
    tasks: int = 0


@dataclass
class Pool:
    """Workers on every machine of the cluster, also on those that join, and the tasks that wait for them."""

    wanted: Wanted
    file: Callable[[int], File]
    batch: int
    tasks: deque[Task] = field(default_factory=deque)

    def __post_init__(self) -> None:
        import ray

        self._ready: list[_Hired] = []
        self._opening: dict[Any, _Hired] = {}
        self._running: dict[Any, tuple[_Hired, Task]] = {}
        self._weights: Any = None
        if self.wanted.weights is not None:
            self._weights = ray.put(np.frombuffer(self.wanted.weights.read_bytes(), np.uint8))

    def results(self) -> Iterator[Part]:
        """Yield the vectors of each task as they come, and a part without rows at least every second or so.

        Raises
        ------
        EmbeddingError
            A worker cannot open the encoder, or workers die again and again.
        """
        import ray

        while self.tasks or self._running:
            self._hire()
            self._give_out()
            waiting = [*self._opening, *self._running]
            ended = ray.wait(waiting, num_returns=1, timeout=_WAIT)[0] if waiting else []
            for reference in ended:
                part = self._ended(reference)
                if part is not None:
                    yield part
            yield Part((), np.empty(0, np.float16), note=self._note())

    def close(self) -> None:
        """End the workers."""
        for worker in [*self._ready, *self._opening.values()]:
            self._end(worker)

    @property
    def size(self) -> int:
        """The number of workers that the machines of the cluster have room for."""
        return sum(map(len, self._shares().values()))

    def _shares(self) -> dict[str, list[tuple[int, int]]]:
        """Return what each worker has of each machine."""
        import ray

        return {
            node["NodeID"]: shares_of(node["Resources"], on_processors=self.wanted.on_processors)
            for node in ray.nodes()
            if node["Alive"]
        }

    def _hire(self) -> None:
        """Start workers on each machine that has room for more than it has workers."""
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        hired = Counter(worker.node for worker in [*self._ready, *self._opening.values()])
        for node, shares in self._shares().items():
            for processors, graphics in shares[hired[node] :]:
                options = {
                    "num_cpus": processors,
                    "num_gpus": graphics,
                    "max_concurrency": AT_ONCE,
                    "scheduling_strategy": NodeAffinitySchedulingStrategy(node, soft=False),
                }
                actor = ray.remote(Worker).options(**options).remote(processors)
                self._opening[actor.open.remote(self.wanted, self._weights)] = _Hired(actor, node)

    def _give_out(self) -> None:
        for load in range(AT_ONCE):
            for worker in self._ready:
                if self.tasks and worker.tasks == load:
                    task = self.tasks.popleft()
                    files = [self.file(row) for row in task.rows]
                    careful = task.deaths >= CAREFUL
                    reference = worker.actor.embed.remote(files, self.batch, carefully=careful)
                    self._running[reference] = (worker, task)
                    worker.tasks += 1

    def _ended(self, reference: Any) -> Part | None:
        """Return the part that a call has computed; None if it was another one, or the worker has died."""
        import ray

        opened = self._opening.pop(reference, None)
        worker, task = self._running.pop(reference, (opened, None))
        assert worker is not None  # noqa: S101
        try:
            result = ray.get(reference)
        except ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, BamError):
                raise error.cause from error
            if isinstance(error.cause, ray.exceptions.OutOfDiskError):
                raise _out_of_disk(error) from error
            raise
        except ray.exceptions.OutOfDiskError as error:
            raise _out_of_disk(error) from error
        except ray.exceptions.RayError as error:
            self._lost(worker, task, error)
            return None
        if task is None:
            self._ready.append(worker)
            return None
        worker.tasks -= 1
        vectors, failed = result
        return Part(task.rows, vectors, [(task.rows[place], reason) for place, reason in failed])

    def _lost(self, worker: _Hired, task: Task | None, error: Exception) -> None:
        """Forget a worker that has died or is out of reach; its task comes next."""
        if worker in self._ready:
            self._ready.remove(worker)
        self._end(worker)
        if task is None:
            return
        task.deaths += 1
        if task.deaths >= HOPELESS:
            raise EmbeddingError(
                f"{count(task.deaths, 'worker')} died while they embedded the rows {task.rows[0]:,} to "
                f"{task.rows[-1]:,}, possibly because memory ran out ({' '.join(str(error).split())[:300]}). Finished "
                "work is saved; start again to continue."
            ) from error
        self.tasks.appendleft(task)

    def _end(self, worker: _Hired) -> None:
        import ray

        with contextlib.suppress(Exception):  # it is dead, or the cluster is
            ray.kill(worker.actor)

    def _note(self) -> str:
        return count(len(self._ready), "worker") if self._ready else "waiting for free processors of the cluster"


def _out_of_disk(error: Exception) -> EmbeddingError:
    return EmbeddingError(
        "The disk of a machine of the cluster is full: Ray keeps vectors under way there when its memory is "
        f"({' '.join(str(error).split())[:300]}). Free some space there, or choose another disk with `ray start "
        "--temp-dir`. Finished work is saved; start again to continue."
    )


def shares_of(resources: dict[str, float], *, on_processors: bool) -> list[tuple[int, int]]:
    """Return the processors and graphics processors of each worker on a machine with these ``resources``.

    An encoder that runs ``on_processors`` has a worker for each; others have one for each graphics processor, or for
    every few processors where there is none.

    Examples
    --------
    >>> shares_of({"CPU": 6.0}, on_processors=False), shares_of({"CPU": 8.0, "GPU": 2.0}, on_processors=False)
    ([(3, 0), (3, 0)], [(4, 1), (4, 1)])
    """
    processors, graphics = int(resources.get("CPU", 0)), int(resources.get("GPU", 0))
    if on_processors or not processors:
        return [(1, 0)] * processors
    workers = min(graphics, processors) or -(-processors // MOST_PROCESSORS)
    each, more = divmod(processors, workers)
    return [(each + (place < more), int(graphics > 0)) for place in range(workers)]
