"""Every kind of file that the program writes is judged: whatever happens to one, the check finds it."""

import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bam_engine.annotation import Attribute
from bam_engine.errors import Stopped
from bam_engine.gallery import facets, near_duplicates, problems, selections, uploads
from bam_engine.gallery.categories import CATEGORIES, categories
from bam_engine.gallery.dimensions import dimensions
from bam_engine.gallery.search import names_of
from bam_engine.maintenance import Outcome, check, repair
from bam_engine.maps import layout_builder, layout_store, view_cache
from bam_engine.training.models import scores_of
from bam_engine.training.neighbour_cache import neighbours_of
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import vectors_of

KINDS = (
    r"vectors/[^/]+/vectors\.f16",
    r"vectors/[^/]+/images\.bin",
    r"vectors/[^/]+/meta\.json",
    r"scores/\w+\.npy",
    r"thumbnails/\d+/\d+\.webp",
    r"sprites/24\.bin",
    r"facets/looked-2\.bin",
    r"facets/measured-1\.bin",
    r"facets/projects-\d+\.npz",
    r"facets/licences-\d+\.npz",
    r"facets/formats-\d+\.npz",
    r"facets/dimensions-1\.npz",
    r"near/[^/]+/groups\.npz",
    r"names/names-.*\.txt",
    r"neighbours/.*\.npz",
    r"title-words\.npz",
    r"uploads/[^/]+/\w+\.npz",
    r"selections/\w+\.npy",
    r"tiles/\w\w/\w+\.tile",
    r"layouts/[^./]+/about\.json",
    r"layouts/[^./]+/places-\w+\.npy",
    r"layouts/[^./]+/rows-\w+\.npy",
    r"layouts/[^./]+/model-\w+\.npz",
    r"layouts/[^./]+/regions\.json",
    r"layouts/[^/]+\.part/request\.json",
    r"layouts/[^/]+\.part/\w+\.npz",
    r"layouts/\.removed/[^/]+/.*",
)
NOTHING_IS_TAKEN_FROM = r"CACHEDIR\.TAG|vectors/[^/]+/lock|layouts/[^/]+\.part/places\.npy"
"""The last is compared with what the finished blocks say of it when the map is resumed."""

LEAVES_WHAT_IS_RIGHT = {
    ("sprites/24", "cut"),
    ("sprites/24", "zeros"),
    ("facets/looked", "cut"),
    ("facets/measured", "cut"),
}
"""What is missing is made when it is needed, like what was never there."""

DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda content: content[: len(content) // 2],
    "zeros": lambda content: bytes(len(content)),
    "other bytes": lambda content: inverted(content, len(content) // 2),
}


def inverted(content: bytes, middle: int, half: int = 1000) -> bytes:
    """Return a file with all bits around its middle inverted."""
    start, end = max(0, middle - half), middle + half
    return content[:start] + bytes(255 - byte for byte in content[start:end]) + content[end:]


def unfinished_map(workspace: Workspace) -> None:
    def stop(done: int, total: int | None, message: str = "") -> None:
        if message.startswith("placing") and done > 4:
            raise Stopped("stopped")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bam_engine.projection.layout.BLOCK", 10)
        with pytest.raises(Stopped):
            layout_builder.build(workspace, method="pca", sample=60, report=stop)


@pytest.fixture
def used(played: Workspace, watercolor: Attribute) -> Workspace:
    """A workspace of which everything was used that writes a file."""
    rows = np.arange(120)
    scores_of(played, watercolor)
    for image in played.catalogue.images(rows):
        played.thumbnails.ensure(image.row, image.path)
        with Image.open(BytesIO(played.thumbnails.read(image.row) or b"")) as thumbnail:
            played.sprites.pack(image.row, thumbnail)
    layout_builder.build(played, method="umap")
    layout_store.delete(played, layout_builder.build(played, method="pca").id)
    unfinished_map(played)
    view_cache.tile_cache(played).put("a tile", b"of a map")
    facets.scan(played)
    problems.scan(played)
    for kind in CATEGORIES:
        categories(played, kind)
    dimensions(played)
    near_duplicates.find_groups(played)
    names_of(played).refresh()
    neighbours_of(played, rows)
    uploads.save(played, played.catalogue.image(3).path.read_bytes())
    selections.save(played, [1, 2, 3])
    return played


def of_kind(workspace: Workspace, kind: str) -> Path:
    """Return a file of a kind, one that something depends on."""
    files = [file for file in sorted(workspace.cache.rglob("*")) if file.is_file()]
    return next(file for file in files if re.fullmatch(kind, file.relative_to(workspace.cache).as_posix()))


def test_these_are_all_kinds(used: Workspace) -> None:
    names = [file.relative_to(used.cache).as_posix() for file in used.cache.rglob("*") if file.is_file()]
    known = "|".join((*KINDS, NOTHING_IS_TAKEN_FROM))
    assert [name for name in names if not re.fullmatch(known, name)] == []
    assert [kind for kind in KINDS if not any(re.fullmatch(kind, name) for name in names)] == []
    assert check(used) == []


@pytest.mark.slow
def test_damage_of_every_kind_is_found(used: Workspace) -> None:
    unseen = []
    for kind in KINDS:
        file = of_kind(used, kind)
        content = file.read_bytes()
        for words, damage in DAMAGES.items():
            if any(kind.startswith(start) and words == how for start, how in LEAVES_WHAT_IS_RIGHT):
                continue
            file.write_bytes(damage(content))
            used.memory.clear()
            if not check(used, images=False):
                unseen.append((kind, words))
        file.write_bytes(content)
        used.memory.clear()
    assert unseen == []
    assert check(used) == []


def test_all_damage_at_once_is_repaired(used: Workspace, watercolor: Attribute) -> None:
    vectors, scores = np.array(vectors_of(used)), np.array(scores_of(used, watercolor))
    (record,) = layout_store.list_layouts(used)
    places, rows = layout_store.points_of(used, record.id)
    for kind in KINDS:
        if "about" not in kind:
            file = of_kind(used, kind)
            file.write_bytes(DAMAGES["other bytes"](file.read_bytes()))
    used.memory.clear()
    findings = check(used)
    assert repair(findings) == [Outcome(finding) for finding in findings]
    used.memory.clear()
    assert check(used) == []
    assert np.array_equal(vectors_of(used), vectors)
    assert np.array_equal(scores_of(used, watercolor), scores, equal_nan=True)
    assert used.sprites.damaged() == []
    assert facets.scan_progress(used).done == 120
    assert problems.progress(used).measured == 120
    assert near_duplicates.has_groups(used)
    again, rows_again = layout_store.points_of(used, record.id)
    assert np.array_equal(rows_again, rows)
    assert np.allclose(again, places)
