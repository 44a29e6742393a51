"""The tile cache on disk: bounded, shared, and never a cause of failure."""

import os
import threading
from pathlib import Path

import numpy as np
import pytest

from bam_engine.maps.tile_cache import TileCache
from bam_engine.projection.picture_store import SPRITE
from bam_engine.workspace.sprites import SpriteFile


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*/*"))


def age(cache: TileCache, key: str, seconds: float) -> None:
    path = cache._path(key)
    os.utime(path, (path.stat().st_mtime - seconds,) * 2)


def test_stored_tiles_are_returned_and_nothing_else(tmp_path: Path) -> None:
    cache = TileCache(tmp_path / "tiles")
    assert cache.get("a") is None
    cache.put("a", b"tile")
    assert cache.get("a") == b"tile"
    assert TileCache(tmp_path / "tiles").get("a") == b"tile", "in the next run too"
    assert cache.get("../a") is None
    cache._path("a").write_bytes(b"")
    assert cache.get("a") is None, "an empty file is what a power cut leaves"


def test_the_cache_is_bounded_and_evicts_the_least_recently_used(tmp_path: Path) -> None:
    cache = TileCache(tmp_path, max_bytes=10_000)
    for number in range(9):
        cache.put(str(number), bytes(1000))
        age(cache, str(number), 100_000 - number)
    assert cache.get("0") is not None, "used again: it is the newest now"
    for number in range(9, 12):
        cache.put(str(number), bytes(1000))
    assert size(tmp_path) <= 10_000
    assert cache.get("0") is not None
    assert cache.get("1") is None
    assert cache.get("11") is not None


def test_processes_and_threads_share_the_size_limit(tmp_path: Path) -> None:
    caches = [TileCache(tmp_path, max_bytes=50_000) for _ in range(2)]

    def fill(cache: TileCache, start: int) -> None:
        for number in range(start, start + 100):
            cache.put(str(number), bytes(1000))
            cache.get(str(number - 1))

    threads = [threading.Thread(target=fill, args=(caches[i % 2], 100 * i)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for cache in caches:
        cache.put("last", bytes(1001))
        cache._evict()
    assert size(tmp_path) <= 50_000
    assert size(tmp_path) >= 40_000, "not more is removed than must be"


@pytest.mark.parametrize("kind", ["full", "read only", "gone"])
def test_a_failing_disk_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    cache, sprites = TileCache(tmp_path / "tiles"), SpriteFile(tmp_path / "sprites" / "24.bin")

    def refuse(*_args: object, **_more: object) -> None:
        raise OSError({"full": 28, "read only": 30, "gone": 2}[kind], kind)

    monkeypatch.setattr(Path, "replace", refuse)
    monkeypatch.setattr(os, "pwrite", refuse)
    cache.put("a", b"tile")
    sprites.put(3, np.zeros((8, 8, 3), np.uint8))
    assert cache.get("a") is None
    assert sprites.get(3) is None
    assert not list((tmp_path / "tiles").glob("*/*")), "nothing half-written stays"
    monkeypatch.undo()
    sprites.close()


def test_a_tile_larger_than_the_cache_is_not_stored(tmp_path: Path) -> None:
    cache = TileCache(tmp_path, max_bytes=10)
    cache.put("a", bytes(11))
    assert cache.get("a") is None


def test_sprites_are_read_back_and_damaged_ones_are_not(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    sprites = SpriteFile(tmp_path / "24.bin")
    assert sprites.get(0) is None
    assert not (tmp_path / "24.bin").exists(), "looking makes no file"
    stored = {row: rng.integers(0, 256, (*rng.integers(1, SPRITE + 1, 2), 3), np.uint8) for row in (0, 7, 100_000)}
    for row, record in stored.items():
        sprites.put(row, record)
    sprites.close()
    again = SpriteFile(tmp_path / "24.bin")
    for row, record in stored.items():
        np.testing.assert_array_equal(again.get(row), record)
    assert again.get(8) is None
    assert again.get(100_001) is None
    again.close()
    with (tmp_path / "24.bin").open("r+b") as file:
        file.seek(20)
        file.write(b"\xff\x00\xff\x00")
    damaged = SpriteFile(tmp_path / "24.bin")
    assert damaged.get(0) is None
    assert damaged.get(7) is not None
    damaged.close()
    assert (tmp_path / "24.bin").stat().st_blocks * 512 < 100_000, "rows without a picture take no room"


def test_a_sprite_of_another_image_counts_as_missing(tmp_path: Path) -> None:
    sprite = np.zeros((3, 4, 3), np.uint8)
    first, second = (SpriteFile(tmp_path / "24.bin", lambda row, name=name: f"{name} {row}") for name in "ab")
    first.put(5, sprite)
    np.testing.assert_array_equal(first.get(5), sprite)
    assert second.get(5) is None
    second.put(5, sprite + 1)
    assert first.get(5) is None
    first.close()
    second.close()


def test_a_tile_is_used_for_its_key_and_only_whole(tmp_path: Path) -> None:
    cache = TileCache(tmp_path / "tiles")
    cache.put("a", b"tile of a")
    cache.put("b", b"tile of b")
    first, second = sorted(tmp_path.rglob("*.tile"))
    content = first.read_bytes()
    for damaged in (second.read_bytes(), b"", content[:-1], bytes(len(content))):
        first.write_bytes(damaged)
        assert sorted(filter(None, (cache.get("a"), cache.get("b")))) in ([b"tile of a"], [b"tile of b"])
