"""A view for print: it has the size of the paper, shows the whole view, and its text can be searched."""

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from bam_engine.errors import BamError, NotFound, ProjectionError
from bam_engine.gallery import selections
from bam_engine.maps import layout_builder, layout_store, print_sheet, regions
from bam_engine.maps.print_sheet import PAPERS, Sheet
from bam_engine.workspace import Workspace

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def layout(workspace: Workspace) -> layout_store.LayoutRecord:
    return layout_builder.build(workspace, method="pca")


def view_of(layout: layout_store.LayoutRecord, **more: object) -> Sheet:
    payload: dict[str, object] = {"x": 0.5, "y": 0.5, "zoom": 1, "width": 900, "height": 600, "dpi": 72}
    return Sheet(layout.id, **{**payload, **more})  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize("paper", PAPERS)
def test_a_png_has_the_size_of_its_paper(workspace: Workspace, layout: layout_store.LayoutRecord, paper: str) -> None:
    with Image.open(io.BytesIO(print_sheet.png(workspace, view_of(layout, paper=paper, dpi=100)))) as image:
        assert image.size == tuple(round(side / 25.4 * 100) for side in PAPERS[paper])
        assert image.info["dpi"] == pytest.approx((100, 100), abs=0.1)
        pixels = np.asarray(image.convert("RGB"))
    assert (pixels[:20] == 255).all(), "the margin is white"
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 50


def test_an_svg_holds_the_map_as_a_picture_and_every_word_as_text(
    workspace: Workspace, layout: layout_store.LayoutRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = regions.Region("pears & <plums>", "because", 0.5, 0.5, 40, 0, 3)
    later = regions.Region("later", "because", 0.5, 0.2, 40, 4, 6)
    monkeypatch.setattr(regions, "regions_of", lambda *_: (named, later))
    chosen = selections.save(workspace, range(7))
    drawn = ElementTree.fromstring(print_sheet.svg(workspace, view_of(layout, selection=chosen)))
    words = [part.text for part in drawn.iter(f"{SVG}text")]
    assert "pears & <plums>" in words
    assert "later" not in words
    assert any(word and layout.title in word and "7 selected images" in word for word in words)
    assert {"Images", "few", "many"} <= set(words)
    (image,) = drawn.iter(f"{SVG}image")
    kind, content = re.match(r"data:image/(\w+);base64,(.*)", image.get("href") or "").groups()  # type: ignore[union-attr]
    with Image.open(io.BytesIO(base64.b64decode(content))) as picture:
        assert picture.format == kind.upper()
        assert picture.width / picture.height == pytest.approx(
            float(image.get("width") or 0) / float(image.get("height") or 1), rel=0.01
        )
    without = print_sheet.svg(workspace, view_of(layout, names=False)).decode()
    assert "plums" not in without


def test_a_name_is_printed_at_its_position(
    workspace: Workspace, layout: layout_store.LayoutRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regions, "regions_of", lambda *_: (regions.Region("here", "why", 0.4, 0.5, 9, 0, 9),))
    drawn = ElementTree.fromstring(print_sheet.svg(workspace, view_of(layout, x=0.4, y=0.5, zoom=4)))
    (image,) = drawn.iter(f"{SVG}image")
    middle = float(image.get("x") or 0) + float(image.get("width") or 0) / 2
    (name,) = (part for part in drawn.iter(f"{SVG}text") if part.text == "here")
    assert float(name.get("x") or 0) == pytest.approx(middle, abs=0.1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"x": float("nan")},
        {"zoom": 40},
        {"zoom": float("nan")},
        {"width": 0},
        {"height": 1e9},
        {"dpi": 1200},
        {"dpi": 1},
        {"paper": "a0"},
        {"representative": "worst"},
    ],
)
def test_an_invalid_sheet_is_rejected(
    workspace: Workspace, layout: layout_store.LayoutRecord, wrong: dict[str, object]
) -> None:
    with pytest.raises(ProjectionError, match=r"a number from|one of a4-landscape|one of best"):
        print_sheet.png(workspace, view_of(layout, **wrong))


def test_an_unknown_colour_selection_or_map_raises(workspace: Workspace, layout: layout_store.LayoutRecord) -> None:
    for wrong in ({"colour": "mood"}, {"selection": "0" * 20}):
        with pytest.raises(BamError, match=r"cannot be coloured|was not found"):
            print_sheet.png(workspace, view_of(layout, **wrong))
    with pytest.raises(NotFound):
        print_sheet.png(workspace, Sheet("nowhere", 0.5, 0.5, 1, 900, 600))
