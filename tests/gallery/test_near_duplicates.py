"""Near-duplicates: the search is stored and resumed, and groups the listing."""

import numpy as np
import pytest

from bam_engine import learning
from bam_engine.collection import NewImage
from bam_engine.errors import NotFound, Stopped
from bam_engine.gallery import near_duplicates
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import vectors_of


def with_copies(workspace: Workspace) -> None:
    """Let rows 40 to 44 be copies of row 3 and row 50 one of row 9."""
    vectors = vectors_of(workspace).copy()
    workspace.vectors().replace([40, 41, 42, 43, 44, 50], vectors[[3, 3, 3, 3, 3, 9]])


def test_each_image_is_its_representative_or_a_near_duplicate_of_it(workspace: Workspace) -> None:
    with_copies(workspace)
    result = near_duplicates.find_groups(workspace)
    groups = near_duplicates.group_of(workspace)
    assert groups.dtype == np.int32
    assert groups.shape == (120,)
    assert (groups[[3, 40, 41, 42, 43, 44]] == groups[3]).all()
    assert groups[50] == groups[9]
    assert (groups <= np.arange(120)).all()
    assert (groups[groups] == groups).all()
    assert result.searched == 120
    assert result.folded == int((groups != np.arange(120)).sum()) >= 6
    assert result.groups == len(set(groups[groups != np.arange(120)].tolist()))
    assert set(near_duplicates.duplicates_of(workspace, 41)) >= {3, 40, 42, 43, 44}
    assert 41 not in near_duplicates.duplicates_of(workspace, 41)


def test_a_list_is_folded_in_its_order_with_counts(workspace: Workspace) -> None:
    with_copies(workspace)
    near_duplicates.find_groups(workspace)
    rows, counts = near_duplicates.fold(workspace, [50, 42, 7, 3, 40, 9])
    assert rows.tolist() == [50, 42, 7]
    assert counts.tolist() == [2, 3, 1]
    rows, counts = near_duplicates.fold(workspace, [])
    assert rows.tolist() == counts.tolist() == []


def test_before_the_search_an_error_says_so(workspace: Workspace) -> None:
    assert not near_duplicates.has_groups(workspace)
    assert near_duplicates.duplicates_of(workspace, 3).tolist() == []
    with pytest.raises(NotFound, match="Search for them"):
        near_duplicates.group_of(workspace)


def test_images_added_later_represent_themselves(workspace: Workspace) -> None:
    with_copies(workspace)
    near_duplicates.find_groups(workspace)
    workspace.catalogue.add([NewImage("/x/new.png", 4, 4, "new")])
    groups = near_duplicates.group_of(workspace)
    assert groups.shape == (121,)
    assert groups[120] == 120
    assert groups[40] == groups[3]
    assert near_duplicates.fold_summary(workspace).newer == 1


def test_a_stopped_search_resumes_after_its_last_table(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    with_copies(workspace)
    asked: list[int] = []
    table = learning.NearDuplicateSearch.find_pairs

    def watched(self: learning.NearDuplicateSearch, number: int) -> np.ndarray:
        asked.append(number)
        return table(self, number)

    def stop(done: int, total: int | None, message: str = "") -> None:
        if done == 5:
            raise Stopped("enough")

    monkeypatch.setattr(learning.NearDuplicateSearch, "find_pairs", watched)
    with pytest.raises(Stopped):
        near_duplicates.find_groups(workspace, report=stop)
    assert not near_duplicates.has_groups(workspace)
    assert asked == [0, 1, 2, 3]
    near_duplicates.find_groups(workspace)
    outlines = len(asked) - learning.TABLES
    assert asked == [*range(outlines), *range(learning.TABLES)], "no table of outlines or vectors is done twice"
    resumed = near_duplicates.group_of(workspace).copy()
    near_duplicates.find_groups(workspace)
    assert np.array_equal(near_duplicates.group_of(workspace), resumed)


def test_a_stopped_search_of_other_vectors_or_a_damaged_one_starts_again(workspace: Workspace) -> None:
    def stop(done: int, total: int | None, message: str = "") -> None:
        if done == 3:
            raise Stopped("enough")

    with pytest.raises(Stopped):
        near_duplicates.find_groups(workspace, report=stop)
    workspace.vectors().replace([5], np.zeros((1, workspace.vectors().dim)))
    near_duplicates.find_groups(workspace)
    assert near_duplicates.group_of(workspace)[5] == 5
    with pytest.raises(Stopped):
        near_duplicates.find_groups(workspace, report=stop)
    next(workspace.cache.glob("near/*/tables.npz")).write_bytes(b"half of a fi")
    assert near_duplicates.find_groups(workspace).searched == 120
