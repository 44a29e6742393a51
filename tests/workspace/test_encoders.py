"""Which encoder a workspace uses, what it is called, and that work keeps to the one with which it began."""

import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from bam_engine.annotation import Attribute
from bam_engine.database import write_setting
from bam_engine.embedding import encoder_key, open_encoder
from bam_engine.errors import EmbeddingError
from bam_engine.team import Role
from bam_engine.training.models import scores_of
from bam_engine.workspace import EncoderChoice, Workspace

BUILTIN, NETWORK = encoder_key("builtin"), encoder_key("network")


def use(workspace: Workspace, key: str) -> None:
    workspace.encoders.choose(workspace.encoders.choice_for(key))


def claim(workspace: Workspace, spec: str, key: str) -> None:
    store = workspace.vectors(key)
    store.claim(spec=spec, key=key, dim=4)
    store.append(np.eye(4)[np.arange(120) % 4])


def test_a_flow_keeps_to_one_encoder_unless_it_chooses_another_itself(workspace: Workspace) -> None:
    claim(workspace, "network", NETWORK)
    with closing(Workspace(workspace.folder, workspace.cache.parent)) as other, workspace.reading():
        assert workspace.choice.key == BUILTIN
        use(other, NETWORK)
        workspace.redundancy = 2  # a write of its own shows the flow what others wrote
        assert (workspace.choice.key, workspace.vectors().dim) == (BUILTIN, 571)
        use(workspace, NETWORK)
        assert workspace.choice.key == NETWORK
        with workspace.using(BUILTIN):
            assert workspace.choice.key == BUILTIN
        assert workspace.choice.key == NETWORK
    assert workspace.choice.key == NETWORK


def test_a_job_keeps_to_the_encoder_with_which_it_was_started(workspace: Workspace) -> None:
    claim(workspace, "network", NETWORK)
    switched = threading.Event()

    def work(report: object) -> str:
        switched.wait(20)
        return workspace.choice.key

    job = workspace.jobs.start("x", "Working", work, least=Role.OWNER)
    use(workspace, NETWORK)
    switched.set()
    while job.running:
        pass
    assert (job.result, workspace.choice.key) == (BUILTIN, NETWORK)


def test_what_outlasts_a_flow_sees_the_encoder_of_the_moment(workspace: Workspace) -> None:
    from contextvars import copy_context

    claim(workspace, "network", NETWORK)
    with workspace.reading():
        assert workspace.choice.key == BUILTIN
        inside = copy_context()
    use(workspace, NETWORK)
    assert inside.run(lambda: workspace.choice.key) == NETWORK


def test_a_choice_instead_of_another_than_is_in_use_changes_nothing(workspace: Workspace) -> None:
    claim(workspace, "network", NETWORK)
    with pytest.raises(EmbeddingError, match=r"Fast preview \(descriptors\) is in use"):
        workspace.encoders.choose(workspace.encoders.choice_for(NETWORK), instead_of="combined-v0")
    assert workspace.choice.key == BUILTIN


def test_an_encoder_that_the_program_does_not_know_keeps_its_scores(played: Workspace, watercolor: Attribute) -> None:
    """As after an update that brings an encoder no more, or in another version."""
    scores = np.array(scores_of(played, watercolor))
    write_setting(played.engine, "encoder", {"version": 1, "spec": "magic:1", "checkpoint": None, "key": BUILTIN})
    assert played.choice.key == BUILTIN
    assert "not a valid encoder" in played.choice.problem
    assert np.array_equal(scores_of(played, watercolor), scores)
    with pytest.raises(EmbeddingError, match="choose an encoder again"):
        played.encoder()


def test_another_version_of_an_encoder_takes_nothing_away(
    played: Workspace, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    played.choose_encoder("builtin")
    scores = np.array(scores_of(played, watercolor))
    monkeypatch.setattr("bam_engine.embedding.builtin.KEY", "builtin-v2")
    assert (played.choice.key, len(played.vectors())) == (BUILTIN, 120)
    assert "choose it again" in played.choice.problem
    assert np.array_equal(scores_of(played, watercolor), scores)
    assert played.encoder_name() == f"Fast preview (descriptors), {BUILTIN}", "apart from the one that this program has"


def test_a_library_that_is_missing_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "open_clip", None)
    with pytest.raises(EmbeddingError, match="needs the library open_clip"):
        open_encoder("openclip:ViT-B-32/laion2b_s34b_b79k")


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (None, "Fast preview (descriptors)"),
        (BUILTIN, "Fast preview (descriptors)"),
        (NETWORK, "Network alone"),
        ("some-key", "some-key"),
    ],
)
def test_an_encoder_is_named_by_its_key_in_words(workspace: Workspace, key: str | None, name: str) -> None:
    claim(workspace, "network", NETWORK)
    assert workspace.encoder_name(key) == name


def test_two_checkpoints_with_one_file_name_are_told_apart(workspace: Workspace, tmp_path: Path) -> None:
    choices = []
    for folder in ("one", "other"):
        file = tmp_path / folder / "model.safetensors"
        file.parent.mkdir()
        file.write_bytes(folder.encode())
        choices.append(EncoderChoice("timm:resnet18", file, encoder_key("timm:resnet18", file)))
    workspace.encoders.choose(choices[0])
    assert workspace.encoder_name() == "timm resnet18, model.safetensors"
    workspace.encoders.choose(choices[1])
    names = [workspace.encoder_name(choice.key) for choice in choices]
    assert names == [f"timm resnet18, model.safetensors, {choice.key}" for choice in choices]


def test_a_checkpoint_that_was_replaced_in_place_is_another_encoder_with_a_name_of_its_own(
    workspace: Workspace, tmp_path: Path
) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"first")
    first = EncoderChoice("timm:resnet18", file, encoder_key("timm:resnet18", file))
    claim(workspace, first.spec, first.key)
    workspace.encoders.choose(first)
    file.write_bytes(b"second weights")
    assert workspace.choice.key == first.key, "what it has embedded stays in use"
    assert "is not what it was when it was chosen" in workspace.choice.problem
    second = EncoderChoice("timm:resnet18", file, encoder_key("timm:resnet18", file))
    assert second.key != first.key
    workspace.encoders.choose(second)
    assert workspace.encoders.choice_for(first.key).problem
    assert workspace.encoder_name(first.key) != workspace.encoder_name(second.key)
