"""Workspaces that move between the descriptors and a network that takes no seconds."""

from dataclasses import replace

import pytest

from bam_engine.annotation import Attribute
from bam_engine.labelling import tasks
from bam_engine.training import rounds
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.switching.other_encoder import open_other


@pytest.fixture(autouse=True)
def quick_network(monkeypatch: pytest.MonkeyPatch) -> None:
    for room in ("switching.moving", "workspace.core"):
        monkeypatch.setattr(f"bam_engine.{room}.open_encoder", open_other)


@pytest.fixture
def round_open(played: Workspace, watercolor: Attribute, oracle: Oracle) -> tasks.Task:
    """The third round of watercolor, half labelled, of a workspace with two trained rounds; its task."""
    task = rounds.start_round(played, watercolor, count=10, seed=3).task
    oracle.answer(played, replace(task, rows=task.rows[:5]))
    return task
