"""The Rounds page: what a round starts from and looks at, and what is said when something is amiss; the map's area."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import web.components.map
from bam_engine.annotation import Attribute
from bam_engine.guidance.sizes import sizes
from bam_engine.labelling import tasks
from bam_engine.learning import STRATEGIES
from bam_engine.maps import layout_builder, view_cache
from bam_engine.training import prompts, querying, rounds, validation
from bam_engine.workspace import Workspace
from bam_engine.workspace.membership import count_images
from bam_engine.workspace.vectors import embed_collection
from tests.conftest import Oracle
from tests.pages.conftest import run_until, text_of
from tests.pages.test_pages import button, check
from web.components.map import DrawnArea, MapEvents

Open = Callable[..., AppTest]
EVERYWHERE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


@pytest.fixture
def validated(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> Workspace:
    """A workspace whose validation sample is labelled."""
    validation.draw_validation(workspace, watercolor, 20, seed=1)
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor))
    return workspace


def control(app: AppTest, label: str) -> Any:
    """The segmented control or selectbox of that label."""
    return next(one for one in (*app.segmented_control, *app.selectbox) if one.label == label)


def test_a_small_collection_is_looked_at_as_a_whole_unless_neighbours_are_chosen(
    open_page: Open, validated: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.answer(validated, rounds.start_round(validated, watercolor, count=12, seed=1).task)
    rounds.train(validated, watercolor)
    app = open_page(validated, "rounds")
    assert control(app, "Candidates").value == "everything"
    size = next(one for one in app.number_input if one.label == "Batch size")
    assert size.value == sizes(count_images(validated)).batch, "as the guidance says"
    assert "strategy: mixture)" in text_of(app)
    control(app, "Candidates").set_value("neighbours").run()
    check(app)
    assert "strategy: mixture, among neighbours" in text_of(app)
    button(app, "Start round 2").click().run()
    assert rounds.rounds_of(validated, watercolor)[-1].strategy == "mixture, among neighbours"


def test_the_page_keeps_to_neighbours_once_they_were_chosen_and_lets_go_of_them(
    open_page: Open, validated: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.answer(validated, rounds.start_round(validated, watercolor, count=12, seed=1).task)
    rounds.train(validated, watercolor)
    round_ = rounds.start_round(validated, watercolor, count=12, candidates="neighbours", seed=2)
    oracle.answer(validated, round_.task)
    rounds.train(validated, watercolor)
    app = open_page(validated, "rounds")
    assert control(app, "Candidates").value == "neighbours"
    control(app, "Candidates").set_value("everything").run()
    button(app, "Start round 3").click().run()
    assert rounds.rounds_of(validated, watercolor)[-1].strategy == "mixture"


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_whoever_looks_at_neighbours_sees_so_and_can_let_go_of_them_whatever_the_strategy(
    open_page: Open, validated: Workspace, watercolor: Attribute, oracle: Oracle, strategy: str
) -> None:
    oracle.answer(validated, rounds.start_round(validated, watercolor, count=12, seed=1).task)
    rounds.train(validated, watercolor)
    oracle.answer(validated, rounds.start_round(validated, watercolor, count=6, candidates="neighbours", seed=2).task)
    rounds.train(validated, watercolor)
    app = open_page(validated, "rounds")
    control(app, "Selection strategy").set_value(strategy).run()
    shown = any(one.label == "Candidates" for one in app.segmented_control)
    assert shown == (f"strategy: {strategy}, among neighbours" in text_of(app))


def test_the_batch_that_is_shown_is_the_batch_that_is_started(
    open_page: Open, validated: Workspace, watercolor: Attribute
) -> None:
    app = open_page(validated, "rounds")
    app.number_input(key=f"count-{watercolor.id}").set_value(10).run()
    check(app)
    _, shown = querying.propose(validated, watercolor, count=10, seed=watercolor.id * 1000 + 1)
    button(app, "Start round 1").click().run()
    (round_,) = rounds.rounds_of(validated, watercolor)
    assert round_.task.rows.tolist() == shown.rows.tolist()
    why = rounds.reasons(validated, round_)
    assert [why[int(row)][0] for row in shown.rows] == list(shown.reasons)


def test_what_a_round_asked_and_why_is_told_afterwards(
    open_page: Open, validated: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.answer(validated, rounds.start_round(validated, watercolor, count=12, seed=7).task)
    rounds.train(validated, watercolor)
    app = open_page(validated, "rounds")
    check(app)
    assert any("Strategy: spread; seed 7" in caption.value for caption in app.caption)


def test_without_examples_the_page_asks_for_one_and_starts_nothing(
    open_page: Open, validated: Workspace, watercolor: Attribute
) -> None:
    app = open_page(validated, "rounds")
    control(app, "Start from").set_value("examples").run()
    check(app)
    assert "Select at least one example image" in text_of(app)
    assert not [one for one in app.button if one.label.startswith("Start round")]


@pytest.mark.parametrize("with_model", [False, True])
def test_what_was_selected_on_the_map_starts_a_round(
    open_page: Open,
    validated: Workspace,
    watercolor: Attribute,
    oracle: Oracle,
    monkeypatch: pytest.MonkeyPatch,
    with_model: bool,
) -> None:
    if with_model:
        oracle.answer(validated, rounds.start_round(validated, watercolor, count=12, seed=1).task)
        rounds.train(validated, watercolor)
    layout = layout_builder.build(validated, method="pca")
    area = DrawnArea(EVERYWHERE, "1")
    monkeypatch.setattr(web.components.map, "picture_map", lambda *_, **__: MapEvents(None, area))
    app = open_page(validated, "map")
    check(app)
    everything = view_cache.rows_in_polygon(validated, layout.id, EVERYWHERE)
    assert f"{len(everything)} images selected" in text_of(app)
    examples = querying.examples_from(validated, everything)
    button(app, "Use as examples for a round of watercolor (media)").click().run()
    check(app)
    assert app.title[0].value == "Rounds"
    assert f"{len(examples)} selected" in text_of(app)
    assert "similar to your examples" in text_of(app)
    number = 2 if with_model else 1
    button(app, f"Start round {number}").click().run()
    assert rounds.rounds_of(validated, watercolor)[-1].strategy == "examples"
    assert len(rounds.rounds_of(validated, watercolor)) == number


def test_an_area_without_images_says_so(
    open_page: Open, validated: Workspace, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout_builder.build(validated, method="pca")
    area = DrawnArea(((2.0, 2.0), (3.0, 2.0), (3.0, 3.0)), "1")
    monkeypatch.setattr(web.components.map, "picture_map", lambda *_, **__: MapEvents(None, area))
    app = open_page(validated, "map")
    check(app)
    assert "0 images selected" in text_of(app)


def test_a_training_that_was_cut_short_starts_again_with_the_page(
    open_page: Open, validated: Workspace, watercolor: Attribute, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    oracle.answer(validated, rounds.start_round(validated, watercolor, count=12, seed=1).task)
    with monkeypatch.context() as cut_here:
        cut_here.setattr(rounds, "_measure", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            rounds.train(validated, watercolor)
    app = open_page(validated, "rounds")
    run_until(app, lambda: rounds.state(validated, watercolor).step == "start_round")
    check(app.run())
    assert "Average precision" in text_of(app) or app.metric
    assert rounds.state(validated, watercolor).step == "start_round"


def test_a_round_that_somebody_else_started_meanwhile_is_told(
    open_page: Open, validated: Workspace, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page(validated, "rounds")
    real = rounds.propose

    def propose(*data: Any, **more: Any) -> Any:
        result = real(*data, **more)
        monkeypatch.setattr(rounds, "propose", real)
        rounds.start_round(validated, watercolor, count=5, seed=1)
        return result

    monkeypatch.setattr(rounds, "propose", propose)
    button(app, "Start round 1").click().run()
    assert not app.exception
    assert "someone else" in app.error[0].value
    check(app.run())
    assert len(rounds.rounds_of(validated, watercolor)) == 1


def test_images_that_cannot_be_shown_are_named_on_the_page(
    open_page: Open,
    validated: Workspace,
    watercolor: Attribute,
    oracle: Oracle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    task = rounds.start_round(validated, watercolor, count=8, seed=1).task
    gone = validated.catalogue.image(int(task.rows[0]))
    validated.thumbnails.path(gone.row).unlink()
    real = Path.stat

    def stat(self: Path, **more: Any) -> Any:
        if self == gone.path:
            raise FileNotFoundError(2, "No such file or directory")
        return real(self, **more)

    monkeypatch.setattr(Path, "stat", stat)
    oracle.answer(validated, task)
    app = open_page(validated, "rounds")
    run_until(app, lambda: rounds.state(validated, watercolor).step == "start_round")
    check(app.run())
    assert "Images that cannot be shown" in [one.value for one in app.subheader]
    assert gone.uri in app.dataframe[0].value["file"].tolist()
    assert any("1 cannot be shown" in str(metric.delta) for metric in app.metric)


def test_an_encoder_of_texts_starts_from_prompts_and_shows_its_weak_guess(
    open_page: Open, validated: Workspace, watercolor: Attribute, clip_checkpoint: Path
) -> None:
    validated.choose_encoder("openclip:small-test", clip_checkpoint)
    embed_collection(validated)
    app = open_page(validated, "rounds")
    assert control(app, "Start from").value == "text"
    assert app.text_area[0].value == "Is it a watercolour"
    app.text_area[0].set_value("a watercolour\nnot an emoji").run()
    words = text_of(app)
    assert "matches the text “a watercolour”, not “an emoji”" in words
    assert "That is a guess, not a label" in words
    assert prompts.prompts_of(validated, watercolor) == "Is it a watercolour", "a preview saves nothing"
    app.text_area[0].set_value(" ").run()
    assert "Describe what to look for" in text_of(app)
    app.text_area[0].set_value("a watercolour\nnot an emoji").run()
    button(app, "Start round 1").click().run()
    assert prompts.prompts_of(validated, watercolor) == "a watercolour\nnot an emoji"
    assert rounds.rounds_of(validated, watercolor)[-1].strategy == "text"
