"""The routes of thumbnails and large pictures."""

import io
from pathlib import Path

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bam_engine.collection import ingest_folder
from bam_engine.workspace import Workspace
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


def test_a_versioned_address_is_kept_for_good_and_others_are_asked_again(client: TestClient) -> None:
    assert "immutable" in client.get("/thumbs/0.webp?v=x").headers["cache-control"]
    plain = client.get("/thumbs/0.webp")
    assert plain.headers["cache-control"] == "no-cache"
    again = client.get("/thumbs/0.webp", headers={"if-none-match": plain.headers["etag"]})
    assert again.status_code == 304


def test_an_image_that_is_not_there_is_a_404_in_words(client: TestClient, wide: Workspace) -> None:
    assert client.get("/thumbs/1.webp").status_code == 404
    wide.catalogue.image(0).path.unlink()
    gone = client.get("/large/0.webp")
    assert gone.status_code == 404
    assert gone.text
