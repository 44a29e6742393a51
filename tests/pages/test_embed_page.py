"""The Embeddings page: what a move will do and has done, one click back, and what somebody else has chosen."""

import shutil
from collections.abc import Callable
from contextlib import closing

import pytest
from streamlit.testing.v1 import AppTest

from bam_engine.annotation import Attribute
from bam_engine.embedding import encoder_key
from bam_engine.errors import LearningError
from bam_engine.switching import moving
from bam_engine.training import rounds, thresholds
from bam_engine.workspace import EncoderChoice, Workspace
from bam_engine.workspace.vectors import embed_collection
from tests.conftest import Oracle
from tests.pages.conftest import run_until, text_of
from tests.switching.other_encoder import open_other

BUILTIN, NETWORK = encoder_key("builtin"), encoder_key("network")
OpenPage = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def quick_network(monkeypatch: pytest.MonkeyPatch) -> None:
    for room in ("switching.moving", "workspace.core"):
        monkeypatch.setattr(f"bam_engine.{room}.open_encoder", open_other)


def click(app: AppTest, label: str) -> None:
    next(each for each in app.button if each.label == label).click().run()


def plain(app: AppTest) -> str:
    """Return the words of a page without the signs that keep Markdown from reading them."""
    return text_of(app).replace("\\", "")


def test_the_page_says_what_a_move_will_do_does_it_and_leads_back(
    open_page: OpenPage, played: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    saved = thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.6))
    oracle.answer(played, rounds.start_round(played, watercolor, count=6, seed=3).task)
    rounds.train(played, watercolor)
    rounds.start_round(played, watercolor, count=6, seed=4)
    app = open_page(played, "embed")
    assert "Encoders of this collection" not in [each.value for each in app.subheader], "there is one"
    app.radio[0].set_value("network").run()
    words = plain(app)
    assert "120 images will be embedded, then 1 attribute learns its labels anew (watercolor (media)): about" in words
    assert "Fast preview (descriptors) stays in use until then" in words
    assert "Round 4 of watercolor (media) is being labelled: its images and answers stay" in words
    click(app, "Move to this encoder")
    run_until(app, lambda: played.choice.key == NETWORK and not app.get("progress"))
    words = plain(app)
    assert "Network alone is in use. 1 attribute trained: watercolor (media)" in words
    assert "thresholds of earlier models: watercolor (media)" in words, "of the former encoder"
    assert app.metric[0].label.replace("\\", "") == "Embedded with Network alone"
    click(app, "Use this one")
    assert "Fast preview (descriptors) is in use. Network alone keeps what it has." in plain(app)
    assert [each.id for each in played.snapshot.rows(thresholds.db.thresholds)] == [saved.id]


def test_an_encoder_in_another_version_than_that_in_use_is_moved_to(
    open_page: OpenPage, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.choose_encoder("builtin")
    assert "Compute embeddings" in [each.label for each in open_page(workspace, "embed").button]
    monkeypatch.setattr("bam_engine.embedding.builtin.KEY", "builtin-v2")
    app = open_page(workspace, "embed")
    assert "Move to this encoder" in [each.label for each in app.button]
    assert "120 images will be embedded" in plain(app)


def test_of_two_browsers_that_choose_one_is_told_what_the_other_has_chosen(
    open_page: OpenPage, workspace: Workspace
) -> None:
    for spec in ("network", "combined"):
        embed_collection(workspace, open_other(spec))
    one, other = open_page(workspace, "embed"), open_page(workspace, "embed")
    for app, spec in ((one, "network"), (other, "combined")):
        next(each for each in app.button if each.key == f"use-{encoder_key(spec)}").click().run()
    assert workspace.choice.key == NETWORK
    assert "Somebody has chosen another encoder meanwhile: Network alone is in use." in plain(other)


def test_a_stopped_move_is_offered_to_go_on(open_page: OpenPage, played: Workspace) -> None:
    def stop(done: int, total: int | None, message: str = "") -> None:
        if message.startswith("training"):
            raise moving.EmbeddingError("The disk went away.")

    with pytest.raises(moving.EmbeddingError):
        moving.move(played, "network", report=stop)
    assert "Network alone** is embedded, 1 attribute left to train. Fast" in plain(open_page(played, "overview"))
    app = open_page(played, "embed")
    assert "not trained yet: watercolor (media)" in plain(app)
    click(app, "Train and move")
    run_until(app, lambda: played.choice.key == NETWORK)


def test_the_outcome_of_a_move_names_the_encoder_in_use_today(
    open_page: OpenPage, played: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise LearningError("Only one class is labelled.")

    monkeypatch.setattr(rounds, "train", fails)
    app = open_page(played, "embed")
    app.radio[0].set_value("network").run()
    click(app, "Move to this encoder")
    run_until(app, lambda: "Only one class is labelled." in plain(app))
    assert "Fast preview (descriptors) is in use. Mend this and go on, or use Network alone as it is." in plain(app)
    with closing(Workspace(played.folder, played.cache.parent)) as other:
        moving.use(other, NETWORK)
    words = plain(app.run())
    assert "Only one class is labelled." in words
    assert "Mend this" not in words


def test_the_overview_says_in_a_line_that_another_encoder_is_ready(
    open_page: OpenPage, workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    assert "ready" not in plain(open_page(workspace, "overview"))
    workspace.encoders.prepare(EncoderChoice("network", None, NETWORK))
    assert "Network alone** is not ready: 0 of 120 images embedded." in plain(open_page(workspace, "overview"))
    embed_collection(workspace, open_other("network"))
    assert "Network alone** is ready. Fast preview (descriptors) stays in use" in plain(
        open_page(workspace, "overview")
    )


def test_a_training_of_the_former_encoder_does_not_pass_for_one_of_the_new(
    open_page: OpenPage, played: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    moving.move(played, "network")
    moving.use(played, BUILTIN)
    oracle.answer(played, rounds.start_round(played, watercolor, count=6, seed=3).task)
    for key in (BUILTIN, NETWORK):
        with closing(Workspace(played.folder, played.cache.parent)) as other:
            moving.use(other, key)
        app = open_page(played, "rounds")
        run_until(app, lambda: rounds.state(played, watercolor).step == "start_round")
        model = rounds.state(played, watercolor).model
        assert model is not None
        assert (model.encoder, model.round_id) == (key, rounds.rounds_of(played, watercolor)[-1].id)


def test_a_large_new_collection_begins_with_the_preview(
    open_page: OpenPage, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(workspace.cache / "vectors")
    monkeypatch.setattr(moving, "LONG", 0.1)
    app = open_page(workspace, "embed")
    app.radio[0].set_value("network").run()
    assert app.checkbox[0].label == "Begin with the fast preview"
    click(app, "Compute embeddings")
    run_until(app, lambda: workspace.choice.key == NETWORK)
    assert len(workspace.vectors(BUILTIN)) == len(workspace.vectors(NETWORK)) == 120
