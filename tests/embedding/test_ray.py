"""Embedding on a real Ray cluster of two machines: the same bytes as here, whatever dies on the way."""

import errno
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

import bam_engine
from bam_engine.collection import find_images
from bam_engine.collection.digests import of_files
from bam_engine.embedding import VectorStore, connected, embed, open_encoder, ray_cluster, retry_missing
from bam_engine.embedding.ray_workers import FATAL, Wanted, Worker
from bam_engine.embedding.run import EmbedResult
from bam_engine.errors import DiskFull, EmbeddingError, Stopped
from tests.browser import ROOT

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'bam-engine[ray]'")

# Ray keeps sockets and pipes of its own processes until they are collected
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore:.*accelerator.*:FutureWarning"),
]

BATCH = 4
PATIENT = {"worker_niceness": 0, "health_check_timeout_ms": 120_000}
DEADLY = """
import os, signal, sys

def die(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        name, suffix = os.path.splitext(os.path.basename(arguments[0]))
        if suffix != ".done" and (name == "kills" or name == "once" and not os.path.exists(arguments[0] + ".done")):
            os.close(os.open(arguments[0] + ".done", os.O_CREAT))
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(die)
"""
"""What ends a process of the cluster that opens a picture called ``kills…``, or the first that opens ``once…``."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two machines with a processor each, as Ray simulates them, and this process connected to them."""
    from ray.cluster_utils import Cluster

    folder = tempfile.mkdtemp(prefix="bam-ray-")
    Path(folder, "sitecustomize.py").write_text(DEADLY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("PYTHONPATH", os.pathsep.join([folder, str(ROOT)]))
        machine = {"num_cpus": 1, "object_store_memory": 80 << 20, "include_dashboard": False}
        head = {**machine, "temp_dir": folder, "_system_config": PATIENT}
        started = Cluster(initialize_head=True, head_node_args=head)
        started.machine = machine
        started.second = started.add_node(**machine)
        ray.init(address=started.address, log_to_driver=False, logging_level="ERROR")
        yield started
        ray.shutdown()
        started.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def paths(small_pictures: Path, tmp_path: Path) -> list[Path]:
    """Copies of 48 pictures, of which one is no picture and one is not there."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    found = [Path(path) for path in find_images(small_pictures).paths[:48]]
    copies = [Path(shutil.copy(path, folder / f"{place:02}{path.suffix}")) for place, path in enumerate(found)]
    copies[5].write_bytes(b"no picture at all")
    return copies


def store_at(folder: Path, paths: list[Path]) -> VectorStore:
    return VectorStore(folder, images=of_files(paths))


def on_cluster(paths: list[Path], store: VectorStore, **options: Any) -> EmbedResult:
    with connected("ray") as cluster:
        return embed(paths, open_encoder("builtin"), store, batch=BATCH, on=cluster, **options)


def here(folder: Path, paths: list[Path]) -> tuple[VectorStore, EmbedResult]:
    """What a run in this process gives."""
    store = store_at(folder, paths)
    return store, embed(paths, open_encoder("builtin"), store, batch=BATCH, workers=1)


def same(store: VectorStore, expected: VectorStore) -> bool:
    """Whether two stores have the same bytes, of the same images, and nothing is left beside them."""
    files = ("vectors.f16", "images.bin")
    assert not (store.folder / "shards").exists()
    return all((store.folder / name).read_bytes() == (expected.folder / name).read_bytes() for name in files)


def test_the_vectors_are_those_of_this_machine_to_the_last_bit(cluster, tmp_path, paths):
    store, told = store_at(tmp_path / "there", paths), []
    store_here, expected = here(tmp_path / "here", paths)
    paths[9].unlink()  # known to the collection, and gone
    result = on_cluster(paths, store, report=lambda *progress: told.append(progress))
    assert [row for row, _ in result.failed] == [5, 9] == store.missing().tolist()
    assert result.failed[0] == expected.failed[0]
    present = [row for row in range(48) if row != 9]
    np.testing.assert_array_equal(store.array()[present], store_here.array()[present])
    assert result.embedded == 46
    assert told[0][:2] == (0, 48)
    assert told[-1][:2] == (48, 48)
    assert [done for done, *_ in told] == sorted(done for done, *_ in told), "progress never goes back"


def test_images_that_failed_are_tried_again_on_the_cluster(cluster, tmp_path, paths):
    store, content = store_at(tmp_path / "there", paths), paths[9].read_bytes()
    paths[9].unlink()
    on_cluster(paths, store)
    paths[9].write_bytes(content)
    with connected("ray") as executor:
        again = retry_missing(paths, open_encoder("builtin"), store, batch=BATCH, on=executor)
    assert (again.embedded, [row for row, _ in again.failed]) == (1, [5])
    np.testing.assert_array_equal(store.array(), here(tmp_path / "here", paths)[0].array())


def test_a_worker_that_is_killed_in_mid_run_loses_and_doubles_nothing(cluster, tmp_path, paths):
    paths[20] = paths[20].rename(paths[20].with_stem("once"))
    store = store_at(tmp_path / "there", paths)
    result = on_cluster(paths, store)
    assert Path(f"{paths[20]}.done").exists(), "a worker died"
    assert [row for row, _ in result.failed] == [5]
    assert same(store, here(tmp_path / "here", paths)[0])


def test_a_picture_that_kills_whichever_worker_reads_it_is_a_failure_of_its_own(cluster, tmp_path, paths):
    paths[30] = paths[30].rename(paths[30].with_stem("kills"))
    store = store_at(tmp_path / "there", paths)
    result = on_cluster(paths, store)
    assert [row for row, _ in result.failed] == [5, 30]
    assert result.failed[1] == (30, FATAL)
    content = paths[30].read_bytes()
    expected = store_at(tmp_path / "here", paths)
    paths[30].unlink()  # here it is no deadly one: what counts is that the others are in the same batches
    embed(paths, open_encoder("builtin"), expected, batch=BATCH, workers=1)
    paths[30].write_bytes(content)
    assert same(store, expected)


def test_a_machine_that_is_lost_in_mid_run_loses_nothing(cluster, tmp_path, paths):
    third = cluster.add_node(**cluster.machine)
    lost: list[bool] = []

    def lose(done: int, total: int | None, message: str = "") -> None:
        if done and not lost:
            lost.append(True)
            cluster.remove_node(third)

    store = store_at(tmp_path / "there", paths)
    on_cluster(paths, store, report=lose)
    assert lost
    assert same(store, here(tmp_path / "here", paths)[0])


def test_a_full_cluster_is_waited_for_and_said(cluster, tmp_path, paths):
    @ray.remote(num_cpus=1)
    class Busy:
        def there(self) -> bool:
            return True

    busy = [Busy.remote(), Busy.remote()]
    assert ray.get([one.there.remote() for one in busy]) == [True, True]
    told = []

    def leave(done: int, total: int | None, message: str = "") -> None:
        told.append(message)
        if "waiting for free processors" in message:
            while busy:
                ray.kill(busy.pop())

    store = store_at(tmp_path / "there", paths)
    on_cluster(paths, store, report=leave)
    assert not busy
    assert any("worker" in message for message in told)
    assert same(store, here(tmp_path / "here", paths)[0])


def test_a_stopped_run_keeps_what_it_has_and_the_next_one_goes_on(cluster, tmp_path, paths):
    store = store_at(tmp_path / "there", paths)

    def stop(done: int, total: int | None, message: str = "") -> None:
        if done >= 16:
            raise Stopped("stopped")

    with pytest.raises(Stopped):
        on_cluster(paths, store, report=stop)
    assert len(store) < 48
    result = on_cluster(paths, store)
    assert result.embedded < 48, "what was finished is not computed again"
    assert same(store, here(tmp_path / "here", paths)[0])


DRIVER = """
import sys
from pathlib import Path
import ray
from bam_engine.collection import find_images
from bam_engine.collection.digests import of_files
from bam_engine.embedding import VectorStore, connected, embed, open_encoder

paths = [Path(line) for line in Path(sys.argv[2]).read_text().splitlines()]
store = VectorStore(Path(sys.argv[3]), images=of_files(paths))
with connected(sys.argv[1]) as cluster:
    report = lambda done, total, message="": print(done, flush=True)
    embed(paths, open_encoder("builtin"), store, batch=4, on=cluster, report=report)
"""


def test_a_run_whose_driver_is_killed_is_taken_up_by_the_next(cluster, tmp_path, paths):
    store = store_at(tmp_path / "there", paths)
    (tmp_path / "list").write_text("\n".join(map(str, paths)))
    command = [sys.executable, "-c", DRIVER, cluster.address, str(tmp_path / "list"), str(store.folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdout is not None
        for line in driver.stdout:
            if int(line) >= 8:
                driver.kill()
                break
    assert driver.returncode != 0
    on_cluster(paths, store)
    assert same(store, here(tmp_path / "here", paths)[0])


def test_weights_reach_the_workers_and_the_vectors_are_the_same(cluster, tmp_path, paths):
    import timm
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(3)
        torch.save(timm.create_model("test_resnet", pretrained=False).state_dict(), tmp_path / "weights.pt")
    encoder = open_encoder("timm:test_resnet", checkpoint=tmp_path / "weights.pt")
    stores = [store_at(tmp_path / name, paths) for name in ("here", "there")]
    embed(paths, encoder, stores[0], batch=BATCH, workers=1)
    with connected("ray") as executor:
        embed(paths, encoder, stores[1], batch=BATCH, on=executor)
    assert same(stores[1], stores[0])

    content = np.frombuffer((tmp_path / "weights.pt").read_bytes(), np.uint8).copy()
    content[-1] ^= 1
    with pytest.raises(EmbeddingError, match="arrived damaged"):
        Worker(1).open(Wanted.of(encoder), content)


def test_a_cluster_of_other_versions_is_refused_before_work_starts(cluster, tmp_path, paths, monkeypatch):
    monkeypatch.setattr(bam_engine, "__version__", "0.0.1")
    store = store_at(tmp_path / "there", paths)
    with pytest.raises(EmbeddingError, match=r"has bam-engine .* and this one 0\.0\.1: the vectors could differ"):
        on_cluster(paths, store)
    assert len(store) == 0


def test_pictures_that_a_machine_does_not_see_are_said_before_work_starts(cluster, tmp_path):
    class OnlyHere(type(Path())):  # type: ignore[misc]
        def exists(self) -> bool:
            return True

    with pytest.raises(EmbeddingError, match=r"does not see /not/there\.png\. Mount the folder"):
        ray_cluster.check_machines("builtin", [OnlyHere("/not/there.png")])


def test_a_command_starts_a_cluster_for_itself_and_leaves_nothing_behind(small_pictures, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for path in find_images(small_pictures).paths[:8]:
        shutil.copy(path, folder)
    temporary = tempfile.mkdtemp(prefix="t-")  # short: sockets are named within
    environment = {
        **os.environ,
        "BAM_WORKSPACE": str(tmp_path / "w"),
        "BAM_CACHE": str(tmp_path / "c"),
        "PYTHONPATH": str(ROOT),
        "TMPDIR": temporary,
    }

    def bam(*words: str) -> str:
        command = [sys.executable, "-m", "bam_engine", *words]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    bam("ingest", str(folder))
    said = bam("embed", "--encoder", "builtin", "--on", "ray")
    assert "8 images embedded with" in said
    assert not [path for path in Path(temporary).iterdir() if path.name.startswith("bam-")]
    shutil.rmtree(temporary)


def test_without_ray_one_sentence_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(EmbeddingError, match=r"Install it with: pip install 'bam-engine\[ray\]'"), connected("ray"):
        pass


@pytest.mark.parametrize("address", ["there", "http://host:1", ""])
def test_what_is_no_address_is_said(address):
    with pytest.raises(EmbeddingError, match="is no address of a Ray cluster"), connected(address):
        pass


@pytest.mark.parametrize(
    ("address", "instead"),
    [("ray://head:10001", "head:6379"), ("ray://10.0.0.7", "10.0.0.7:6379"), ("ray://", "HOST:6379")],
)
def test_the_address_of_a_client_is_answered_by_what_to_give_instead(address, instead):
    with pytest.raises(EmbeddingError, match=f"--on {instead}"), connected(address):
        pass


def full_disk(*_: Any) -> NoReturn:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_machine_without_room_for_the_weights_is_named_and_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(Path, "write_bytes", full_disk)
    wanted, weights = Wanted("timm:x", "x", Path("weights.pt"), "", False), np.zeros(3_000_000, np.uint8)
    named = rf"The machine {platform.node()} .* weights.pt .*No space left.* 3.0 MB .*TMPDIR"
    with pytest.raises(EmbeddingError, match=named):
        Worker(1).open(wanted, weights)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_on_a_machine_of_the_cluster_is_said_and_what_was_finished_is_kept(
    cluster, tmp_path, paths, monkeypatch
):
    store, got = store_at(tmp_path / "there", paths), ray.get

    def full_after_some(reference: Any, **options: Any) -> Any:
        result = got(reference, **options)
        if len(store):
            raise ray.exceptions.OutOfDiskError("Local disk is full")
        return result

    monkeypatch.setattr(ray, "get", full_after_some)
    with pytest.raises(EmbeddingError, match=r"The disk of a machine of the cluster is full.*start again to continue"):
        on_cluster(paths, store)
    assert 0 < len(store) < 48
    monkeypatch.undo()
    on_cluster(paths, store)
    assert same(store, here(tmp_path / "here", paths)[0])


def test_a_full_disk_here_keeps_what_was_finished_and_the_next_run_goes_on(cluster, tmp_path, paths, monkeypatch):
    store = store_at(tmp_path / "there", paths)

    def report(done: int, total: int | None, message: str = "") -> None:
        if len(store) >= 8:
            monkeypatch.setattr(VectorStore, "append", refuse)

    def refuse(*_: Any) -> NoReturn:
        raise DiskFull("The disk is full.")

    with pytest.raises(DiskFull):
        on_cluster(paths, store, report=report)
    monkeypatch.undo()
    assert 8 <= len(store) < 48
    on_cluster(paths, store)
    assert same(store, here(tmp_path / "here", paths)[0])
