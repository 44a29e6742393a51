"""What Chromium shows of a file is what thumbnails and large pictures show and encoders see."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bam_engine.collection import ingest_folder
from bam_engine.embedding import VectorStore, embed
from bam_engine.workspace import Workspace
from tests.collection.odd_pictures import FIELD, odd_pictures
from web.routes.images import image_routes

CELL = 64  # pixels around a picture on the page
PIXELS = 2
"""The most by which a colour that an encoder sees differs from that on the screen, of 255."""
LOSSY = 12
"""The same for the pictures of the interface, which are WebP files that lose a little."""


class Sees:
    """An encoder that keeps what it is given."""

    spec, key, dim, input_size = "sees", "sees-v1", 1, 2 * FIELD

    def __init__(self) -> None:
        self.images: list[Image.Image] = []

    def preprocess(self, image: Image.Image) -> np.ndarray:
        self.images.append(image)
        return np.ones(1, np.float32)

    def encode(self, inputs: list[np.ndarray]) -> np.ndarray:
        return np.stack(inputs)


def shown(page: Page, pictures: list[bytes]) -> list[np.ndarray]:
    """Return the pixels of each picture as an ``<img>`` shows them."""
    sources = [f"data:;base64,{base64.b64encode(picture).decode()}" for picture in pictures]
    cells = "".join(f'<div style="width:{CELL}px;height:{CELL}px"><img src="{source}"></div>' for source in sources)
    page.set_viewport_size({"width": CELL, "height": CELL * len(pictures)})
    page.set_content(f'<body style="margin:0;background:white">{cells}')
    page.evaluate("Promise.all([...document.images].map((image) => image.decode().catch(() => null)))")
    sizes = page.evaluate("[...document.images].map((image) => [image.naturalWidth, image.naturalHeight])")
    screen = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
    return [screen[CELL * place : CELL * place + height, :width] for place, (width, height) in enumerate(sizes)]


def colours(pixels: np.ndarray) -> np.ndarray:
    """Return the colour in the middle of each field."""
    return pixels[FIELD // 2 :: FIELD, FIELD // 2 :: FIELD].astype(int)


@pytest.fixture(scope="module")
def names_and_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("odd")
    files = {}
    for number, (name, content) in enumerate(odd_pictures()):
        files[name] = folder / f"{number:03d}"  # a name without a suffix: the content says what it is
        files[name].write_bytes(content + b"\0" * number)  # no two are the same file
    return files


@pytest.mark.slow
def test_a_picture_has_the_same_colours_in_chromium_in_the_interface_and_for_encoders(
    browser: Browser, names_and_files: dict[str, Path], tmp_path: Path
) -> None:
    workspace = Workspace(tmp_path / "workspace", tmp_path / "cache")
    files = list(names_and_files.values())
    result = ingest_folder(workspace.catalogue, workspace.thumbnails, files[0].parent)
    assert (result.added, result.unreadable) == (len(files), [])
    rows = workspace.catalogue.rows_of(map(str, files))
    store = VectorStore(tmp_path / "vectors", images=workspace.catalogue.digests().array)
    embed([Path(uri) for uri in workspace.catalogue.uris()], encoder := Sees(), store, workers=1)
    client = TestClient(Starlette(routes=image_routes(lambda: workspace)))
    page = browser.new_page()
    seen = {
        "file": shown(page, [file.read_bytes() for file in files]),
        "thumbnail": shown(page, [client.get(f"/thumbs/{rows[str(file)]}.webp").content for file in files]),
        "large picture": shown(page, [client.get(f"/large/{rows[str(file)]}.webp").content for file in files]),
        "encoder": [np.asarray(encoder.images[rows[str(file)]]) for file in files],
    }
    page.close()
    workspace.close()
    wrong = {}
    for place, name in enumerate(names_and_files):
        reference = seen["file"][place]
        for what in ("thumbnail", "large picture", "encoder"):
            ours = seen[what][place]
            if ours.shape != reference.shape:
                wrong[name, what] = f"{ours.shape} instead of {reference.shape}"
            elif (far := np.abs(colours(ours) - colours(reference)).max()) > (PIXELS if what == "encoder" else LOSSY):
                wrong[name, what] = f"differs by {far}"
    assert not wrong
