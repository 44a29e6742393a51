"""Pictures are packed in the background, and tiles use them."""

import time

import numpy as np
import pytest
from PIL import Image

from bam_engine.annotation import Attribute
from bam_engine.collection import Thumbnails
from bam_engine.errors import Stopped
from bam_engine.maps import layout_builder, sprite_packing, view_cache
from bam_engine.projection import MapView
from bam_engine.projection.picture_store import SPRITE
from bam_engine.workspace import Workspace
from tests.conftest import Oracle


def unpack(workspace: Workspace) -> None:
    """Leave the workspace as one whose images were added before pictures were packed with them."""
    workspace.sprites.close()
    workspace.sprites.path.unlink()


@pytest.fixture
def mapped(workspace: Workspace) -> str:
    unpack(workspace)
    return layout_builder.build(workspace, method="pca").id


def test_an_image_is_packed_as_soon_as_it_has_a_thumbnail(workspace: Workspace) -> None:
    for row in range(len(workspace.catalogue)):
        with Image.open(workspace.thumbnails.path(row)) as thumbnail:
            scale = SPRITE / max(thumbnail.size)
            size = [max(1, round(side * scale)) for side in thumbnail.size]
            wanted = np.asarray(thumbnail.convert("RGB").resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0))
        packed = workspace.sprites.get(row)
        assert packed is not None
        np.testing.assert_allclose(packed, wanted, atol=12)  # the file is lossy
    assert sprite_packing.pack(workspace, layout_builder.build(workspace, method="pca").id, considerate=False) == 0


def test_a_new_thumbnail_has_a_new_smallest_picture(workspace: Workspace) -> None:
    workspace.thumbnails.write(3, Image.new("RGB", (60, 30), (200, 10, 10)))
    packed = workspace.sprites.get(3)
    assert packed is not None
    assert packed.shape == (12, 24, 3)
    np.testing.assert_allclose(packed, np.broadcast_to([200, 10, 10], packed.shape), atol=6)


def test_the_pictures_of_the_first_zoom_are_packed_and_no_tile_decodes_them(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    oracle.play(workspace, watercolor, count=1)
    unpack(workspace)
    map_id = layout_builder.build(workspace, method="pca").id
    view = view_cache.current_view(workspace, map_id)
    z, kinds = view.picture_from_zoom, ("density", f"score-{watercolor.name}")
    shown = {
        int(view.source.rows[point])
        for kind in kinds
        for x in range(2**z)
        for y in range(2**z)
        for point in view._cells(z, x, y, kind, view._choice(kind, None, "best")).values()
    }
    wanted = sprite_packing.first_pictures(view, sprite_packing.MAX_PICTURES)
    assert set(wanted.tolist()) == shown
    assert sprite_packing.pack(workspace, map_id, considerate=False) == len(shown)
    assert sprite_packing.pack(workspace, map_id, considerate=False) == 0, "once is enough"
    if view.plan.pictures_across(z) == 8:
        read: list[int] = []
        monkeypatch.setattr(Thumbnails, "read", lambda _self, row: read.append(row))
        for kind in kinds:
            view.tile(f"pictures-{kind}", z, 0, 0)
        assert not read


def test_the_fullest_cells_come_first_up_to_the_limit() -> None:
    rng = np.random.default_rng(0)
    layout = rng.random((40_000, 2)) ** 2
    scores = {name: rng.normal(size=len(layout)) for name in ("a", "b")}
    view = MapView(layout, version="1", thumbnail=lambda row: None, scores=scores)
    depth = view.plan.picture_depth(view.picture_from_zoom)
    cells = (layout * 2**depth).astype(int) @ [1, 2**depth]
    sizes = np.bincount(cells)
    result = view.first_pictures("score-a")
    assert len(result) == np.count_nonzero(sizes)
    crowds = sizes[cells[result]]
    assert (np.diff(crowds) <= 0).all()
    best = {cell: max(np.flatnonzero(cells == cell), key=lambda row: scores["a"][row]) for cell in cells[result[:50]]}
    assert result[:50].tolist() == [best[cell] for cell in cells[result[:50]]]
    some = sprite_packing.first_pictures(view, 300)
    assert 100 < len(some) <= 300
    assert len(set(some.tolist())) == len(some)
    for kind in ("density", "score-a", "score-b"):
        assert set(view.first_pictures(kind)[:100].tolist()) <= set(some.tolist())


def test_packing_pauses_while_tiles_are_requested_and_can_be_stopped(workspace: Workspace, mapped: str) -> None:
    view = view_cache.current_view(workspace, mapped)
    for ask in (lambda: view.tile("density", 0, 0, 0), lambda: view.image_at(0.5, 0.5, 0.1)):
        view.last_request = -np.inf
        ask()
        assert time.monotonic() - view.last_request < 1
    payload: list[str] = []

    def report(done: int, total: int | None, message: str = "") -> None:
        payload.append(message)
        if len(payload) == 4:
            raise Stopped("that will do")

    with pytest.raises(Stopped):
        sprite_packing.pack(workspace, mapped, report=report)
    assert payload[2:] == ["waiting until the map is idle"] * 2
    assert all(view._sources.sprites.get(row) is None for row in range(120))  # type: ignore[union-attr]
    view.last_request = time.monotonic() - 60
    assert sprite_packing.pack(workspace, mapped) > 0


def test_a_map_is_packed_once_in_the_background(workspace: Workspace, mapped: str) -> None:
    job = sprite_packing.start_newest(workspace)
    assert job is not None
    assert sprite_packing.start(workspace, mapped) is job
    until = time.monotonic() + 30
    while job.running and time.monotonic() < until:
        time.sleep(0.02)
    assert (job.state, job.result) == (
        "done",
        len(sprite_packing.first_pictures(view_cache.current_view(workspace, mapped), 1000)),
    )


def test_without_a_map_there_is_nothing_to_pack(workspace: Workspace) -> None:
    assert sprite_packing.start_newest(workspace) is None
