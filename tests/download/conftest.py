"""What the tests of downloading share: a server, pictures, and a time in which nobody waits."""

import asyncio
import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from bam_engine.collection import Catalogue, Thumbnails
from bam_engine.database import open_database
from bam_engine.download import Stores
from bam_engine.download.running import Time
from tests.download.server import ADDRESS, Web, web_server


def picture(number: int, size: tuple[int, int] = (40, 30), kind: str = "PNG") -> bytes:
    """Return a picture of one colour, another one for each number."""
    file = io.BytesIO()
    Image.new("RGB", size, (number % 256, number // 256 % 256, 90)).save(file, kind)
    return file.getvalue()


class Leaping(Time):
    """A time that leaps forward wherever a run would wait for nothing but time, and goes by steps otherwise."""

    def __init__(self, step: float = 1e-3) -> None:
        self.seconds, self._step = 0.0, step

    def now(self) -> float:
        return self.seconds

    async def wait(self, event: asyncio.Event, seconds: float, *, idle: bool) -> None:
        if idle:
            self.seconds += seconds
            await asyncio.sleep(0)
        else:
            await event.wait()
            self.seconds += self._step


async def here(host: str, port: int) -> list[str]:
    """Resolve every name to the server, and an address to itself."""
    return [host] if host[0].isdigit() else [ADDRESS]


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A server of this computer, from which may be downloaded."""
    monkeypatch.setenv("BAM_PRIVATE_NETWORKS", f"{ADDRESS}/32")
    with web_server() as running:
        yield running


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    """An empty collection."""
    engine = open_database(f"sqlite:///{tmp_path / 'bam.sqlite'}")
    with contextlib.ExitStack() as stack:
        stack.callback(engine.dispose)
        yield Stores(Catalogue(engine), Thumbnails(tmp_path / "thumbnails"), tmp_path / "downloads")
