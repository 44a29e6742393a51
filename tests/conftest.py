"""What several rooms' tests share: a small drawn collection, workspaces made of it, an empty database."""

import csv
import json
import shutil
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import settings

from bam_engine import database as database_tables
from bam_engine.annotation import Attribute, NewAnswer
from bam_engine.collection import demo_of, ingest_folder, mark_demo
from bam_engine.database import open_database
from bam_engine.demo.demo_workspace import folder_of, make_demo
from bam_engine.embedding import DEFAULT_ENCODER
from bam_engine.errors import ImageUnreadable
from bam_engine.labelling.assigning import open_task
from bam_engine.labelling.tasks import Task, validation_task
from bam_engine.training import rounds, validation
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import embed_collection
from benchmarks import diagnosis
from tests.drawn_pictures import SMALL, draw_collection
from tests.labelling.team import vote
from tests.postgresql import PostgreSQL, run_server
from tests.stub_demo import write_stub

if TYPE_CHECKING:
    from playwright.sync_api import Browser

settings.register_profile("the same each time", derandomize=True)
settings.load_profile("the same each time")

CLIP = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "patch_size": 8},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
}


@pytest.fixture(scope="session", autouse=True)
def own_list_of_workspaces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Servers of tests, in this process and others, list the workspaces that they open in a folder of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session", autouse=True)
def descriptors_by_default() -> Iterator[None]:
    """New workspaces of tests embed with the descriptors alone: most tests need vectors, and none of a network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bam_engine.workspace.core.DEFAULT_ENCODER", "builtin")
        yield


@pytest.fixture(scope="session", autouse=True)
def passwords_are_hashed_at_once() -> Iterator[None]:
    """Tests of who may do what do not wait for hashes that take long on purpose."""
    from argon2 import PasswordHasher

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bam_engine.team.passwords.hasher", lambda: PasswordHasher(1, 8, 1))
        yield


@pytest.fixture(autouse=True)
def the_program_stays_itself() -> Iterator[None]:
    """A page run by ``AppTest`` becomes ``__main__``, which processes that a later test spawns would run again."""
    program = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = program


@pytest.fixture
def standard_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """New workspaces embed with the encoder that users get."""
    monkeypatch.setattr("bam_engine.workspace.core.DEFAULT_ENCODER", DEFAULT_ENCODER)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL server for the session; it starts when the first test asks for it."""
    with run_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database of its own for each test, on either of the two kinds."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'bam.sqlite'}"
        return
    with request.getfixturevalue("postgresql").database() as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[sa.Engine]:
    """An empty database of its own for each test, on either of the two kinds."""
    engine = open_database(database_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def small_pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 120 drawn pictures (40 watercolours, 50 emoji in 3-D, 30 flat ones) with their ``labels.csv``."""
    folder = tmp_path_factory.mktemp("pictures")
    draw_collection(folder, SMALL)
    return folder


@pytest.fixture(scope="session")
def embedded_template(small_pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace and its cache with the small pictures ingested and embedded, to be copied by each test."""
    home = tmp_path_factory.mktemp("template")
    workspace = Workspace(home / "workspace", home / "cache")
    ingest_folder(workspace.catalogue, workspace.thumbnails, small_pictures, metadata=small_pictures / "labels.csv")
    embed_collection(workspace)
    workspace.close()
    return home


@pytest.fixture
def workspace(embedded_template: Path, tmp_path: Path) -> Iterator[Workspace]:
    """A workspace of its own with the small pictures ingested and embedded with the built-in encoder."""
    shutil.copytree(embedded_template, tmp_path / "home")
    opened = Workspace(tmp_path / "home" / "workspace", tmp_path / "home" / "cache")
    yield opened
    opened.close()


@pytest.fixture
def without_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """No image has a thumbnail, a sprite or a file to look at: vectors alone say which are near-duplicates."""

    def unreadable(*_: object) -> bytes:
        raise ImageUnreadable("the file is gone")

    monkeypatch.setattr("bam_engine.collection.thumbnails.Thumbnails.read", lambda *_: None)
    monkeypatch.setattr("bam_engine.collection.thumbnails.Thumbnails.ensure", unreadable)
    monkeypatch.setattr("bam_engine.workspace.sprites.SpriteFile.get", lambda *_: None)


@pytest.fixture
def stub_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain pictures in place of the demo's drawing, which takes longer."""
    monkeypatch.setattr("bam_engine.demo.art.write_collection", write_stub)


@pytest.fixture(scope="session")
def demo_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo workspace of 120 plain pictures and its cache, to be moved to its place by each test in turn."""
    home = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bam_engine.demo.art.write_collection", write_stub)
        workspace = Workspace(home / "workspace", home / "cache")
        make_demo(workspace, count=120)
        workspace.close()
    return home


@pytest.fixture
def demo_workspace(demo_template: Path, tmp_path: Path) -> Iterator[Workspace]:
    """A demo workspace of its own: the database and cache are copied, the pictures stay where they are."""
    home = tmp_path / "demo-home"
    shutil.copytree(demo_template, home)
    opened = Workspace(home / "workspace", home / "cache")
    _move(opened, demo_template, home)
    yield opened
    opened.close()


def _move(workspace: Workspace, before: Path, after: Path) -> None:
    """Write the places of the copied pictures into the database, and where the demo is drawn to."""
    table, found = database_tables.images, demo_of(workspace.engine)
    assert found is not None
    moved = sa.func.replace(table.c.uri, str(before), str(after))
    with workspace.engine.begin() as connection:
        connection.execute(sa.update(table).values(uri=moved))
    mark_demo(workspace.engine, count=found.count, seed=found.seed, folder=folder_of(workspace))


class Oracle:
    """A simulated annotator that knows which pictures are watercolours; for tests alone."""

    def __init__(self, pictures: Path) -> None:
        with (pictures / "labels.csv").open(newline="", encoding="utf-8") as file:
            self.truth = {str(pictures / line["path"]): line["medium"] == "watercolor" for line in csv.DictReader(file)}

    def knows(self, workspace: Workspace, row: int) -> bool:
        return self.truth[workspace.catalogue.image(row).uri]

    def answer(self, workspace: Workspace, task: Task, *, name: str = "oracle", wrong: bool = False) -> None:
        """Answer all that ``task`` asks of the annotator called ``name``."""
        while (assignment := open_task(workspace, task, name)) is not None:
            answers = [
                NewAnswer(uuid.uuid4().hex, row, int(self.knows(workspace, row) != wrong), 1.0)
                for row in assignment.rows
            ]
            workspace.annotations.record(assignment.id, answers)

    def find_nothing(self, workspace: Workspace, attribute: Attribute) -> None:
        """Label a validation sample of 10, of which none is positive."""
        truth = self.truth
        validation.draw_validation(workspace, attribute, 10, seed=1)
        self.truth = dict.fromkeys(truth, False)
        self.answer(workspace, validation_task(workspace, attribute))
        self.truth = truth

    def play(self, workspace: Workspace, attribute: Attribute, *, count: int = 4, batch: int = 12) -> None:
        """Label a validation sample of 40, then ``count`` rounds, training after each."""
        validation.draw_validation(workspace, attribute, 40, seed=1)
        self.answer(workspace, validation_task(workspace, attribute))
        for number in range(count):
            turn = rounds.start_round(workspace, attribute, count=batch, seed=number)
            self.answer(workspace, turn.task)
            rounds.train(workspace, attribute)


@pytest.fixture
def oracle(small_pictures: Path) -> Oracle:
    return Oracle(small_pictures)


@pytest.fixture
def watercolor(workspace: Workspace) -> Attribute:
    return workspace.attributes.add("media_watercolor", "media", "Is it a watercolour?")


@pytest.fixture
def played(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> Workspace:
    """The workspace with a labelled validation sample and two trained rounds."""
    oracle.play(workspace, watercolor, count=2)
    return workspace


@pytest.fixture(scope="session")
def unlearned_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of generated images after two rounds of an attribute that their vectors do not show."""
    home, rng = tmp_path_factory.mktemp("unlearned"), np.random.default_rng(8)
    vectors, truth, _ = diagnosis.unseen(rng)
    workspace = diagnosis.generated(home, vectors, None)
    diagnosis.label(workspace, workspace.attributes.add("content_dog", "content", "Does it show a dog?"), truth, rng)
    workspace.close()
    return home


@pytest.fixture
def unlearned(unlearned_template: Path, tmp_path: Path) -> Iterator[tuple[Workspace, Attribute]]:
    """A workspace of its own with an attribute that does not learn."""
    home = tmp_path / "unlearned"
    shutil.copytree(unlearned_template, home)
    opened = Workspace(home / "workspace", home / "cache")
    yield opened, opened.attributes.get("content_dog")
    opened.close()


@pytest.fixture
def team(workspace: Workspace, watercolor: Attribute) -> Workspace:
    """Ada and ben, of whom two must agree: 0 and 1 settled, 2 and 3 disputed, 4 doubted by both, 5 seen by one."""
    workspace.redundancy = 2
    vote(workspace, watercolor, "ada", {0: 1, 1: 0, 2: 1, 3: 0, 4: -1, 5: 1})
    vote(workspace, watercolor, "ben", {0: 1, 1: 0, 2: 0, 3: 1, 4: -1})
    return workspace


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """Debian's Chromium, driven by Playwright."""
    from playwright.sync_api import expect, sync_playwright

    from tests.browser import CHROMIUM, FLAGS, NO_BROWSER

    expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong

    if not CHROMIUM.exists():
        pytest.skip(f"{NO_BROWSER}: no {CHROMIUM}. `make test` installs it where it can")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield found
        found.close()


@pytest.fixture(scope="session")
def clip_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a small CLIP model that open_clip knows as ``small-test``."""
    import open_clip
    import torch

    folder = tmp_path_factory.mktemp("clip")
    (folder / "small-test.json").write_text(json.dumps(CLIP))
    open_clip.add_model_config(folder / "small-test.json")
    with torch.random.fork_rng():
        torch.manual_seed(7)
        model = open_clip.create_model("small-test")
    torch.save(model.state_dict(), folder / "small.pt")
    return folder / "small.pt"
