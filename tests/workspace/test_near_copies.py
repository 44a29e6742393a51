"""One definition of near-duplicates: copies of each kind are found with any encoder, and different pictures are not."""

from pathlib import Path

import numpy as np
import pytest

from bam_engine import learning
from bam_engine.collection import ingest_folder
from bam_engine.embedding import encoder_key
from bam_engine.gallery import near_duplicates
from bam_engine.learning.picture_comparison import look_of
from bam_engine.workspace import Workspace, near_copies
from bam_engine.workspace.encoders import EncoderChoice
from bam_engine.workspace.vectors import embed_collection, vectors_of
from benchmarks.copied_pictures import KINDS, write_copies
from tests.learning.test_picture_comparison import CHANGED_MORE, dial, scene

ORIGINALS = 8


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[Path, int, str]]]:
    """Scenes and clocks, and copies of the scenes."""
    folder = tmp_path_factory.mktemp("copies")
    (folder / "originals").mkdir()
    paths = [folder / "originals" / f"{number}.png" for number in range(ORIGINALS)]
    for number, path in enumerate(paths):
        scene(number).save(path, compress_level=1)  # other bytes than those of a copy
    for hour in range(12):
        dial(hour).save(folder / "originals" / f"clock-{hour}.png")
    return folder, write_copies(paths, folder)


@pytest.fixture(scope="module", params=["builtin", "combined"])
def searched(
    request: pytest.FixtureRequest,
    pictures: tuple[Path, list[tuple[Path, int, str]]],
    tmp_path_factory: pytest.TempPathFactory,
):
    home = tmp_path_factory.mktemp("searched")
    workspace = Workspace(home / "workspace", home / "cache")
    workspace.encoders.choose(EncoderChoice(request.param, None, encoder_key(request.param)))
    for folder in (pictures[0] / "originals", pictures[0]):  # a group is what resembles its lowest row
        ingest_folder(workspace.catalogue, workspace.thumbnails, folder)
    embed_collection(workspace)
    near_duplicates.find_groups(workspace)
    yield workspace
    workspace.close()


def rows_of(workspace: Workspace, folder: Path, names: list[str]) -> list[int]:
    found = workspace.catalogue.rows_of({str(folder / "originals" / name) for name in names})
    return [found[str(folder / "originals" / name)] for name in names]


def test_each_kind_of_copy_is_in_the_group_of_its_original(searched: Workspace, pictures) -> None:
    folder, written = pictures
    originals = rows_of(searched, folder, [f"{number}.png" for number in range(ORIGINALS)])
    rows, groups = searched.catalogue.rows_of({str(file) for file, _, _ in written}), near_duplicates.group_of(searched)
    for kind in KINDS:
        found = [
            groups[rows[str(file)]] == groups[originals[place]]
            for file, place, one in written
            if one == kind and str(file) in rows
        ]
        if kind not in CHANGED_MORE:
            assert np.mean(found) > 0.5, kind
        if kind == "mirrored":
            assert not any(found)


def test_different_pictures_are_in_different_groups_and_do_not_chain(searched: Workspace, pictures) -> None:
    names = [f"{number}.png" for number in range(ORIGINALS)] + [f"clock-{hour}.png" for hour in range(12)]
    rows = rows_of(searched, pictures[0], names)
    assert len(set(near_duplicates.group_of(searched)[rows].tolist())) == len(rows)
    assert len(set(near_duplicates.linked_images(searched)[rows].tolist())) == len(rows), "splits may part them"


def test_what_teaches_is_found_again_without_a_search(searched: Workspace, pictures) -> None:
    folder, written = pictures
    originals = np.array(rows_of(searched, folder, [f"{number}.png" for number in range(ORIGINALS)]))
    rows = searched.catalogue.rows_of({str(file) for file, _, _ in written})
    small = [rows[str(file)] for file, _, kind in written if kind == "half the size"]
    assert near_copies.copied(searched, np.array(small), originals).all()
    assert not near_copies.copied(searched, originals[:4], originals[4:]).any()
    assert near_copies.copied(searched, originals[:0], originals).shape == (0,)


def test_how_far_a_group_is_apart_is_that_of_its_pictures(searched: Workspace) -> None:
    found = near_duplicates.last_search(searched)
    assert found is not None
    assert found.distances.max() <= 1
    assert (found.distances[found.groups == np.arange(len(found.groups))] == 0).all()
    comparison = near_copies.Comparison(searched)
    rows = np.flatnonzero((found.distances > 0) & (found.identical == np.arange(len(found.groups))))[:20]
    assert len(rows) == 20
    assert comparison(np.column_stack([found.groups[rows], rows])) == pytest.approx(found.distances[rows])
    comparison.close()


@pytest.mark.parametrize("seed", range(5))
def test_pairs_left_uncompared_change_no_group_and_no_link(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    rng, n = np.random.default_rng(seed), 60
    pairs = learning.unique_pairs(np.sort(rng.integers(0, n, (300, 2)), axis=1).astype(np.int32))
    pairs = pairs[pairs[:, 0] < pairs[:, 1]]
    apart = {tuple(pair): float(rng.random() * 3) for pair in pairs.tolist()}

    class Known(near_copies.Comparison):
        def __call__(self, block: np.ndarray) -> np.ndarray:
            return np.array([apart[tuple(pair)] for pair in block.tolist()], np.float32)

    monkeypatch.setattr(near_copies, "Comparison", Known)
    monkeypatch.setattr(near_copies, "_BLOCK", 7)
    kept, distances = near_copies.confirmed(workspace, pairs, n)
    every = np.array([pair for pair in pairs.tolist() if apart[tuple(pair)] <= 1], np.int32)
    assert distances.tolist() == pytest.approx([apart[tuple(pair)] for pair in kept.tolist()])
    assert len(kept) < len(every), "some are not compared"
    first = np.arange(n, dtype=np.int32)
    assert np.array_equal(learning.representatives(first, kept), learning.representatives(first, every))
    assert np.array_equal(learning.linked_rows(kept, n), learning.linked_rows(every, n))


def test_pictures_without_anything_to_compare_are_no_copies_by_their_looks() -> None:
    grey, stripes, board = (np.full((256, 256, 3), 128, np.uint8) for _ in range(3))
    stripes[:] = np.where(np.arange(256) // 2 % 2, 0, 255)[None, :, None]
    board[:] = np.where((np.arange(256)[:, None] + np.arange(256)) % 2, 0, 255)[:, :, None]
    looks = [look_of(each) for each in (grey, stripes, board)]
    assert all(look.plain for look in looks), "the pixels of a look are coarser than the pattern"
    drawn = np.random.default_rng(0).integers(0, 255, (8, 8, 3), np.uint8).repeat(32, 0).repeat(32, 1)
    assert not look_of(drawn).plain


def test_what_was_compared_for_one_label_is_not_compared_again_for_the_next(
    searched: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[int, int]] = []
    compare = near_copies.Comparison.__call__
    monkeypatch.setattr(
        near_copies.Comparison,
        "__call__",
        lambda self, pairs: compared.extend(map(tuple, pairs.tolist())) or compare(self, pairs),
    )
    n = len(searched.catalogue)
    rows, others = np.arange(0, n, 2), np.arange(1, n, 2)
    first = near_copies.copied(searched, rows, others[:-1])
    assert compared
    again = near_copies.copied(searched, rows, others)
    assert (first <= again).all()
    assert len(compared) == len(set(compared)), "no pair is compared twice"


def test_where_vectors_give_too_many_pairs_copies_by_their_outlines_are_compared_first(
    searched: Workspace, pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "MAX_PAIRS", 1)  # reached by the first table
    search = learning.NearDuplicateSearch(vectors_of(searched), near_copies.VECTORS)
    pairs = near_duplicates._candidates(searched, search, "limited", lambda *_: None).tolist()
    folder, written = pictures
    originals = rows_of(searched, folder, [f"{number}.png" for number in range(ORIGINALS)])
    rows = searched.catalogue.rows_of({str(file) for file, _, _ in written})
    halves = [(originals[number], rows[str(file)]) for file, number, kind in written if kind == "half the size"]
    found = sum(sorted(pair) in pairs or search.first[pair[0]] == search.first[pair[1]] for pair in halves)
    assert found >= len(halves) / 2
