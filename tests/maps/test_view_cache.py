"""The colourings of a map, and when its tiles are drawn again."""

import shutil
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from bam_engine.annotation import Attribute
from bam_engine.collection import Thumbnails
from bam_engine.errors import CollectionError, NotFound
from bam_engine.gallery import selections
from bam_engine.gallery.categories import categories
from bam_engine.gallery.dimensions import dimensions
from bam_engine.gallery.listing import list_images
from bam_engine.gallery.query import Query
from bam_engine.labelling import label_states
from bam_engine.maps import layout_builder, layout_store, view_cache
from bam_engine.projection import MapView
from bam_engine.training import models, thresholds
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.labelling.team import vote


@pytest.fixture
def mapped(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> str:
    """A workspace with one scored attribute; the id of its map."""
    oracle.play(workspace, watercolor, count=1)
    return layout_builder.build(workspace, method="pca").id


def counts(workspace: Workspace, map_id: str, kind: str) -> dict[str, int]:
    legend = view_cache.current_view(workspace, map_id, fresh=True).legend(kind)
    return {str(one["label"]): int(one["count"]) for one in legend["swatches"]}  # type: ignore[attr-defined]


def settle(workspace: Workspace) -> None:
    until = time.monotonic() + 20
    while workspace.jobs.running() and time.monotonic() < until:
        time.sleep(0.02)


def test_the_kinds_of_a_map(workspace: Workspace, mapped: str, watercolor: Attribute) -> None:
    kinds = view_cache.current_view(workspace, mapped).kinds()
    name = watercolor.name
    assert kinds[:2] == ("density", "density-log")
    assert {f"score-{name}", "category-project", "category-cluster", f"category-label-{name}"} <= set(kinds)
    assert f"category-disagreement-{name}" not in kinds


def test_projects_are_counted_by_name(workspace: Workspace, mapped: str) -> None:
    projects: dict[str, int] = {}
    for page in workspace.catalogue.names_from(0):
        for _, _, project, _ in page:
            projects[project or "no project"] = projects.get(project or "no project", 0) + 1
    result = counts(workspace, mapped, "category-project")
    assert sum(result.values()) == len(view_cache.current_view(workspace, mapped))
    assert all(projects[name] == count for name, count in result.items() if name != "others")


def test_label_states_are_those_of_the_labels_and_an_answer_changes_them(
    workspace: Workspace, mapped: str, watercolor: Attribute
) -> None:
    kind = f"category-label-{watercolor.name}"
    states = label_states.states(workspace, watercolor)
    result = counts(workspace, mapped, kind)
    assert result["yes"] == len(states.rows["positive"])
    assert result["no"] == len(states.rows["negative"])
    row = int(np.flatnonzero(states.mask("unlabelled", len(workspace.catalogue)))[0])
    before = view_cache.current_view(workspace, mapped)
    vote(workspace, watercolor, "ada", {row: 1})
    after = view_cache.current_view(workspace, mapped, fresh=True)
    assert after.version != before.version
    assert counts(workspace, mapped, kind)["yes"] == result["yes"] + 1
    assert after.version_of(kind) != before.version_of(kind)
    assert after.version_of(f"score-{watercolor.name}") == before.version_of(f"score-{watercolor.name}")
    assert after.source is before.source, "the points are not sorted again"


def test_disagreement_is_a_colouring_where_annotators_disagree(workspace: Workspace, watercolor: Attribute) -> None:
    workspace.redundancy = 2
    vote(workspace, watercolor, "ada", {0: 1, 1: 0, 2: 1, 3: -1, 4: 1})
    vote(workspace, watercolor, "ben", {0: 1, 1: 0, 2: 0, 3: -1})
    record = layout_builder.build(workspace, method="pca")
    result = counts(workspace, record.id, f"category-disagreement-{watercolor.name}")
    assert (result["annotators disagree"], result["labelled, no disagreement"]) == (1, 4)
    states = counts(workspace, record.id, f"category-label-{watercolor.name}")
    assert [states[name] for name in ("yes", "no", "unsure", "waiting", "disputed")] == [1, 1, 1, 1, 1]


def test_regions_are_a_colouring(workspace: Workspace, mapped: str) -> None:
    result = counts(workspace, mapped, "category-cluster")
    settle(workspace)
    assert sum(result.values()) == len(view_cache.current_view(workspace, mapped))


def change_a_vector(workspace: Workspace) -> None:
    store = workspace.vectors()
    store.replace([3], store.array()[[4]].astype(np.float32))


def test_other_scores_by_the_same_model_change_the_version(
    workspace: Workspace, mapped: str, watercolor: Attribute
) -> None:
    before = view_cache.current_view(workspace, mapped)
    assert view_cache.map_version(workspace, mapped) == before.version
    change_a_vector(workspace)
    after = view_cache.current_view(workspace, mapped, fresh=True)
    assert after.version != before.version
    shutil.rmtree(workspace.cache / "scores")
    assert view_cache.current_view(workspace, mapped, fresh=True).version == after.version, "they are the same again"


def caught_up(workspace: Workspace, map_id: str, before: MapView) -> MapView:
    """Glance until another view is there; none of the glances waits for it."""
    until = time.monotonic() + 20
    while (result := view_cache.cached_view(workspace, map_id)) is before and time.monotonic() < until:
        time.sleep(0.02)
    return result


def test_the_cached_view_never_waits_and_is_refreshed_soon(
    workspace: Workspace, mapped: str, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, kind = view_cache.current_view(workspace, mapped), f"score-{watercolor.name}"
    before.colouring(kind)
    assert view_cache.cached_view(workspace, mapped) is before
    change_a_vector(workspace)
    go_on, real = threading.Event(), view_cache._open

    def slowly(*asked: object) -> MapView:
        go_on.wait(20)
        return real(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr(view_cache, "_open", slowly)
    monkeypatch.setattr(view_cache, "_CHECK_EVERY", 0.0)
    for _ in range(5):
        assert view_cache.cached_view(workspace, mapped) is before
    go_on.set()
    after = caught_up(workspace, mapped, before)
    assert after.version == view_cache.map_version(workspace, mapped) != before.version
    assert kind in after._colourings, "made before anybody needs it"


def test_concurrent_requests_open_a_map_once_and_others_do_not_wait(
    workspace: Workspace, mapped: str, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = layout_builder.build(workspace, method="pca", scope="best").id
    go_on, begun, real = threading.Event(), [], view_cache._open

    def slowly(*asked: object) -> MapView:
        begun.append(asked)
        if asked[1] == mapped:
            go_on.wait(20)
        return real(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr(view_cache, "_open", slowly)
    with ThreadPoolExecutor(3) as pool:
        both = [pool.submit(view_cache.current_view, workspace, mapped) for _ in range(2)]
        for work in (
            lambda: list_images(workspace, Query(attribute=watercolor.name)),
            lambda: categories(workspace, "project"),
            lambda: dimensions(workspace),
            lambda: view_cache.current_view(workspace, other),
        ):
            assert pool.submit(work).result(10) is not None
        assert not any(each.done() for each in both)
        go_on.set()
        one, two = (each.result(10) for each in both)
    assert one is two
    assert len(begun) == 2, "each map once"


def test_the_cached_view_of_a_deleted_map_raises(
    workspace: Workspace, mapped: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = view_cache.current_view(workspace, mapped)
    monkeypatch.setattr(view_cache, "_CHECK_EVERY", 0.0)
    layout_store.delete(workspace, mapped)
    with pytest.raises(NotFound):
        caught_up(workspace, mapped, view)


def test_a_selection_is_coloured_and_an_unknown_one_rejected(workspace: Workspace, mapped: str) -> None:
    view = view_cache.current_view(workspace, mapped)
    chosen = selections.save(workspace, [0, 1, 2])
    assert view.selected(chosen).sum() == 3
    assert view.tile("density", 0, 0, 0, only=chosen) != view.tile("density", 0, 0, 0)
    with pytest.raises(NotFound):
        view.tile("density", 0, 0, 0, only="0" * 20)


def test_a_tile_comes_from_the_disk_the_second_time_but_not_with_a_picture_missing(
    workspace: Workspace, mapped: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> bytes:
        raise CollectionError("the file is gone")

    view = view_cache.current_view(workspace, mapped)
    tiles = workspace.cache / "tiles"

    def stored() -> set[Path]:
        return set(tiles.glob("*/*"))

    first = view.tile("density", 0, 0, 0)
    (path,) = stored()
    file, other = path.read_bytes(), b"from the disk"
    assert file.startswith(first)
    path.write_bytes(other + file[-24:-8] + zlib.crc32(other).to_bytes(4, "little") + file[-4:])
    assert view.tile("density", 0, 0, 0) == b"from the disk"
    z = view.picture_from_zoom
    shown = view.image_at(0.5, 0.5, 1.0)
    assert shown is not None
    x, y = (min(int(shown[axis] * 2**z), 2**z - 1) for axis in "xy")
    workspace.sprites.close()
    workspace.sprites.path.unlink()
    monkeypatch.setattr(Thumbnails, "read", lambda *_: None)
    monkeypatch.setattr(Thumbnails, "ensure", gone)
    view.tile("pictures-density", z, x, y)
    assert stored() == {path}


def test_the_description_of_an_image_has_its_three_highest_scores(
    workspace: Workspace, mapped: str, watercolor: Attribute
) -> None:
    view = view_cache.current_view(workspace, mapped)
    payload = view.image_at(float(view.source.x[0]), float(view.source.y[0]), 0.0)
    assert payload is not None
    (line,) = payload["scores"]
    assert line["name"] == "watercolor (media)"
    assert line["score"] == pytest.approx(float(models.scores_of(workspace, watercolor)[payload["row"]]))
    assert line["accepted"] in (True, False, None)
    assert line["probability"] is None or 0 <= line["probability"] <= 1


def test_a_map_is_cached_and_its_version_changes_with_the_threshold(played: Workspace, watercolor: Attribute) -> None:
    built = layout_builder.build(played, method="pca")
    assert [record.id for record in layout_store.list_layouts(played)] == [built.id]
    before = view_cache.current_view(played, built.id)
    assert len(before) == len(played.catalogue)
    thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.5))
    assert view_cache.current_view(played, built.id, fresh=True).version != before.version
    with pytest.raises(NotFound, match="There is no map"):
        view_cache.current_view(played, "../../etc")
