"""Opening a workspace."""

import errno
import gc
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from bam_engine.collection import ingest_folder
from bam_engine.database import settings, write_setting
from bam_engine.embedding import VectorStore, encoder_key
from bam_engine.errors import EmbeddingError
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import embed_collection


def test_concurrent_openers_of_a_new_workspace_agree_on_its_id(tmp_path: Path) -> None:
    for number in range(6):
        together, home = threading.Barrier(4), tmp_path / str(number)

        def open_one(together: threading.Barrier = together, home: Path = home) -> str:
            together.wait()
            opened = Workspace(home / "workspace", home / "cache")
            opened.close()
            return opened.id

        with ThreadPoolExecutor(4) as pool:
            futures = [pool.submit(open_one) for _ in range(4)]
        assert len({one.result() for one in futures}) == 1


class Counter:
    def __init__(self) -> None:
        self.value = 0


def test_each_workspace_has_one_state_of_a_class(tmp_path: Path) -> None:
    one, other = (Workspace(tmp_path / name / "workspace", tmp_path / name / "cache") for name in "ab")
    one.state(Counter).value += 1
    one.memory.clear()
    assert (one.state(Counter).value, other.state(Counter).value) == (1, 0)
    one.close()
    other.close()


@pytest.mark.parametrize("name", ["cats? first", "a#b", "a%20b", "a&mode=ro", "50%", "~", ":memory:"])
def test_the_database_is_in_the_folder_of_the_workspace_whatever_its_name(tmp_path, monkeypatch, name):
    monkeypatch.setenv("BAM_WORKSPACE", str(tmp_path / name))
    monkeypatch.setenv("BAM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("BAM_DATABASE_URL", "")
    opened = Workspace.from_environment()
    opened.close()
    assert (tmp_path / name / "bam.sqlite").is_file()
    again = Workspace.from_environment()
    assert again.id == opened.id
    again.close()


def test_empty_variables_are_as_good_as_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("BAM_WORKSPACE", "BAM_CACHE", "BAM_DATABASE_URL"):
        monkeypatch.setenv(name, "")
    Workspace.from_environment().close()
    assert (tmp_path / "workspace" / "bam.sqlite").is_file()
    assert (tmp_path / "cache").is_dir()


def test_an_encoder_whose_checkpoint_is_gone_keeps_its_vectors_and_another_can_be_chosen(
    workspace: Workspace, tmp_path: Path
) -> None:
    checkpoint = tmp_path / "weights.pth"
    checkpoint.write_bytes(b"weights")
    key = encoder_key("timm:resnet18", checkpoint)
    document = {"version": 1, "spec": "timm:resnet18", "checkpoint": str(checkpoint), "key": key}
    write_setting(workspace.engine, "encoder", document)
    images = workspace.catalogue.digests().array
    store = VectorStore(workspace.cache / "vectors" / key, images=images)
    store.claim(spec="timm:resnet18", key=key, dim=4)
    store.append(np.eye(4))
    assert (workspace.choice.key, workspace.choice.problem) == (key, "")
    checkpoint.rename(tmp_path / "elsewhere.pth")
    assert workspace.choice.key == key
    assert "weights.pth" in workspace.choice.problem
    assert len(workspace.vectors()) == 4
    with pytest.raises(EmbeddingError, match="choose an encoder again"):
        workspace.encoder()
    write_setting(workspace.engine, "encoder", {k: v for k, v in document.items() if k != "key"})  # an earlier version
    assert workspace.choice.key == key, "by the vectors that are there"
    workspace.choose_encoder("builtin")
    assert (workspace.choice.key, workspace.choice.problem) == ("builtin-v1", "")


@pytest.mark.usefixtures("standard_encoder")
def test_a_new_workspace_uses_the_standard_encoder_and_keeps_it_as_a_choice(tmp_path: Path, monkeypatch) -> None:
    with closing(Workspace(tmp_path / "workspace", tmp_path / "cache")) as opened:
        assert (opened.choice.spec, opened.choice.key) == ("combined", encoder_key("combined"))
    monkeypatch.setattr("bam_engine.workspace.core.DEFAULT_ENCODER", "network")
    with closing(Workspace(tmp_path / "workspace", tmp_path / "cache")) as opened:
        assert opened.choice.spec == "combined", "another default is for new workspaces"


@pytest.mark.usefixtures("standard_encoder")
def test_a_workspace_that_names_no_encoder_keeps_the_descriptors(workspace: Workspace) -> None:
    """As versions left it that had one encoder, with and without an identity of the workspace."""
    embedded = len(workspace.vectors())
    for keys in (["encoder"], ["encoder", "workspace"]):
        with workspace.engine.begin() as connection:
            connection.execute(sa.delete(settings).where(settings.c.key.in_(keys)))
        with closing(Workspace(workspace.folder, workspace.cache.parent)) as opened:
            assert opened.choice.spec == "builtin"
            assert "workspace" not in keys or opened.id != workspace.id
    assert embedded == 120


@pytest.mark.usefixtures("standard_encoder")
def test_without_the_weights_the_vectors_stay_usable_and_the_descriptors_go_on(
    small_pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Workspace(tmp_path / "workspace", tmp_path / "cache")) as opened:
        ingest_folder(opened.catalogue, opened.thumbnails, small_pictures)
        store, images = opened.vectors(), opened.catalogue.digests().array
        store.claim(spec="combined", key=opened.choice.key, dim=4)
        store.append(np.eye(4)[np.arange(len(images)) % 4])
        monkeypatch.setattr("bam_engine.embedding.network._PACKAGE", "weights_that_nobody_installed")
        assert len(opened.vectors()) == len(images)
        with pytest.raises(EmbeddingError, match="are not installed"):
            embed_collection(opened)
        opened.choose_encoder("builtin")
        assert embed_collection(opened).embedded == len(images)


def test_where_no_cache_can_be_made_a_temporary_folder_takes_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    mkdir = Path.mkdir

    def read_only(path: Path, *args: object, **options: object) -> None:
        if path.name == "cache":
            raise OSError(errno.EROFS, "Read-only file system")
        mkdir(path, *args, **options)

    monkeypatch.setattr(Path, "mkdir", read_only)
    opened = Workspace(tmp_path / "workspace", tmp_path / "cache")
    folder = opened.cache.parent
    assert folder.is_dir()
    assert folder.parent == Path(tempfile.gettempdir())
    assert "Read-only file system" in caplog.text
    opened.close()
    del opened
    gc.collect()
    assert not folder.exists()
