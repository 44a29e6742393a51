"""A process that moves to another encoder and is killed: nothing is lost or half done, and the next one goes on."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np
import pytest

from bam_engine.annotation import Attribute
from bam_engine.embedding import encoder_key, store
from bam_engine.errors import DiskFull
from bam_engine.labelling import tasks
from bam_engine.switching import moving
from bam_engine.training import rounds, thresholds
from bam_engine.training.models import models, scores_of
from bam_engine.workspace import Workspace
from bam_engine.workspace import encoders as choices
from tests.conftest import Oracle
from tests.switching.other_encoder import open_other

P = ParamSpec("P")
R = TypeVar("R")
BUILTIN, NETWORK = encoder_key("builtin"), encoder_key("network")


def killed(moment: str, workspace: Workspace) -> None:
    """Move to the network in a process of its own, which is killed with SIGKILL at a moment."""
    script = [sys.executable, "-c", f"from tests.switching.test_kills import move_until; move_until({moment!r})"]
    environment = os.environ | {
        "BAM_WORKSPACE": str(workspace.folder),
        "BAM_CACHE": str(workspace.cache.parent),
        "BAM_DATABASE_URL": "",
    }
    ended = subprocess.run(script, env=environment, cwd=Path(__file__).parents[2], capture_output=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()


def move_until(moment: str) -> None:
    """Move, and end at a moment as a power cut does."""
    moving.open_encoder = open_other
    choices.put_setting = ending_after(choices.put_setting, 2 if moment == "choosing" else 99)
    if moment == "storing a model":
        rounds.save_model = ending_after(rounds.save_model, 1)

    def report(done: int, total: int | None, message: str = "") -> None:
        if moment == "training" and message.startswith("training"):
            end()
        if moment == "embedding" and "training" not in message and done >= 64:
            end()

    moving.move(Workspace.from_environment(), "network", report=report)


def ending_after(function: Callable[P, R], calls: int) -> Callable[P, R]:
    """Return a function that ends the process when it has been called so often."""
    made = []

    def called(*args: P.args, **options: P.kwargs) -> R:
        result = function(*args, **options)
        made.append(result)
        if len(made) == calls:
            end()
        return result

    return called


def end() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("moment", ["embedding", "training", "storing a model", "choosing"])
def test_a_killed_move_leaves_the_encoder_in_use_with_all_that_it_has_and_goes_on(
    played: Workspace, watercolor: Attribute, oracle: Oracle, moment: str
) -> None:
    saved = thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.6))
    scores, trained = np.array(scores_of(played, watercolor)), models(played, watercolor)
    answers = len(tasks.labels(played, watercolor).rows)
    killed(moment, played)
    with closing(Workspace(played.folder, played.cache.parent)) as again:
        assert again.choice.key == BUILTIN, "half a move is none"
        assert thresholds.current_threshold(again, watercolor) == saved
        assert np.array_equal(scores_of(again, watercolor), scores)
        assert [model.id for model in models(again, watercolor)] == [model.id for model in trained]
        assert len(tasks.labels(again, watercolor).rows) == answers
        state = moving.preparation(again)
        assert state is not None
        assert (state.key, state.embedded_all) == (NETWORK, moment != "embedding")
        done = state.embedded
        assert done >= 64
        moved = moving.move(again, "network")
        assert (moved.in_use, moved.failed, moved.embedded.embedded) == (True, (), 120 - done)
        assert again.vectors().damaged().tolist() == []
        assert len(models(again, watercolor)) == 1, "nothing is trained twice"
        moving.use(again, BUILTIN)
        assert thresholds.current_threshold(again, watercolor) == saved


def test_on_a_full_disk_a_move_says_so_and_goes_on_where_there_is_space(
    played: Workspace, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, written = store.write_at, []

    def write_until_full(file: Path, *rest: Any) -> None:
        written.append(file)
        if len(written) > 3:  # the records of the second batch
            raise OSError(errno.ENOSPC, "No space left on device")
        write(file, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(store, "write_at", write_until_full)
        with pytest.raises(DiskFull, match=r"is full\. 64 vectors are saved\. Free some space and start again"):
            moving.move(played, "network")
    assert played.choice.key == BUILTIN
    state = moving.preparation(played)
    assert state is not None
    assert (state.key, state.embedded, state.waiting) == (NETWORK, 64, 56)
    moved = moving.move(played, "network")
    assert (moved.in_use, moved.embedded.embedded) == (True, 56)
    assert played.vectors().damaged().tolist() == []
