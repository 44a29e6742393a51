"""Names on a map come from decisions, titles and projects, and follow their changes."""

import json
import re
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bam_engine.annotation import Attribute
from bam_engine.collection import NewImage, ingest_folder
from bam_engine.errors import DiskFull, NotFound
from bam_engine.maps import layout_builder, layout_store, regions, title_words
from bam_engine.training import models, thresholds
from bam_engine.training.thresholds import current_threshold
from bam_engine.workspace import Workspace
from tests.conftest import Oracle


@pytest.fixture
def islands(workspace: Workspace) -> layout_store.LayoutRecord:
    """A map of the pictures in two crowds: the watercolours on the left, the others on the right."""
    left = np.array([watercolour(workspace, row) for row in range(120)])
    rng = np.random.default_rng(0)
    places = np.array([0.75, 0.5]) + 0.02 * rng.normal(size=(120, 2))
    places[left, 0] -= 0.5
    record = layout_store.LayoutRecord("pca-collection-x", "pca", "collection", workspace.choice.key, 120, 0, 0.0, 1.0)
    return layout_store.save(workspace, record, places.astype(np.float32), np.arange(120), {})


def watercolour(workspace: Workspace, row: int) -> bool:
    return "usda_pomological" in workspace.catalogue.image(row).uri


def describe(workspace: Workspace, **details: object) -> None:
    """Give every picture of a crowd the same detail: ``left`` to watercolours, ``right`` to the others."""
    (name, (left, right)) = next(iter(details.items()))
    images = [workspace.catalogue.image(row) for row in range(120)]
    workspace.catalogue.update_details(
        {image.uri: {name: left if watercolour(workspace, image.row) else right} for image in images}
    )


def wait(workspace: Workspace, map_id: str) -> tuple[regions.Region, ...]:
    """Wait for the names that are looked for in the background."""
    regions.regions_of(workspace, map_id)
    end = time.monotonic() + 60
    while workspace.jobs.is_running(f"names-{map_id}"):
        assert time.monotonic() < end
        time.sleep(0.02)
    return regions.regions_of(workspace, map_id)


def test_words_of_titles_name_the_crowd_that_has_them(workspace: Workspace, islands: layout_store.LayoutRecord) -> None:
    describe(workspace, title=("A Harvest of 1908", "the Jam of 3-D"))
    result = regions.refresh(workspace, islands.id)
    assert {region.name for region in result} == {"harvest", "jam"}
    for region in result:
        assert (region.x < 0.5) == (region.name == "harvest")
        assert region.from_zoom <= region.to_zoom
        match = re.fullmatch(
            r"“(\w+)” in the title: 100% \(([\d.]+)–100%\) of (\d+) images here, 0% \(0–[\d.]+%\) elsewhere",
            region.why,
        )
        assert match is not None, region.why
        assert int(match[3]) == region.count
        assert float(match[2]) < 100
    assert regions.regions_of(workspace, islands.id) == result


def test_accepted_images_name_a_crowd_and_other_decisions_rename_it(
    workspace: Workspace, islands: layout_store.LayoutRecord, watercolor: Attribute, oracle: Oracle
) -> None:
    describe(workspace, title=("x", "y"))
    oracle.play(workspace, watercolor, count=2)
    likely = regions.refresh(workspace, islands.id)
    assert any(region.why.startswith("watercolor (likely; no threshold chosen): ") for region in likely)
    thresholds.save(workspace, watercolor, thresholds.suggest(workspace, watercolor, target=0.9))
    stale = regions.regions_of(workspace, islands.id)
    assert stale == likely, "the old names stay until there are new ones"
    result = wait(workspace, islands.id)
    (coarse,) = [region for region in result if region.name == "watercolor" and region.from_zoom <= 2][:1]
    assert coarse.x < 0.5
    threshold = current_threshold(workspace, watercolor)
    assert threshold is not None
    accepted = np.flatnonzero(models.scores_of(workspace, watercolor) >= threshold.value)
    places, rows = layout_store.points_of(workspace, islands.id)
    share = np.isin(rows[places[:, 0] < 0.5], accepted).mean()
    assert abs(float(coarse.why.split(": ")[1].split("%")[0]) / 100 - share) < 0.15


def test_a_project_names_a_region_although_it_is_one_author(
    workspace: Workspace, islands: layout_store.LayoutRecord
) -> None:
    describe(workspace, project_id=("orchard", None))
    describe(workspace, title=("x", "y"))
    result = regions.refresh(workspace, islands.id)
    assert {(region.name, region.x < 0.5) for region in result} == {("orchard", True)}
    assert result[0].why.startswith("project orchard: 100% (")


def test_without_a_distinctive_trait_there_is_no_name(workspace: Workspace, islands: layout_store.LayoutRecord) -> None:
    describe(workspace, title=("one of all", "one of all"))
    assert regions.refresh(workspace, islands.id) == ()


def test_names_come_with_the_map_and_from_its_folder(workspace: Workspace) -> None:
    record = layout_builder.build(workspace, method="pca")
    stored = json.loads((layout_store.folder_of(workspace, record.id) / "regions.json").read_text())
    result = regions.regions_of(workspace, record.id)
    assert [regions.Region(**one) for one in stored["regions"]] == list(result)
    assert workspace.jobs.get(f"names-{record.id}") is None
    workspace.memory.clear()
    (layout_store.folder_of(workspace, record.id) / "regions.json").write_text("torn")
    assert regions.regions_of(workspace, record.id) == ()
    assert wait(workspace, record.id) == result


def test_names_of_a_replaced_map_are_not_shown(workspace: Workspace, islands: layout_store.LayoutRecord) -> None:
    describe(workspace, title=("harvest", "jam"))
    assert regions.refresh(workspace, islands.id)
    layout_store.save(workspace, islands, np.full((120, 2), 0.5, np.float32), np.arange(120), {})
    assert regions.regions_of(workspace, islands.id) == ()
    assert wait(workspace, islands.id) == ()


def test_names_shown_at_a_zoom_do_not_overlap(workspace: Workspace, islands: layout_store.LayoutRecord) -> None:
    rng = np.random.default_rng(4)
    words = [word * 3 for word in "abcdefghij"]
    group = rng.integers(0, 10, 120)
    places = np.stack([0.3 + 0.03 * (group % 5), 0.3 + 0.01 * (group // 5)], axis=1) + 1e-3 * rng.normal(size=(120, 2))
    images = [workspace.catalogue.image(row) for row in range(120)]
    workspace.catalogue.update_details({image.uri: {"title": words[group[image.row]]} for image in images})
    tiled = np.repeat(np.arange(120), 40)
    layout_store.save(workspace, islands, places[tiled].astype(np.float32), tiled, {})
    result = regions.refresh(workspace, islands.id)
    assert len({region.name for region in result}) >= 5
    for zoom in range(10):
        shown = [region for region in result if region.from_zoom <= zoom <= region.to_zoom]
        boxes = [(one.x * 256 * 2**zoom, one.y * 256 * 2**zoom, 8 * len(one.name)) for one in shown]
        for number, (x, y, wide) in enumerate(boxes):
            for other_x, other_y, other_wide in boxes[:number]:
                assert abs(x - other_x) >= (wide + other_wide) / 2 or abs(y - other_y) >= 20


def test_words_are_read_again_when_titles_change_and_only_then(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe(workspace, title=("Old Harvest, harvest 1908", "jam"))
    result = title_words.words_of(workspace)
    row = next(row for row in range(120) if watercolour(workspace, row))
    match = [result.vocabulary[code] for code in result.codes[result.begin[row] : result.begin[row + 1]]]
    assert match == ["old", "harvest"]
    assert len(result.begin) == 121
    workspace.memory.clear()
    monkeypatch.setattr(title_words, "_read", None)
    again = title_words.words_of(workspace)
    assert again.vocabulary == result.vocabulary
    np.testing.assert_array_equal(again.codes, result.codes)
    monkeypatch.undo()
    describe(workspace, title=("The full moon", "IMG final edit"))
    assert set(title_words.words_of(workspace).vocabulary) == {"full", "moon", "final", "edit"}
    describe(workspace, title=("pear", "jam"))
    assert set(title_words.words_of(workspace).vocabulary) == {"pear", "jam"}


def test_a_word_that_few_images_have_names_nothing_and_a_file_name_stands_in(workspace: Workspace) -> None:
    images = [workspace.catalogue.image(row) for row in range(120)]
    rare = {image.uri: {"title": "rarity"} for image in images[: title_words.MIN_IMAGES - 1]}
    workspace.catalogue.update_details({image.uri: {"title": None} for image in images} | rare)
    result = title_words.words_of(workspace)
    assert "rarity" not in result.vocabulary
    assert not any(character.isdigit() for word in result.vocabulary for character in word)
    assert result.codes.max(initial=-1) < max(1, len(result.vocabulary))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("pic0012", []),
        ("IMG_2031", []),
        ("DSC-0012 copy", []),
        ("emoji_u1f600", ["emoji"]),
        ("red_apple_12", ["red", "apple"]),
        ("Red apple (12)", ["red", "apple"]),
    ],
)
def test_fragments_of_file_names_are_no_words(
    workspace: Workspace, tmp_path: Path, name: str, words: list[str]
) -> None:
    folder = tmp_path / "named"
    folder.mkdir()
    for number in range(title_words.MIN_IMAGES):
        where = folder / str(number)
        where.mkdir()
        Image.new("RGB", (8, 8), (number, 0, 0)).save(where / f"{name}.png")
    ingest_folder(workspace.catalogue, workspace.thumbnails, folder)
    result = title_words.words_of(workspace)
    assert [result.vocabulary[code] for code in result.codes[result.begin[120] : result.begin[121]]] == words


def test_a_full_disk_and_a_missing_map_raise_errors(
    workspace: Workspace, islands: layout_store.LayoutRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotFound):
        regions.regions_of(workspace, "nowhere")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    with pytest.raises(DiskFull, match="Free some disk space"):
        regions.refresh(workspace, islands.id)


def test_images_added_after_the_words_were_cached_have_none(
    workspace: Workspace, islands: layout_store.LayoutRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = title_words.words_of(workspace)
    monkeypatch.setattr(title_words, "words_of", lambda _: old)
    late = [NewImage(f"/nowhere/{number}.png", 9, 9, f"{number}", title="late") for number in range(3)]
    workspace.catalogue.add(late)
    layout_store.save(workspace, islands, np.full((123, 2), 0.5, np.float32), np.arange(123), {})
    assert regions.refresh(workspace, islands.id) == ()


def test_a_failed_naming_is_not_restarted_by_every_call(
    workspace: Workspace, islands: layout_store.LayoutRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[float] = []

    def fails(*_: object, **__: object) -> None:
        tried.append(time.monotonic())
        raise DiskFull("no room")

    def ask() -> None:
        regions.regions_of(workspace, islands.id)
        end = time.monotonic() + 10
        while workspace.jobs.is_running(f"names-{islands.id}"):
            assert time.monotonic() < end
            time.sleep(0.005)

    monkeypatch.setattr(regions, "refresh", fails)
    for _ in range(20):
        ask()
    assert len(tried) == 1
    monkeypatch.setattr(regions, "FIRST_WAIT", 0.2)
    waits = []
    for _ in range(3):
        before, began = len(tried), time.monotonic()
        while len(tried) == before:
            assert time.monotonic() < began + 10
            ask()
        waits.append(tried[-1] - tried[-2])
    assert waits[1] >= 0.4
    assert waits[2] >= 0.8
    describe(workspace, title=("other", "words"))
    before = len(tried)
    ask()
    assert len(tried) == before + 1, "for other words it is tried at once"
