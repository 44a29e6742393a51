"""Embedding on a Ray cluster: the connection, and what is checked before work starts.

In:  an address. Out: an executor for :func:`bam_engine.embedding.embed`, whose vectors are those of this machine.

Ray places the workers, restarts their machines' tasks and moves pictures' vectors; it is imported when it is used, and
an optional package. Before anything is computed, each machine is asked for the versions of what decides about vectors,
and whether it sees the pictures under the paths that this one knows.
"""

import contextlib
import itertools
import logging
import os
import platform
import re
import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from importlib import metadata
from pathlib import Path
from typing import Any

import bam_engine
from bam_engine.collection.originals import Original
from bam_engine.embedding.base import Encoder
from bam_engine.embedding.parts import File, Part
from bam_engine.embedding.ray_workers import Pool, Task, Wanted
from bam_engine.embedding.shards import Shards
from bam_engine.errors import EmbeddingError
from bam_engine.formatting import count

LOCAL = "ray"
"""The address of a cluster that is started on this machine, for one command."""
INSTALL = "pip install 'bam-engine[ray]'"

_ADDRESS = re.compile(r"[^\s/:]+:\d+")
_PACKAGES = ("numpy", "pillow", "opencv-python-headless", "scikit-image", "numba", "torch", "torchvision", "timm")
_PACKAGES_OF_KIND = {"openclip": ("open_clip_torch",)}
_OBJECTS = 256 << 20  # bytes that a cluster started here may keep in memory: vectors under way, and weights
_SEEN = 32  # paths that each machine is asked about
_TASKS = 8  # of a worker, at least: all of them then end at about the same time
_MOST_BATCHES = 8  # of a task

Versions = dict[str, str]


@contextlib.contextmanager
def connected(address: str) -> Iterator["RayCluster"]:
    """Connect to a Ray cluster, or start one on this machine; a connection that the process has already is used.

    Parameters
    ----------
    address
        ``ray`` for a cluster on this machine, which ends with the block; ``HOST:PORT`` for the one that this machine is
        part of.

    Raises
    ------
    EmbeddingError
        Ray is not installed, the address is none, or no cluster of the same versions answers there.
    """
    if address.startswith("ray://"):
        raise EmbeddingError(
            f"{address} is the address of a Ray client, which embedding does not use. Run the command on a machine of "
            "the cluster, with the HOST:PORT that `ray start` printed there (its port is 6379 unless another was "
            f"chosen): --on {_host(address)}:6379."
        )
    if address != LOCAL and not _ADDRESS.fullmatch(address):
        raise EmbeddingError(
            f"{address!r} is no address of a Ray cluster. Use ray (a cluster on this machine), or HOST:PORT on "
            "a machine of the cluster."
        )
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
    try:
        import ray
    except ImportError as error:
        raise EmbeddingError(f"Ray is not installed here. Install it with: {INSTALL}") from error
    if ray.is_initialized():
        yield RayCluster()
        return
    with contextlib.ExitStack() as stack:
        if address == LOCAL:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bam-", ignore_cleanup_errors=True))
            options: dict[str, Any] = {
                "address": "local",
                "include_dashboard": False,
                "object_store_memory": _OBJECTS,
                "_system_config": {"worker_niceness": 0},  # the caller waits for them, and computes nothing meanwhile
                "_temp_dir": folder,
            }
        else:
            options = {"address": address}
        stack.callback(ray.shutdown)
        try:
            ray.init(log_to_driver=False, logging_level=logging.ERROR, **options)
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            raise EmbeddingError(_no_connection(address, error)) from error
        yield RayCluster()


def _host(address: str) -> str:
    """Return the host of the address of a Ray client."""
    return address.removeprefix("ray://").partition(":")[0].strip("/") or "HOST"


def _no_connection(address: str, error: Exception) -> str:
    words = " ".join(str(error).split())
    if "ersion" in words:  # Ray compares its own and Python's
        return f"The Ray cluster at {address} has other versions than this machine: {words} Install the same on both."
    return (
        f"No Ray cluster answers at {address} ({words[:300]}). `ray status` on one of its machines says whether it is "
        "running; --on ray needs none."
    )


class RayCluster:
    """The cluster that this process is connected to."""

    def parts(
        self,
        encoder: Encoder,
        rows: Sequence[int],
        file: Callable[[int], File],
        *,
        batch: int,
        shards: Shards | None = None,
    ) -> Generator[Part]:
        """Yield the vectors of all ``rows``, computed by workers on every machine of the cluster.

        A worker that dies is replaced and its images are embedded again; an image that ends whichever worker reads it
        is one that failed. Workers end with the generator.

        Parameters
        ----------
        encoder
            Workers open the same by its spec; a file of weights is sent to them, and its digest compared.
        rows, file
            The rows, and the file of each.
        batch
            Images of a call of the model.
        shards
            Where what is ahead of its turn is kept. Then parts come in the order of ``rows``, which follow each other,
            and what is found there is not computed again.

        Raises
        ------
        EmbeddingError
            A machine has other versions, does not see the files, or cannot open the encoder; or workers die again and
            again.
        """
        if not rows:
            return
        check_machines(encoder.spec, [file(rows[place])[0] for place in _spread(len(rows))])
        found = shards.find(rows[0]) if shards is not None else {}
        with closing(Pool(Wanted.of(encoder), file, batch)) as pool:
            turn = _Turn(rows[0], pool, shards)
            pool.tasks.extend(_tasks(rows, found, batch, pool.size))
            yield from turn.handed_over()
            for done in pool.results():
                yield from turn.arrived(done)


class _Turn:
    """Hands parts over: each when it is its turn, or as it comes where there is no order to keep."""

    def __init__(self, row: int, pool: Pool, shards: Shards | None) -> None:
        self._row, self._pool, self._shards = row, pool, shards

    def arrived(self, part: Part) -> Iterator[Part]:
        shards, rows = self._shards, part.rows
        if not rows or shards is None:
            yield self._told(part)
            return
        if rows[0] != self._row:
            shards.write(part)
            return
        self._row = rows[-1] + 1
        yield self._told(part)
        yield from self.handed_over()

    def handed_over(self) -> Iterator[Part]:
        """Yield the shards whose turn it is; one that was changed meanwhile is computed again."""
        shards = self._shards
        while shards is not None and (end := shards.end(self._row)) is not None:
            first, part = self._row, shards.take(self._row)
            if part is None:
                self._pool.tasks.appendleft(Task(range(first, end)))
                return
            self._row = end
            yield self._told(part)
            shards.drop(first)  # it is in the store now

    def _told(self, part: Part) -> Part:
        ahead = self._shards.images if self._shards is not None else 0
        return Part(part.rows, part.vectors, part.failed, ahead, part.note)


def _tasks(rows: Sequence[int], found: dict[int, int], batch: int, workers: int) -> Iterator[Task]:
    """Yield what is to be computed: whole batches, as a run on this machine cuts them, several for each worker."""
    size = batch * min(_MOST_BATCHES, max(1, len(rows) // (batch * max(1, workers) * _TASKS)))
    firsts = [0, *(end - rows[0] for end in found.values())]
    ends = [*(start - rows[0] for start in found), len(rows)]
    for first, end in zip(firsts, ends, strict=True):
        yield from (Task(rows[place : min(place + size, end)]) for place in range(first, end, size))


def _spread(length: int) -> list[int]:
    return sorted({place * (length - 1) // max(1, _SEEN - 1) for place in range(_SEEN)})


def check_machines(spec: str, paths: Sequence[Original]) -> None:
    """Check that every machine of the cluster has the versions of this one, and sees the files that this one sees.

    Raises
    ------
    EmbeddingError
        One of them does not; the message names it, and what differs.
    """
    names = [*_PACKAGES, *_PACKAGES_OF_KIND.get(spec.partition(":")[0], ())]
    here, present = versions(names), [str(path) for path in paths if isinstance(path, Path) and path.exists()]
    for machine, (there, unseen) in _answers(names, present).items():
        if there.get("bam-engine") is None:
            raise EmbeddingError(
                f"The machine {machine} of the cluster has no bam-engine. Install version {here['bam-engine']} there, "
                f"with Ray: {INSTALL}"
            )
        differing = [name for name in here if here[name] != there.get(name)]
        if differing:
            name = differing[0]
            others = f", and {count(len(differing) - 1, 'other package')}" if len(differing) > 1 else ""
            raise EmbeddingError(
                f"The machine {machine} of the cluster has {name} {there.get(name) or 'not at all'}, and this one "
                f"{here[name] or 'not at all'}{others}: the vectors could differ. Install the same versions on both."
            )
        if unseen:
            raise EmbeddingError(
                f"The machine {machine} of the cluster does not see {unseen[0]}, nor {len(unseen) - 1:,} more of "
                f"{count(len(present), 'file')} that were tried. Mount the folder of the images there under the same "
                "path."
                if len(unseen) > 1
                else f"The machine {machine} of the cluster does not see {unseen[0]}. Mount the folder of the images "
                "there under the same path."
            )


def versions(names: Sequence[str]) -> Versions:
    """Return the versions on this machine of what decides about vectors; "" for a package that is missing."""
    found = {"Python": ".".join(platform.python_version_tuple()[:2]), "bam-engine": bam_engine.__version__}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = ""
    return found


def _answers(names: list[str], paths: list[str]) -> dict[str, tuple[Versions, list[str]]]:
    """Return for each machine its versions, and those paths that it does not see."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    def answer(names: list[str], paths: list[str]) -> tuple[Versions, list[str]]:
        """Runs where bam-engine may be missing: a function within a function travels as its code."""
        import importlib.util
        import os.path
        import platform

        unseen = [path for path in paths if not os.path.exists(path)]  # noqa: PTH110
        if importlib.util.find_spec("bam_engine.embedding.ray_cluster") is None:
            return {"Python": platform.python_version()}, unseen
        from bam_engine.embedding import ray_cluster

        return ray_cluster.versions(names), unseen

    nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
    if not nodes:
        raise EmbeddingError("The cluster has no machine with processors. Start one: `ray start --address=HOST:PORT`.")
    remote = ray.remote(answer)
    asked = {}
    for number, node in zip(itertools.count(1), nodes):
        pinned = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        name = f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']}, {number} of {len(nodes)})"
        asked[name] = remote.options(num_cpus=0, scheduling_strategy=pinned).remote(names, paths)
    return dict(zip(asked, ray.get(list(asked.values())), strict=True))
