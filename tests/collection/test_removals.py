"""Removals: what is removed is out, undo is exact, and nothing is deleted."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bam_engine.annotation.annotator_store import Annotators
from bam_engine.collection import Catalogue, Thumbnails, ingest_folder
from bam_engine.collection.catalogue import NewImage
from bam_engine.collection.missing_files import find_missing
from bam_engine.collection.removals import Removals
from bam_engine.database import images, open_database
from bam_engine.errors import CollectionError, NotFound

N = 8


def fill(engine: sa.Engine) -> Removals:
    Catalogue(engine).add([NewImage(f"/{row}.png", 1, 1, f"digest {row}") for row in range(N)])
    return Removals(engine)


@pytest.fixture
def removals(database: sa.Engine) -> Removals:
    return fill(database)


def out(removals: Removals) -> set[int]:
    rows = removals.removed().rows
    assert np.array_equal(rows, np.unique(rows))
    return set(rows.tolist())


ROWS = st.sets(st.integers(0, N - 1), min_size=1)
STEP = st.tuples(st.sampled_from(["remove", "undo", "return"]), ROWS, st.integers(0, 5))


@settings(max_examples=15, deadline=None)
@given(st.lists(STEP, max_size=12))
def test_an_image_is_out_from_its_removal_to_its_return(steps: list[tuple[str, set[int], int]]) -> None:
    removals = fill(open_database("sqlite://"))
    made: list[tuple[int, set[int]]] = []  # each removal with the images that are out because of it
    sizes: dict[int, int] = {}
    for action, rows, which in steps:
        if action == "remove":
            new = rows - out(removals)
            if not new:
                with pytest.raises(CollectionError):
                    removals.remove(rows, reason="again")
                continue
            one = removals.remove(rows, reason="some")
            assert one.images == len(new)
            made.append((one.id, new))
            sizes[one.id] = len(new)
        elif action == "undo" and made:
            key, own = made[which % len(made)]
            assert removals.undo(key) == len(own)
            own.clear()
        elif action == "return":
            expected = len(rows & out(removals))
            assert removals.bring_back(rows) == expected
            for _, own in made:
                own -= rows
        assert out(removals) == set().union(*(own for _, own in made))
        assert {one.id: one.images for one in removals.all()} == {key: len(own) for key, own in made}
        assert all(one.images + sum(back.images for back in one.returns) == sizes[one.id] for one in removals.all())


def test_removing_deletes_no_image(removals: Removals, database: sa.Engine) -> None:
    def stored() -> list[sa.Row]:
        with database.connect() as connection:
            return list(connection.execute(sa.select(images).order_by(images.c.row)))

    before = stored()
    removal = removals.remove(range(N), reason="all")
    assert stored() == before
    assert removals.rows_of(removal.id).tolist() == list(range(N))


def test_equal_sets_of_removed_images_have_equal_versions(removals: Removals) -> None:
    assert removals.removed().version == 0
    first = removals.remove([1, 2], reason="two")
    version = removals.removed().version
    removals.undo(first.id)
    assert removals.removed().version == 0
    removals.remove([2], reason="one")
    assert removals.removed().version not in (0, version)
    removals.remove([1], reason="the other")
    assert removals.removed().version == version


def test_rows_that_do_not_exist_are_not_removed(removals: Removals) -> None:
    assert removals.remove([N - 1, N, -1], reason="beyond").images == 1
    with pytest.raises(CollectionError, match="in the collection"):
        removals.remove([N], reason="beyond")
    with pytest.raises(NotFound):
        removals.undo(99)


def test_files_are_missing_if_they_do_not_exist_and_not_if_nobody_may_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").touch()
    paths = [str(tmp_path / name) for name in ("there", "gone", "there/below", "closed")]
    real = os.stat

    def stat(path: str, **options: bool) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return real(path, **options)

    monkeypatch.setattr(os, "stat", stat)
    assert find_missing(paths).tolist() == [1, 2]


def test_a_removal_says_who_removed_the_images_and_who_brought_which_back(database: sa.Engine) -> None:
    removals, people = fill(database), Annotators(database)
    ada, ben = people.actor("Ada"), people.actor(" ben ")
    assert people.actor("ada") == ada
    first = removals.remove([1, 2, 3], reason="covers", by=ada)
    second = removals.remove([4], reason="one more")
    assert removals.bring_back([2, 4, 5], by=ben) == 2
    assert removals.undo(first.id) == 2
    newest, oldest = removals.all()
    assert (oldest.annotator_id, [(one.images, one.annotator_id) for one in oldest.returns]) == (
        ada,
        [(1, ben), (2, None)],
    )
    assert (newest.id, newest.annotator_id, [one.images for one in newest.returns]) == (second.id, None, [1])
    people.rename(ada, "Ada L.")
    words = oldest.history(people.names())
    day = oldest.made_at[:10]
    assert words == f"removed by Ada L. on {day}; 1 brought back by ben on {day}; 2 brought back on {day}"
    assert removals.undo(first.id) == 0
    assert len(removals.all()[1].returns) == 2  # nothing came back, so nothing is recorded


def test_whoever_is_archived_can_remove_images_without_answering(database: sa.Engine) -> None:
    removals, people = fill(database), Annotators(database)
    people.archive(people.actor("Ada"))
    assert removals.remove([1], reason="one", by=people.actor("Ada")).annotator_id == people.actor("Ada")


def test_an_ingest_counts_the_files_that_hold_removed_images(database: sa.Engine, tmp_path: Path) -> None:
    catalogue, thumbnails, removals = Catalogue(database), Thumbnails(tmp_path / "thumbnails"), Removals(database)
    folder = tmp_path / "pile"
    folder.mkdir()
    for number in range(5):
        pixels = np.random.default_rng(number).integers(0, 256, (20, 20, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")

    def add() -> int:
        return ingest_folder(catalogue, thumbnails, folder).removed

    assert add() == 0
    uris = catalogue.uris()
    removal = removals.remove([uris.index(str(folder / f"{number}.png")) for number in (0, 1, 2)], reason="three")
    assert add() == 3  # known files
    (folder / "0.png").rename(folder / "moved.png")
    shutil.copy(folder / "1.png", folder / "copy.png")
    (folder / "2.png").unlink()
    assert add() == 3  # one moved, one where it was, and its copy
    assert len(removals.removed().rows) == 3
    removals.undo(removal.id)
    assert add() == 0
