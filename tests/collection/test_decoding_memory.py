"""The memory that decoding may take at once: who waits, who is refused, and how much it is."""

import json
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bam_engine.collection import decoding_memory, images, read_image
from bam_engine.collection.decoding_memory import BUDGET, MemoryBudget
from bam_engine.errors import ImageUnreadable
from tests.browser import ROOT


@given(st.lists(st.integers(1, 100), min_size=1, max_size=12))
def test_never_more_than_all_is_held_and_everybody_gets_a_turn(amounts: list[int]) -> None:
    budget, served = MemoryBudget(100), []

    def work(amount: int) -> None:
        with budget.held(amount):
            served.append((amount, budget.free))

    threads = [threading.Thread(target=work, args=(amount,)) for amount in amounts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(amount for amount, _ in served) == sorted(amounts)
    assert all(free >= 0 for _, free in served)
    assert budget.free == budget.total


def test_a_large_one_that_waits_is_not_overtaken_by_small_ones() -> None:
    budget, order = MemoryBudget(100), []

    def work(name: str, amount: int) -> None:
        with budget.held(amount):
            order.append(name)

    with budget.held(50):
        threads = []
        for name, amount in (("large", 100), ("small", 10)):
            threads.append(threading.Thread(target=work, args=(name, amount)))
            threads[-1].start()
            while len(budget._waiting) < len(threads):
                pass
        assert order == []
    for thread in threads:
        thread.join(10)
    assert order == ["large", "small"]


def test_what_was_held_is_free_after_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    budget = MemoryBudget(100_000)
    monkeypatch.setattr(decoding_memory, "_budget", budget)
    Image.new("RGB", (80, 80)).save(tmp_path / "whole.png")
    content = (tmp_path / "whole.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(content[: len(content) // 2])
    with pytest.raises(ImageUnreadable, match="truncated"):
        read_image(tmp_path / "cut.png")
    assert budget.free == budget.total


def test_a_picture_that_needs_more_than_there_is_is_refused_in_words_unless_all_of_it_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding_memory, "_budget", MemoryBudget(39_999))
    Image.new("RGB", (120, 100)).save(tmp_path / "large.png")
    message = r"to decode 120 × 100 pixels of PNG takes 48 kB of memory, and the limit is 48 kB\. That is enough for"
    with pytest.raises(ImageUnreadable, match=message):
        read_image(tmp_path / "large.png", size=10)
    assert read_image(tmp_path / "large.png").size == (120, 100)


def test_a_picture_that_needs_a_little_more_than_there_is_is_decoded_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = MemoryBudget(40_000)
    monkeypatch.setattr(decoding_memory, "_budget", budget)
    Image.new("RGB", (118, 100)).save(tmp_path / "large.png")
    free: list[int] = []
    eight_bits = images.eight_bits
    monkeypatch.setattr(images, "eight_bits", lambda frame: free.append(budget.free) or eight_bits(frame))
    assert read_image(tmp_path / "large.png", size=100).size == (118, 100)
    assert free == [0], "nobody else decodes"


def test_the_limits_that_the_guide_names() -> None:
    """Megapixels of a format that are decoded, at most 200."""
    limit = BUDGET * decoding_memory.ALONE
    assert {name: round(limit / each / 1e6) for name, each in decoding_memory._BYTES.items()} == {
        "WEBP": 75,
        "AVIF": 120,
        "JPEG2000": 60,
    }
    guide = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
    assert "WebP up to 75 megapixels, AVIF up to 120" in " ".join(guide.split())


@pytest.mark.parametrize("levels", [1, 3, 6])
def test_a_large_jpeg_2000_is_decoded_at_a_scale_that_fits(
    levels: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = Image.linear_gradient("L").resize((512, 512)).convert("RGB")
    picture.save(tmp_path / "scan.jp2", num_resolutions=levels)
    monkeypatch.setattr(decoding_memory, "_budget", MemoryBudget(20 * 128 * 128))
    if levels < 3:
        with pytest.raises(ImageUnreadable, match="too large"):
            read_image(tmp_path / "scan.jp2", size=100)
    else:
        reduced = read_image(tmp_path / "scan.jp2", size=100)
        assert reduced.size == (128, 128)
        assert abs(reduced.getpixel((64, 64))[0] - 128) <= 3


KINDS = {
    "png": {},
    "p.png": {},
    "rgba.png": {},
    "sixteen.png": {},
    "jpg": {},
    "progressive.jpg": {"progressive": True, "subsampling": 0},
    "tif": {},
    "bmp": {},
    "webp": {},
    "avif": {"speed": 10},
    "jp2": {},
}

MEASURE = """
    import json, sys
    from pathlib import Path
    from bam_engine.collection import decoding_memory, images

    def status(name):
        line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
        return int(line.split()[1]) * 1024

    path = sys.argv[1]
    with open(path, "rb") as file:
        image = images._open(file, "").image
        images._scale_before_decoding(image, 500)
        needed = decoding_memory.memory_needed(image)
    before = status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    images.read_image(path, size=500)
    print(json.dumps([needed, status("VmHWM") - before]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_decoding_takes_about_the_memory_that_is_held_for_it(kind: str, tmp_path: Path) -> None:
    side = 4000
    mode = {"p.png": "P", "rgba.png": "RGBA", "sixteen.png": "I;16"}.get(kind, "RGB")
    Image.new(mode, (side, side)).save(tmp_path / f"drawn.{kind}", **KINDS[kind])
    program = [sys.executable, "-c", textwrap.dedent(MEASURE), str(tmp_path / f"drawn.{kind}")]
    needed, taken = json.loads(subprocess.run(program, cwd=ROOT, capture_output=True, check=True, text=True).stdout)
    assert needed * 0.3 < taken + 30_000_000
    assert taken < needed * 1.1 + 40_000_000


def test_two_hundred_megapixels_of_rgb_fit() -> None:
    assert BUDGET >= 4 * 200_000_000
