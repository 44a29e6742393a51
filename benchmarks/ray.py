"""Embedding on a Ray cluster on this machine, beside the same in one process: rate, start and memory.

The ways take turns over the same small JPEG files: in this process; on one worker that has all processors; on two
workers, each on a machine of its own as Ray simulates them, that share the processors; and with the same workers as a
stage of Ray Data. Each way may use every processor. The clock starts when the machines are there, so the rate includes
the start of the workers; their seconds to the first vectors are a column of their own. Time of processors is that of
all processes, also of Ray: it tells the overhead on a busy machine as well. Memory is what they hold at most, and parts
that are shared count once.
"""

import argparse
import gc
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bam_engine.collection.digests import of_files
from bam_engine.embedding import VectorStore, connected, embed, open_encoder
from bam_engine.formatting import file_size
from benchmarks.embedding_rate import BATCH, pictures_found, small_files
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

HERE, ONE, TWO, DATA = "in this process", "one worker", "two workers", "Ray Data"
WAYS = (HERE, ONE, TWO, DATA)
TASK = 8 * BATCH


@dataclass(frozen=True)
class Line:
    """What one run of a way took: images a second, of one processor too, seconds to the first, bytes of memory."""

    way: str
    rate: float
    processor_rate: float
    start: float
    memory: int


class Watch:
    """Notes when the first images were finished, what processors took, and the most memory that processes held."""

    def __init__(self) -> None:
        self.first: float | None = None
        self.memory = 0
        self.begin()

    def begin(self) -> None:
        """Start the clock."""
        self.began, self.used = time.perf_counter(), total_of_processes()[1]

    def __call__(self, done: int, total: int | None, message: str = "") -> None:
        held, used = total_of_processes()
        self.memory, self.processor = max(self.memory, held), used - self.used
        self.wall = time.perf_counter() - self.began
        if done and self.first is None:
            self.first = self.wall

    def line(self, way: str, images: int) -> Line:
        return Line(way, images / self.wall, images / self.processor, self.first or 0.0, self.memory)


def total_of_processes() -> tuple[int, float]:
    """Return what this process and those below it hold, in bytes, and the seconds of processors that they have used.

    Of memory that several hold, each has its share.
    """
    stats = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            stats[int(stat.parent.name)] = list(map(int, stat.read_text().rpartition(")")[2].split()[1:15]))
        except OSError:
            continue
    held, ticks, waiting = 0, 0, [os.getpid()]
    while waiting:
        process = waiting.pop()
        waiting += [child for child, (parent, *_) in stats.items() if parent == process]
        ticks += sum(stats[process][10:14])  # its own, and those of its children that have ended
        try:
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        held += sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return held, ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def machines(count: int) -> Iterator[None]:
    """Be connected to a cluster of ``count`` machines that share the processors of this one."""
    import ray
    from ray.cluster_utils import Cluster

    each = max(1, (os.cpu_count() or 1) // count)
    options = {"num_cpus": each, "object_store_memory": 256 << 20, "include_dashboard": False}
    with tempfile.TemporaryDirectory(prefix="bam-", ignore_cleanup_errors=True) as folder:
        head = {**options, "temp_dir": folder, "_system_config": {"worker_niceness": 0}}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        for _ in range(count - 1):
            cluster.add_node(**options)
        ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
        try:
            yield
        finally:
            ray.shutdown()
            cluster.shutdown()


def on_ray(count: int) -> Callable[..., None]:
    def run(spec: str, paths: list[Path], store: VectorStore, watch: Watch) -> None:
        with machines(count), connected("ray") as cluster:
            watch.begin()
            embed(paths, open_encoder(spec), store, batch=BATCH, report=watch, on=cluster)

    return run


def here(spec: str, paths: list[Path], store: VectorStore, watch: Watch) -> None:
    embed(paths, open_encoder(spec), store, batch=BATCH, report=watch)


def ray_data(spec: str, paths: list[Path], store: VectorStore, watch: Watch) -> None:
    """Embed with our worker as a stage of Ray Data, which hands it as many files at once as our tasks have."""
    with machines(1):
        import ray.data

        encoder = open_encoder(spec)
        store.claim(spec=encoder.spec, key=encoder.key, dim=encoder.dim)
        ray.data.DataContext.get_current().enable_progress_bars = False
        ray.data.DataContext.get_current().execution_options.preserve_order = True
        files = [{"path": str(path), "digest": store.image(row)} for row, path in enumerate(paths)]
        options: dict[str, Any] = {
            "batch_size": TASK,
            "num_cpus": os.cpu_count(),
            "compute": ray.data.ActorPoolStrategy(size=1),
        }
        stage = ray.data.from_items(files, override_num_blocks=-(-len(files) // TASK)).map_batches(
            Stage, fn_constructor_args=(encoder_of(spec),), **options
        )
        watch.begin()
        for block in stage.iter_batches(batch_size=TASK):
            store.append(block["vectors"])
            watch(len(store), len(paths))


def encoder_of(spec: str) -> Any:
    from bam_engine.embedding.ray_workers import Wanted

    return Wanted.of(open_encoder(spec))


class Stage:
    """Our worker as Ray Data wants it."""

    def __init__(self, wanted: Any) -> None:
        from bam_engine.embedding.ray_workers import Worker

        self._worker = Worker(os.cpu_count() or 1)
        self._worker.open(wanted, None)

    def __call__(self, files: dict[str, Any]) -> dict[str, Any]:
        given = [(Path(path), digest) for path, digest in zip(files["path"], files["digest"], strict=True)]
        return {"vectors": self._worker.embed(given, BATCH, carefully=False)[0]}


RUNS = {HERE: here, ONE: on_ray(1), TWO: on_ray(2), DATA: ray_data}


def measure(spec: str, paths: list[Path], repeats: int) -> list[Line]:
    """Return the fastest run of each way; the ways take turns, and their vectors have to be the same."""
    digests, best, expected = of_files(paths), dict[str, Line](), None
    for _ in range(repeats):
        for way, run in RUNS.items():
            with tempfile.TemporaryDirectory() as folder:
                store, watch = VectorStore(Path(folder), images=digests), Watch()
                run(spec, paths, store, watch)
                line = watch.line(way, len(paths))
                vectors = np.array(store.array())
            gc.collect()
            expected = vectors if expected is None else expected
            if not np.array_equal(vectors, expected):
                raise SystemExit(f"The vectors of {way} are not those of {HERE}.")
            best[way] = max(line, best.get(way, line), key=lambda one: one.rate)
    return [best[way] for way in WAYS]


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("ray", __doc__)
    options.add_argument("--encoder", default="combined", help="combined, network or builtin (default: combined)")
    options.add_argument("--images", type=int, default=10_000, help="files (default: 10,000)")
    options.add_argument("--repeats", type=int, default=2, help="turns of each way (default: 2)")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray  # noqa: F401
    except ImportError:
        print("Skipped: Ray is not installed: pip install 'bam-engine[ray]'")
        return
    if not pictures_found():
        return
    print(f"{machine()}; {options.images:,} files, {options.encoder}, the fastest of {options.repeats} turns")
    with tempfile.TemporaryDirectory() as folder:
        lines = measure(options.encoder, small_files(Path(folder), options.images), options.repeats)
    print(f"{'':16} {'images/s':>9} {'of one processor':>17} {'beside one process':>19} {'start':>8} {'memory':>9}")
    for line in lines:
        share = line.processor_rate / lines[0].processor_rate
        times = f"{line.rate:9.1f} {line.processor_rate:17.1f} {share:19.2f} {line.start:6.1f} s"
        print(f"{line.way:16} {times} {file_size(line.memory):>9}")
    if options.json:
        figures = {"machine": machine(), "images": options.images, "ways": [asdict(line) for line in lines]}
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
