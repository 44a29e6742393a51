"""Layouts coexist, are extended without moving, survive stops and full disks, and describe themselves."""

import json

import numpy as np
import pytest

from bam_engine.annotation import Attribute
from bam_engine.collection import NewImage
from bam_engine.errors import DiskFull, NotFound, ProjectionError, Stopped
from bam_engine.gallery import search, selections
from bam_engine.maps import layout_builder, layout_store, regions, view_cache
from bam_engine.maps.places import places_of
from bam_engine.projection.quality import measure
from bam_engine.reporting import image_facts
from bam_engine.training import models, rounds
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import embedded_rows, vectors_of
from tests.conftest import Oracle

SLOW = pytest.mark.slow  # libraries that compile for up to a minute
EVERY_METHOD = ["tsne", "pca", pytest.param("umap", marks=SLOW), pytest.param("pacmap", marks=SLOW)]


def points(workspace: Workspace, map_id: str) -> dict[int, tuple[float, float]]:
    places, rows = layout_store.points_of(workspace, map_id)
    assert len(places) == len(rows) == len(set(rows.tolist()))
    return {row: (x, y) for row, (x, y) in zip(rows.tolist(), places.tolist(), strict=True)}


def hide(workspace: Workspace, count: int) -> np.ndarray:
    """Take the last vectors away; return them, to be given back."""
    store = workspace.vectors()
    vectors = np.array(store.array())
    store.file.write_bytes(vectors[:-count].tobytes())
    return vectors[-count:]


def give_back(workspace: Workspace, vectors: np.ndarray) -> None:
    workspace.vectors().append(vectors)


@pytest.fixture
def two_scored(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> tuple[Attribute, Attribute]:
    """Two attributes with scores; the second is the first with another batch."""
    other = workspace.attributes.add("content_cat", "content", "Is it a cat?")
    oracle.play(workspace, watercolor, count=1)
    oracle.play(workspace, other, count=1, batch=16)
    return watercolor, other


@pytest.mark.parametrize("method", EVERY_METHOD)
def test_new_images_are_placed_on_the_map_and_no_other_moves(workspace: Workspace, method: str) -> None:
    later = hide(workspace, 20)
    record = layout_builder.build(workspace, method=method)
    before = points(workspace, record.id)
    version = view_cache.current_view(workspace, record.id).version
    assert (record.n, layout_builder.count_unplaced(workspace, record)) == (100, 0)
    give_back(workspace, later)
    assert layout_builder.count_unplaced(workspace, record) == 20
    grown = layout_builder.extend(workspace, record.id)
    after = points(workspace, record.id)
    assert (grown.id, grown.n, layout_builder.count_unplaced(workspace, grown)) == (record.id, 120, 0)
    assert {row: after[row] for row in before} == before
    assert set(after) == set(embedded_rows(workspace).tolist())
    assert len({after[row] for row in set(after) - set(before)}) > 1
    assert view_cache.current_view(workspace, record.id, fresh=True).version != version
    assert len(view_cache.current_view(workspace, record.id)) == 120
    assert grown.quality is not None
    assert grown.quality.against == 120
    assert layout_store.list_layouts(workspace) == [grown]
    assert layout_builder.extend(workspace, record.id) == grown, "nothing new: nothing is done"


def test_a_stopped_extension_leaves_the_map_unchanged(workspace: Workspace) -> None:
    later = hide(workspace, 20)
    record = layout_builder.build(workspace, method="pca")
    before = points(workspace, record.id)
    give_back(workspace, later)

    def stop(*_: object) -> None:
        raise Stopped("asked to stop")

    with pytest.raises(Stopped):
        layout_builder.extend(workspace, record.id, report=stop)
    assert points(workspace, record.id) == before
    assert layout_store.list_layouts(workspace) == [record]


@pytest.mark.slow
def test_maps_of_other_methods_and_scopes_coexist(
    workspace: Workspace, two_scored: tuple[Attribute, Attribute]
) -> None:
    first = selections.save(workspace, range(5, 40))
    second = selections.save(workspace, range(5, 41))
    built = [
        layout_builder.build(workspace, method="pca"),
        layout_builder.build(workspace, method="pca", scope="best", best=10),
        layout_builder.build(workspace, method="pca", scope="selection", selection=first),
        layout_builder.build(workspace, method="pca", scope="selection", selection=second),
        layout_builder.build(workspace, method="pacmap", scope="selection", selection=second),
        layout_builder.build(workspace, method="scores", attributes=["media_watercolor", "content_cat"]),
        layout_builder.build(workspace, method="scores", attributes=["content_cat", "media_watercolor"]),
        layout_builder.build(workspace, method="scores", attributes=["content_cat", "media_watercolor"], by="value"),
    ]
    assert sorted(record.id for record in layout_store.list_layouts(workspace)) == sorted(
        {record.id for record in built}
    )
    assert len(layout_store.list_layouts(workspace)) == len(built)
    assert set(points(workspace, built[2].id)) == set(range(5, 40))
    again = layout_builder.build(workspace, method="pca", scope="selection", selection=first)
    assert again.id == built[2].id
    assert len(layout_store.list_layouts(workspace)) == len(built)
    layout_store.delete(workspace, again.id)
    assert again.id not in {record.id for record in layout_store.list_layouts(workspace)}
    with pytest.raises(NotFound, match="or make one"):
        layout_store.points_of(workspace, again.id)


def test_the_last_deleted_map_can_be_restored(workspace: Workspace) -> None:
    with pytest.raises(NotFound, match="no deleted map"):
        layout_store.restore(workspace)
    first, second = (layout_builder.build(workspace, method=method) for method in ("pca", "pacmap"))
    before = [part.copy() for part in layout_store.points_of(workspace, second.id)]
    layout_store.delete(workspace, first.id)
    layout_store.delete(workspace, second.id)
    layout_store.delete(workspace, "nothing")
    assert layout_store.list_layouts(workspace) == []
    assert layout_store.last_deleted(workspace) == second
    assert layout_store.restore(workspace) == second
    assert layout_store.list_layouts(workspace) == [second]
    for part, was in zip(layout_store.points_of(workspace, second.id), before, strict=True):
        np.testing.assert_array_equal(part, was)
    assert layout_store.last_deleted(workspace) is None, "of the first nothing is left"


def test_a_restored_map_does_not_replace_a_newer_one(workspace: Workspace) -> None:
    record = layout_builder.build(workspace, method="pca")
    layout_store.delete(workspace, record.id)
    again = layout_builder.build(workspace, method="pca")
    assert again.id == record.id
    with pytest.raises(NotFound, match="the new one stays"):
        layout_store.restore(workspace)
    assert layout_store.list_layouts(workspace) == [again]


def test_a_map_of_two_scores_puts_the_higher_score_right_and_up_and_names_its_axes(
    workspace: Workspace, two_scored: tuple[Attribute, Attribute]
) -> None:
    record = layout_builder.build(workspace, method="scores", attributes=["media_watercolor", "content_cat"])
    places, rows = layout_store.points_of(workspace, record.id)
    for axis, attribute in enumerate(two_scored):
        scores = models.scores_of(workspace, attribute)[rows]
        along = places[:, 0] if axis == 0 else -places[:, 1]
        order = np.argsort(along, kind="stable")
        assert (np.diff(scores[order]) >= 0).all()
    assert record.axes == ("watercolor (media), by rank", "cat (content), by rank")
    assert record.title == "watercolor (media) and cat (content): 120 images"
    assert record.quality is None
    assert layout_builder.outdated_reason(workspace, record) == ""
    assert layout_store.list_layouts(workspace)[0] == record


def test_a_map_of_two_scores_says_when_the_scores_have_changed(
    workspace: Workspace, two_scored: tuple[Attribute, Attribute], oracle: Oracle
) -> None:

    record = layout_builder.build(workspace, method="scores", attributes=["media_watercolor", "content_cat"])
    oracle.answer(workspace, rounds.start_round(workspace, two_scored[0], count=10, seed=9).task)
    rounds.train(workspace, two_scored[0])
    assert "scores have changed" in layout_builder.outdated_reason(workspace, record)
    with pytest.raises(ProjectionError, match="scores have changed"):
        layout_builder.extend(workspace, record.id)


def test_new_images_are_placed_on_a_map_of_two_scores_by_their_scores(
    workspace: Workspace, two_scored: tuple[Attribute, Attribute]
) -> None:
    later = hide(workspace, 20)
    record = layout_builder.build(
        workspace, method="scores", attributes=["media_watercolor", "content_cat"], by="value"
    )
    before = points(workspace, record.id)
    give_back(workspace, later)
    assert layout_builder.count_unplaced(workspace, record) == 20
    grown = layout_builder.extend(workspace, record.id)
    after = points(workspace, record.id)
    assert grown.n == 120
    assert {row: after[row] for row in before} == before
    scores = models.scores_of(workspace, two_scored[0])
    inside = [row for row in after if min(scores[list(before)]) <= scores[row] <= max(scores[list(before)])]
    slope = np.polyfit(scores[inside], [after[row][0] for row in inside], 1)
    np.testing.assert_allclose(np.polyval(slope, scores[inside]), [after[row][0] for row in inside], atol=1e-5)


@pytest.mark.parametrize("method", ["tsne", "pca"])
def test_a_stopped_map_resumes_and_leaves_no_checkpoints(
    workspace: Workspace, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bam_engine.projection.layout.BLOCK", 10)
    payload: list[str] = []

    def stop(done: int, total: int | None, message: str = "") -> None:
        payload.append(message)
        if sum(message.startswith("placing") for message in payload) == 5:
            raise Stopped("asked to stop")

    with pytest.raises(Stopped):
        layout_builder.build(workspace, method=method, sample=60, report=stop)
    assert layout_store.list_layouts(workspace) == []
    (part,) = (workspace.cache / "layouts").glob("*.part")
    assert part.is_dir()
    resumed: list[str] = []
    record = layout_builder.build(workspace, method=method, sample=60, report=lambda *seen: resumed.append(seen[-1]))
    assert sum(message.startswith("placing") for message in resumed) == 12 - 4
    assert not any(message.startswith("t-SNE") for message in resumed)
    assert not part.exists()
    there = points(workspace, record.id)
    layout_store.delete(workspace, record.id)
    whole = layout_builder.build(workspace, method=method, sample=60)
    assert points(workspace, whole.id) == there
    assert (whole.fitted, whole.n) == (60, 120)


def test_a_stopped_map_whose_places_are_lost_places_its_images_again(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bam_engine.projection.layout.BLOCK", 10)

    def stop(done: int, total: int | None, message: str = "") -> None:
        if message.startswith("placing") and done > 4:
            raise Stopped("asked to stop")

    whole = points(workspace, layout_builder.build(workspace, method="pca", sample=60).id)
    with pytest.raises(Stopped):
        layout_builder.build(workspace, method="pca", sample=60, report=stop)
    (places,) = (workspace.cache / "layouts").glob("*.part/places.npy")
    content = places.read_bytes()
    for damaged in (content[:100], content[:128] + bytes(len(content) - 128)):
        places.write_bytes(damaged)
        with pytest.raises(Stopped):
            layout_builder.build(workspace, method="pca", sample=60, report=stop)
    assert points(workspace, layout_builder.build(workspace, method="pca", sample=60).id) == whole


def test_checkpoints_of_another_request_are_discarded(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bam_engine.projection.layout.BLOCK", 10)

    def stop(done: int, total: int | None, message: str = "") -> None:
        if message.startswith("placing") and done > 0:
            raise Stopped("asked to stop")

    with pytest.raises(Stopped):
        layout_builder.build(workspace, method="pca", sample=60, report=stop, seed=1)
    record = layout_builder.build(workspace, method="pca", sample=60, seed=2)
    there = points(workspace, record.id)
    layout_store.delete(workspace, record.id)
    assert points(workspace, layout_builder.build(workspace, method="pca", sample=60, seed=2).id) == there


def test_damaged_checkpoints_are_recomputed(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bam_engine.projection.layout.BLOCK", 10)
    whole = points(workspace, layout_builder.build(workspace, method="pca", sample=60).id)

    def stop(done: int, total: int | None, message: str = "") -> None:
        if message.startswith("placing") and done > 20:
            raise Stopped("asked to stop")

    with pytest.raises(Stopped):
        layout_builder.build(workspace, method="pca", sample=60, report=stop)
    (part,) = (workspace.cache / "layouts").glob("*.part")
    (part / "model.npz").write_bytes(b"torn")
    (part / "blocks.npz").write_bytes(b"")
    assert points(workspace, layout_builder.build(workspace, method="pca", sample=60).id) == whole


@pytest.mark.parametrize("what", ["numpy.savez", "numpy.lib.format.write_array_header_1_0"])
def test_a_full_disk_leaves_the_stored_map_unchanged(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    record = layout_builder.build(workspace, method="pca")
    before = points(workspace, record.id)
    files = sorted(path.name for path in layout_store.folder_of(workspace, record.id).iterdir())

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(what, full)
        with pytest.raises(DiskFull, match="Free some disk space"):
            layout_builder.build(workspace, method="pca", seed=5)
    assert points(workspace, record.id) == before
    assert layout_store.list_layouts(workspace) == [record]
    assert sorted(path.name for path in layout_store.folder_of(workspace, record.id).iterdir()) == files
    later = layout_builder.build(workspace, method="pca", seed=5)
    assert layout_store.list_layouts(workspace) == [later]


def test_the_quality_of_a_map_is_stored_and_matches_its_definition(workspace: Workspace) -> None:
    record = layout_builder.build(workspace, method="tsne", seed=3)
    places, rows = layout_store.points_of(workspace, record.id)
    expected = measure(vectors_of(workspace), rows, places, rng=np.random.default_rng(3))
    assert record.quality == expected
    assert layout_store.list_layouts(workspace)[0].quality == expected
    assert record.quality is not None
    assert record.quality.kept_low < record.quality.kept < record.quality.kept_high


def test_a_map_of_another_encoder_is_not_listed_and_cannot_be_extended(workspace: Workspace) -> None:
    record = layout_builder.build(workspace, method="pca")
    about = layout_store.folder_of(workspace, record.id) / "about.json"
    payload = json.loads(about.read_text())
    about.write_text(json.dumps({**payload, "encoder": "another", "from_a_later_version": 1}))
    assert layout_store.list_layouts(workspace) == []
    assert [one.id for one in layout_store.all_layouts(workspace)] == [record.id]
    assert layout_builder.count_unplaced(workspace, layout_store.layout_of(workspace, record.id)) == 0
    with pytest.raises(ProjectionError, match=r"Fast preview \(descriptors\) is in use"):
        layout_builder.extend(workspace, record.id)


def test_a_map_with_a_damaged_record_or_points_is_not_found(workspace: Workspace) -> None:
    record = layout_builder.build(workspace, method="pca")
    folder = layout_store.folder_of(workspace, record.id)
    (folder / f"places-{record.points}.npy").write_bytes(b"torn")
    with pytest.raises(NotFound, match=r"Make (it|the map) again"):
        layout_store.points_of(workspace, record.id)
    (folder / "about.json").write_text("{")
    assert layout_store.list_layouts(workspace) == []
    with pytest.raises(NotFound, match="There is no map"):
        layout_builder.extend(workspace, record.id)


def test_an_impossible_layout_raises_with_the_reason(workspace: Workspace, watercolor: Attribute) -> None:
    for asked, why in (
        ({"method": "wordle"}, "Choose a method of tsne, umap, pacmap, pca, scores"),
        ({"scope": "planet"}, "a scope of collection, best, selection"),
        ({"scope": "best"}, "Train a round first"),
        ({"scope": "selection"}, "needs a selection"),
        ({"method": "scores"}, "needs two attributes, not 0"),
        ({"method": "scores", "attributes": ["media_watercolor"] * 2}, "has no scores yet"),
    ):
        with pytest.raises(ProjectionError, match=why):
            layout_builder.build(workspace, **asked)
    with pytest.raises(NotFound):
        layout_builder.build(workspace, scope="selection", selection="0" * 20)
    with pytest.raises(NotFound):
        layout_builder.build(workspace, method="scores", attributes=["media_watercolor", "content_fish"])
    assert layout_store.list_layouts(workspace) == []
    assert list((workspace.cache / "layouts").glob("*")) == []


@pytest.mark.parametrize("count", [1, 2, 13])
@pytest.mark.parametrize("method", EVERY_METHOD)
def test_a_few_selected_images_make_a_map(workspace: Workspace, method: str, count: int) -> None:
    chosen = selections.save(workspace, range(count))
    record = layout_builder.build(workspace, method=method, scope="selection", selection=chosen)
    assert len(points(workspace, record.id)) == count
    assert regions.regions_of(workspace, record.id) == ()
    with pytest.raises(ProjectionError, match="cannot be extended"):
        layout_builder.extend(workspace, record.id)


def test_a_map_of_equal_vectors_cannot_be_extended(workspace: Workspace) -> None:
    store = workspace.vectors()
    store.replace(np.arange(120), np.tile(np.array(store.array()[:1]), (120, 1)))
    later = hide(workspace, 20)
    record = layout_builder.build(workspace, method="tsne")
    assert len(set(points(workspace, record.id).values())) == 100
    give_back(workspace, later)
    with pytest.raises(ProjectionError, match=r"Make (it|the map) again"):
        layout_builder.extend(workspace, record.id)


@pytest.mark.parametrize("said", [{"images": "of others"}, {"images": ""}, {"collected": 121}])
def test_a_map_of_other_images_is_not_opened(workspace: Workspace, said: dict[str, object]) -> None:
    record = layout_builder.build(workspace, method="pca")
    about = layout_store.folder_of(workspace, record.id) / "about.json"
    about.write_text(json.dumps(json.loads(about.read_text()) | said))
    assert layout_store.list_layouts(workspace) == []
    with pytest.raises(NotFound, match="There is no map"):
        points(workspace, record.id)
    layout_builder.build(workspace, method="pca")
    assert len(points(workspace, record.id)) == 120


def test_a_map_outlives_new_images(workspace: Workspace) -> None:
    record = layout_builder.build(workspace, method="pca")
    workspace.catalogue.add([NewImage("/later", 1, 1, "later")])
    assert layout_store.list_layouts(workspace) == [record]


def test_the_place_of_an_image_is_found_without_opening_a_map(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = layout_builder.build(workspace, method="pca")
    part = layout_builder.build(
        workspace, method="pca", scope="selection", selection=selections.save(workspace, range(20))
    )
    monkeypatch.setattr(view_cache, "current_view", None)
    for row, record in ((7, part), (60, whole)):
        result = image_facts.place_of(workspace, row)
        assert result is not None
        assert result.map_id == record.id
        assert (result.x, result.y) == pytest.approx(points(workspace, record.id)[row])
    assert image_facts.place_of(workspace, 10_000) is None
    asked = [5, -1, 10_000, 19, 20]
    places = places_of(workspace, part.id, asked)
    there = points(workspace, part.id)
    for row, place in zip(asked, places.tolist(), strict=True):
        assert place == pytest.approx(there.get(row, [np.nan, np.nan]), nan_ok=True)
    layout_store.delete(workspace, part.id)
    again = image_facts.place_of(workspace, 7)
    assert again is not None
    assert again.map_id == whole.id


def test_a_map_that_was_made_again_has_the_new_places(workspace: Workspace) -> None:
    record = layout_builder.build(workspace, method="pca")
    before = places_of(workspace, record.id, range(120))
    layout_store.save(workspace, record, np.full((120, 2), 0.25, np.float32), np.arange(120), {})
    assert not np.allclose(before, 0.25)
    assert np.allclose(places_of(workspace, record.id, range(120)), 0.25)


def test_a_map_of_the_best_images_holds_the_best_of_each_attribute(played: Workspace, watercolor: Attribute) -> None:
    record = layout_builder.build(played, method="pca", scope="best", best=10)
    rows = set(view_cache.current_view(played, record.id).source.rows.tolist())
    assert rows == set(search.ranking(played, watercolor)[:10].tolist())
    with pytest.raises(ProjectionError, match="Choose a method"):
        layout_builder.build(played, method="wordle")
