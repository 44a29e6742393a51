"""Selections: the same set has the same id, the store is bounded, and a wrong id raises."""

import os
from pathlib import Path

import numpy as np
import pytest

from bam_engine.errors import BamError, NotFound
from bam_engine.gallery import selections
from bam_engine.workspace import Workspace


def test_rows_are_returned_ascending_and_unique(workspace: Workspace) -> None:
    result = selections.rows_of(workspace, selections.save(workspace, [5, 2, 5, 9]))
    assert result.tolist() == [2, 5, 9]
    assert result.dtype == np.int64


def test_the_same_set_has_the_same_id_and_another_set_another(workspace: Workspace) -> None:
    first = selections.save(workspace, [1, 2])
    assert selections.save(workspace, np.array([2, 1, 1])) == first
    assert selections.save(workspace, [1, 3]) != first


def test_a_selection_outlives_the_process_but_not_the_cache(workspace: Workspace) -> None:
    name = selections.save(workspace, [1, 2])
    workspace.memory.clear()
    assert selections.rows_of(workspace, name).tolist() == [1, 2]
    workspace.memory.clear()
    for file in (workspace.cache / "selections").iterdir():
        file.unlink()
    with pytest.raises(NotFound, match="Select the images again"):
        selections.rows_of(workspace, name)


def test_an_empty_selection_is_one(workspace: Workspace) -> None:
    assert selections.rows_of(workspace, selections.save(workspace, [])).tolist() == []


@pytest.mark.parametrize("rows", [[-1], [120]])
def test_rows_outside_the_collection_are_rejected(workspace: Workspace, rows: list[int]) -> None:
    with pytest.raises(BamError, match="0 to 119"):
        selections.save(workspace, rows)


@pytest.mark.parametrize("name", ["", "../../bam", "0" * 20, "x" * 100_000, "0" * 19 + "/"])
def test_a_wrong_id_raises_and_reads_no_other_file(workspace: Workspace, name: str) -> None:
    with pytest.raises(NotFound) as payload:
        selections.rows_of(workspace, name)
    assert len(str(payload.value)) < 300


def test_a_truncated_file_counts_as_missing(workspace: Workspace) -> None:
    name = selections.save(workspace, [1, 2, 3])
    file = workspace.cache / "selections" / f"{name}.npy"
    file.write_bytes(file.read_bytes()[:40])
    workspace.memory.clear()
    with pytest.raises(NotFound):
        selections.rows_of(workspace, name)


def files(workspace: Workspace) -> set[str]:
    return {file.stem for file in (workspace.cache / "selections").glob("*.npy")}


def made_at(workspace: Workspace, name: str, when: int) -> None:
    os.utime(workspace.cache / "selections" / f"{name}.npy", (when, when))


def test_the_least_recently_used_is_removed_first(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selections, "MAX_SELECTIONS", 3)
    names = [selections.save(workspace, [row]) for row in range(3)]
    for age, name in enumerate(names):
        made_at(workspace, name, 1000 + age)
    workspace.memory.clear()
    selections.rows_of(workspace, names[0])  # used again
    newest = selections.save(workspace, [7])
    assert files(workspace) == {names[0], names[2], newest}


def test_the_bytes_are_bounded_but_the_newest_stays(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selections, "MAX_BYTES", 10)
    selections.save(workspace, [1])
    newest = selections.save(workspace, [1, 2, 3])
    assert files(workspace) == {newest}


def test_cached_selections_are_bounded_and_read_only(workspace: Workspace, tmp_path: Path) -> None:
    for row in range(30):
        name = selections.save(workspace, [row])
    assert len(workspace.memory.subjects(selections.SELECTIONS)) == 8
    with pytest.raises(ValueError):
        selections.rows_of(workspace, name)[0] = 5
