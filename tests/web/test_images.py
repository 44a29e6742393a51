"""The routes of thumbnails and large pictures."""

import io
import struct
import subprocess
import sys
import textwrap
import threading
import zlib
from pathlib import Path

import anyio
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bam_engine.collection import NewImage, ingest_folder
from bam_engine.workspace import Workspace
from tests.browser import ROOT
from tests.web.clients import Client, run
from web.routes.images import LARGE, image_routes


@pytest.fixture
def wide(tmp_path: Path) -> Workspace:
    """A workspace with one picture of 3,000 by 1,000 px that must be turned upright."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (3000, 1000), "teal").save(folder / "a b.jpg", exif=exif)
    workspace = Workspace(tmp_path / "workspace", tmp_path / "cache")
    ingest_folder(workspace.catalogue, workspace.thumbnails, folder)
    return workspace


@pytest.fixture
def client(wide: Workspace) -> TestClient:
    return TestClient(Starlette(routes=image_routes(lambda: wide)))


def size(content: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(content)).size


def test_a_thumbnail_is_small_and_a_large_picture_upright(client: TestClient) -> None:
    assert max(size(client.get("/thumbs/0.webp").content)) == 256
    width, height = size(client.get("/large/0.webp").content)
    assert (height, width) == (LARGE, round(LARGE / 3))


def test_a_missing_thumbnail_is_made_again(client: TestClient, wide: Workspace) -> None:
    wide.thumbnails.path(0).unlink()
    assert client.get("/thumbs/0.webp").status_code == 200
    assert wide.thumbnails.has(0)


def test_a_versioned_address_is_kept_for_good_and_others_are_asked_again(client: TestClient, wide: Workspace) -> None:
    assert "immutable" in client.get(f"/thumbs/0.webp?v={wide.picture_version}").headers["cache-control"]
    assert client.get("/thumbs/0.webp?v=earlier").headers["cache-control"] == "no-cache"
    plain = client.get("/thumbs/0.webp")
    assert plain.headers["cache-control"] == "no-cache"
    again = client.get("/thumbs/0.webp", headers={"if-none-match": plain.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("number", [2**31, 2**32, 2**63, 2**64, 10**18 - 1, 10**30, "9" * 5_000])
def test_a_number_of_any_length_that_is_no_row_is_a_404(client: TestClient, number: object) -> None:
    for address in (f"/thumbs/{number}.webp", f"/large/{number}.webp"):
        assert client.get(address).status_code == 404


def test_an_image_that_is_not_there_is_a_404_in_words(client: TestClient, wide: Workspace) -> None:
    assert client.get("/thumbs/1.webp").status_code == 404
    wide.catalogue.image(0).path.unlink()
    gone = client.get("/large/0.webp")
    assert gone.status_code == 404
    assert gone.text


@pytest.mark.parametrize(
    "address", ["", "/", "/a.webp", "/0.png", "/-1.webp", "/1e3.webp", f"/{10**30}.webp", "/0.webp/x"]
)
@pytest.mark.parametrize("kind", ["thumbs", "large"])
def test_other_addresses_are_not_found(client: TestClient, kind: str, address: str) -> None:
    for method in ("GET", "POST", "PUT", "DELETE"):
        assert client.request(method, f"/{kind}{address}").status_code in (404, 405), method


def test_a_picture_that_is_not_read_in_time_holds_up_nobody_and_its_client_may_leave(wide: Workspace) -> None:
    answers = threading.Event()

    def frozen() -> Workspace:
        assert answers.wait(60)
        return wide

    async def play() -> list[int]:
        app = Starlette(routes=image_routes(frozen, thumbnails_at_once=2, large_at_once=1))
        asking = [Client(app) for _ in range(5)]
        async with anyio.create_task_group() as group:
            for one in asking:
                group.start_soon(one.ask, "/thumbs/0.webp")
            await anyio.sleep(0.1)
            large = Client(app)
            group.start_soon(large.ask, "/large/7.webp")  # waits for the same workspace, in a thread of its own
            other = Client(app)
            await other.ask("/thumbs/none")
            assert other.status == 404, "the server answers meanwhile"
            asking[4].left.set()
            await anyio.sleep(0.3)
            assert asking[4].status == 404, "who has left does not wait for a thread"
            answers.set()
        return [one.status for one in [*asking, large]]

    assert run(play) == [200, 200, 200, 200, 404, 404]


def png_of_one_colour(path: Path, side: int, kind: int, samples: int, depth: int = 8) -> None:
    """Write a large PNG without holding its pixels; ``kind`` is its colour type."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    packed = zlib.compressobj(1)
    line = bytes(1 + side * samples * depth // 8)
    pixels = b"".join(packed.compress(line) for _ in range(side)) + packed.flush()
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, depth, kind, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", pixels) + chunk(b"IEND", b""))


MANY = """
    import re, sys
    from pathlib import Path

    import anyio
    from starlette.applications import Starlette

    from bam_engine.workspace import Workspace
    from tests.web.clients import Client
    from web.routes.images import image_routes

    workspace = Workspace(Path(sys.argv[1]), Path(sys.argv[2]))
    app = Starlette(routes=image_routes(lambda: workspace))

    async def play():
        asking = [Client(app) for _ in range(10)]
        async with anyio.create_task_group() as group:
            for row, one in enumerate(asking):
                group.start_soon(one.ask, f"/large/{row}.webp")
        print([one.status for one in asking])

    anyio.run(play)
    status = Path("/proc/self/status").read_text()  # getrusage would count what the parent had before
    print(int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) * 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", [2, 6], ids=["RGB", "RGBA"])
def test_ten_huge_pictures_at_once_take_the_memory_of_one(kind: int, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    workspace = Workspace(tmp_path / "workspace", tmp_path / "cache")
    png_of_one_colour(folder / "0.png", 14_000, kind, {2: 3, 6: 4}[kind])
    for number in range(1, 10):
        (folder / f"{number}.png").write_bytes((folder / "0.png").read_bytes() + bytes(number))
    workspace.catalogue.add(
        NewImage(str(folder / f"{number}.png"), 14_000, 14_000, f"{number:064x}") for number in range(10)
    )
    workspace.close()
    program = [sys.executable, "-c", textwrap.dedent(MANY), str(tmp_path / "workspace"), str(tmp_path / "cache")]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, check=True, text=True).stdout.splitlines()
    assert set(done[0].strip("[]").split(", ")) <= {"200", "404"}
    assert int(done[1]) < 1_500_000_000


def test_what_a_browser_keeps_is_asked_for_again_where_the_row_is_another_image(
    client: TestClient, wide: Workspace, tmp_path: Path
) -> None:
    """As in a copied workspace, or after a backup was restored, in which other images were added."""
    tags = {name: client.get(f"/{name}/0.webp").headers["etag"] for name in ("thumbs", "large")}
    other = Workspace(tmp_path / "other", tmp_path / "cache")
    (tmp_path / "blue").mkdir()
    Image.new("RGB", (40, 20), "blue").save(tmp_path / "blue" / "a.png")
    ingest_folder(other.catalogue, other.thumbnails, tmp_path / "blue")
    other_client = TestClient(Starlette(routes=image_routes(lambda: other)))
    for name, tag in tags.items():
        answer = other_client.get(f"/{name}/0.webp", headers={"if-none-match": tag})
        assert answer.status_code == 200
        assert size(answer.content) == (40, 20)
    assert other.picture_version != wide.picture_version
    other.close()


def test_a_file_that_holds_another_image_now_is_not_shown_as_the_old_one(client: TestClient, wide: Workspace) -> None:
    assert client.get("/large/0.webp").status_code == 200
    Image.new("RGB", (300, 100), "red").save(wide.catalogue.image(0).path)
    assert client.get("/large/0.webp").status_code == 200, "what was shown of the old bytes may still be shown"
    wide.thumbnails.path(0).unlink()
    assert client.get("/thumbs/0.webp").status_code == 404
