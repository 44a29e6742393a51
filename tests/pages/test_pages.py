"""Every page in every state of the workspace: it draws, says what to do next, and never shows a traceback."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from bam_engine.annotation import Attribute
from bam_engine.audit import audits
from bam_engine.labelling import tasks
from bam_engine.maps import layout_builder
from bam_engine.training import rounds, thresholds, validation
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import embed_collection
from tests.conftest import Oracle
from tests.pages.conftest import Pictures, run_until, text_of
from web import ui
from web.navigation import GROUPS

PAGES = [name for names in GROUPS.values() for name in names]


def button(app: AppTest, label: str):
    return next(found for found in app.button if found.label == label)


def check(app: AppTest) -> None:
    assert not app.exception, app.exception[0].value
    assert not app.error, app.error[0].value
    assert len(app.title) == 1


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_workspace_says_what_to_do(open_page: Callable[..., AppTest], tmp_path: Path, page: str) -> None:
    app = open_page(Workspace(tmp_path / "workspace", tmp_path / "cache"), page)
    check(app)
    if page not in ("images", "attributes", "guide"):
        assert app.button, "an empty page has a button that leads on"


@pytest.mark.parametrize("page", PAGES)
def test_embedded_images_with_an_attribute(
    open_page: Callable[..., AppTest], workspace: Workspace, watercolor: Attribute, page: str
) -> None:
    check(open_page(workspace, page))


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_everything_done(
    open_page: Callable[..., AppTest], workspace: Workspace, watercolor: Attribute, oracle: Oracle, page: str
) -> None:
    oracle.play(workspace, watercolor, count=4, batch=8)
    thresholds.save(workspace, watercolor, thresholds.suggest(workspace, watercolor, target=0.9))
    oracle.answer(workspace, audits.draw(workspace, watercolor, n_accepted=6, n_rejected=6, seed=1).task)
    layout_builder.build(workspace, method="pca")
    check(open_page(workspace, page))


def test_the_validation_sample_is_drawn_from_the_page(
    open_page: Callable[..., AppTest], workspace: Workspace, watercolor: Attribute
) -> None:
    app = open_page(workspace, "rounds")
    app.number_input[0].set_value(25)
    button(app, "Create validation sample").click()
    app.run()
    check(app)
    assert len(tasks.validation_task(workspace, watercolor).rows) == 25


def test_a_labelled_round_trains_by_itself(
    open_page: Callable[..., AppTest], workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    validation.draw_validation(workspace, watercolor, 30, seed=1)
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor))
    oracle.answer(workspace, rounds.start_round(workspace, watercolor, count=12, seed=1).task)
    app = open_page(workspace, "rounds")
    run_until(app, lambda: rounds.state(workspace, watercolor).step == "start_round")
    check(app.run())
    assert rounds.state(workspace, watercolor).step == "start_round"


def test_the_threshold_is_kept_from_the_page(
    open_page: Callable[..., AppTest], workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.play(workspace, watercolor, count=1)
    app = open_page(workspace, "threshold")
    app.number_input[0].set_value(0.8).run()
    button(app, "Use this threshold").click().run()
    check(app)
    kept = thresholds.current_threshold(workspace, watercolor)
    assert kept is not None
    assert kept.saved
    assert kept.evidence.target == pytest.approx(0.8)


def test_an_attribute_is_added_from_bams_twenty(open_page: Callable[..., AppTest], workspace: Workspace) -> None:
    app = open_page(workspace, "attributes")
    app.multiselect[0].select("content_cat")
    button(app, "Add selected").click()
    app.run()
    check(app)
    assert [attribute.name for attribute in workspace.attributes.all()] == ["content_cat"]


@pytest.mark.parametrize(
    ("name", "question", "complaint"),
    [("猫", "A cat?", "猫"), ("own_cat", "", "question"), ("select", "A cat?", "")],
)
def test_an_attribute_that_cannot_be_is_refused_with_a_reason(
    open_page: Callable[..., AppTest], workspace: Workspace, name: str, question: str, complaint: str
) -> None:
    app = open_page(workspace, "attributes")
    app.text_input(key="new-name").set_value(name)
    app.text_input(key="new-question").set_value(question)
    button(app, "Add").click()
    app.run()
    assert not app.exception
    if complaint:
        assert complaint in app.error[0].value


def test_any_title_makes_a_name(open_page: Callable[..., AppTest], workspace: Workspace) -> None:
    app = open_page(workspace, "attributes")
    app.text_input(key="new-name").set_value("Is it a Sketch?")
    app.text_input(key="new-question").set_value("Is it a sketch?")
    button(app, "Add").click()
    app.run()
    check(app)
    assert [attribute.name for attribute in workspace.attributes.all()] == ["is_it_a_sketch"]


def test_a_folder_that_is_not_there_is_named(open_page: Callable[..., AppTest], workspace: Workspace) -> None:
    app = open_page(workspace, "images")
    app.text_input(key="folder").set_value("/no/such/folder")
    button(app, "Add images").click()
    app.run()
    assert not app.exception
    assert "/no/such/folder" in app.error[0].value


def test_files_that_have_moved_are_said_to_be_found_again(
    open_page: Callable[..., AppTest], workspace: Workspace, tmp_path: Path
) -> None:
    image = workspace.catalogue.image(7)
    there = tmp_path / "elsewhere" / image.path.name
    there.parent.mkdir()
    image.path.rename(there)
    try:
        app = open_page(workspace, "images")
        app.text_input(key="folder").set_value(str(there.parent))
        button(app, "Add images").click()
        run_until(app, lambda: "1 file was moved or renamed, and kept its labels." in text_of(app))
        check(app)
        assert workspace.catalogue.image(7).path == there
    finally:
        there.rename(image.path)


def test_files_that_have_changed_or_are_missing_are_listed(
    open_page: Callable[..., AppTest], pictures: Pictures
) -> None:
    workspace, folder = pictures
    Image.new("RGB", (8, 8), "green").save(folder / "0.png")
    (folder / "1.png").unlink()
    app = open_page(workspace, "images")
    app.text_input(key="folder").set_value(f" '{folder}' ")
    button(app, "Add images").click()
    run_until(app, lambda: any("1 file has changed" in one.label for one in app.expander))
    check(app)
    assert "1 file is missing" in [one.label for one in app.expander]
    listed = [str(table.value["file"][0]) for table in app.dataframe if "file" in table.value]
    assert listed == [str(folder / "0.png"), str(folder / "1.png")]


def test_lines_of_the_metadata_without_an_image_are_shown(
    open_page: Callable[..., AppTest], workspace: Workspace, tmp_path: Path
) -> None:
    image = workspace.catalogue.image(7)
    lines = ["path,title", f"{image.uri},{image.title}", *(f"wrong/{n}.png,t" for n in range(3))]
    (tmp_path / "t.csv").write_text("\n".join(lines), encoding="utf-8")
    app = open_page(workspace, "images")
    app.text_input(key="folder").set_value(str(image.path.parent))
    next(box for box in app.text_input if "Metadata" in box.label).set_value(str(tmp_path / "t.csv"))
    button(app, "Add images").click()
    run_until(app, lambda: any("3 paths of the metadata name no image" in one.label for one in app.expander))
    check(app)
    assert "wrong/0.png" in str([one.value for one in app.dataframe])


def test_a_lone_kind_of_label_is_said_on_the_page(
    open_page: Callable[..., AppTest], workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    validation.draw_validation(workspace, watercolor, 10, seed=1)
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor))
    oracle.truth = dict.fromkeys(oracle.truth, False)
    oracle.answer(workspace, rounds.start_round(workspace, watercolor, count=8, seed=1).task)
    app = open_page(workspace, "rounds")
    words = text_of(app)
    assert "All labels that could teach are the same so far" in words
    assert "Traceback" not in words
    assert any(one.label == "Start round 2" for one in app.button)


def test_two_annotators_are_told_to_wait_for_each_other(
    open_page: Callable[..., AppTest], workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    workspace.redundancy = 2
    validation.draw_validation(workspace, watercolor, 10, seed=1)
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor), name="me")
    assert "waits for another annotator" in text_of(open_page(workspace, "annotate"))


def test_another_number_of_votes_is_shown_with_what_it_does_before_it_is_in_use(
    open_page: Callable[..., AppTest], workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    validation.draw_validation(workspace, watercolor, 10, seed=1)
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor))
    app = open_page(workspace, "attributes")
    {each.label: each for each in app.number_input}["For evaluation"].set_value(2).run()
    assert (workspace.redundancy, workspace.judging_redundancy) == (1, 1), "it is only shown"
    assert "10 images lose their labels until further votes are in, and 0 images get one" in text_of(app)
    button(app, "Require 1 and 2").click().run()
    assert (workspace.redundancy, workspace.judging_redundancy) == (1, 2)
    assert "Require" not in {each.label for each in app.button}
    inputs = {each.label: each for each in app.number_input}
    assert (inputs["For training"].value, inputs["For evaluation"].value) == (1, 2)
    inputs["For training"].set_value(2).run()
    assert "No label changes" in text_of(app)
    button(app, "Undo").click().run()
    assert (workspace.redundancy, workspace.judging_redundancy) == (1, 1)


def test_the_size_of_an_assignment_and_its_lease_are_set_on_the_attributes_page(
    open_page: Callable[..., AppTest], workspace: Workspace, watercolor: Attribute
) -> None:
    app = open_page(workspace, "attributes")
    {each.label: each for each in app.number_input}["Images per assignment"].set_value(50).run()
    {each.label: each for each in app.number_input}["Given to others after, in minutes"].set_value(10).run()
    assert (workspace.assignment_size, workspace.lease_minutes) == (50, 10)


def test_a_checkpoint_that_does_not_fit_is_told_and_the_encoder_stays(
    open_page: Callable[..., AppTest], workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "notes.safetensors").write_text("these are no weights")
    app = open_page(workspace, "embed")
    app.radio[0].set_value("timm").run()
    app.text_input(key="model").set_value("resnet18")
    app.text_input(key="checkpoint").set_value(str(tmp_path / "notes.safetensors"))
    button(app, "Move to this encoder").click()
    app.run()
    run_until(app, lambda: app.error)
    assert not app.exception
    assert ui.plain("notes.safetensors") in app.error[0].value
    assert workspace.choice.spec == "builtin"


@pytest.mark.parametrize(
    ("kind", "words"), [("combined", "see how it is made"), ("builtin", "in seconds"), ("network", "less well")]
)
def test_the_embeddings_page_says_what_an_encoder_of_the_box_sees(
    open_page: Callable[..., AppTest], workspace: Workspace, kind: str, words: str
) -> None:
    app = open_page(workspace, "embed")
    app.radio[0].set_value(kind).run()
    assert not app.exception
    assert any(words in caption.value for caption in app.caption)
    assert not {"Model", "Checkpoint file (optional)"} & {field.label for field in app.text_input}


def test_without_the_weights_of_the_network_the_page_says_so_and_the_encoder_stays(
    open_page: Callable[..., AppTest], workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bam_engine.embedding.network._PACKAGE", "weights_that_nobody_installed")
    app = open_page(workspace, "embed")
    app.radio[0].set_value("combined").run()
    button(app, "Move to this encoder").click().run()
    run_until(app, lambda: app.error)
    assert ui.plain("pip install") in app.error[0].value
    assert workspace.choice.spec == "builtin"


def test_with_openclip_the_search_box_reads_text_and_a_round_starts_from_it(
    open_page: Callable[..., AppTest],
    workspace: Workspace,
    watercolor: Attribute,
    oracle: Oracle,
    clip_checkpoint: Path,
) -> None:
    workspace.choose_encoder("openclip:small-test", clip_checkpoint)
    embed_collection(workspace)
    app = open_page(workspace, "gallery")
    app.text_input(key="gallery-search").set_value("a red apple").run()
    check(app)
    assert "**120 images** found" in text_of(app)
    validation.draw_validation(workspace, watercolor, 10, seed=1)
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor))
    app = open_page(workspace, "rounds")
    app.segmented_control[0].set_value("text").run()
    check(app)
    assert "matches the text" in text_of(app)
    button(app, "Start round 1").click().run()
    assert rounds.rounds_of(workspace, watercolor)[0].strategy == "text"
