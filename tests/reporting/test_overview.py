"""The overview leads from an empty workspace to the export, one step at a time."""

from pathlib import Path

from PIL import Image

from bam_engine.annotation import Attribute
from bam_engine.audit import audits
from bam_engine.collection import ingest_folder
from bam_engine.labelling import tasks
from bam_engine.reporting.overview import overview, waiting_for, waiting_tasks
from bam_engine.training import thresholds, validation
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import embed_collection, problem_stage
from tests.conftest import Oracle


def test_the_overview_leads_from_an_empty_workspace_to_the_export(tmp_path: Path) -> None:
    empty = Workspace(tmp_path / "workspace", tmp_path / "cache")
    assert overview(empty).next.step == "add_images"
    empty.close()


def test_the_overview_asks_for_the_audit_once_a_threshold_is_kept(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    assert overview(workspace).next.step == "draw_validation"
    oracle.play(workspace, watercolor, count=4, batch=8)
    assert overview(workspace).next.step == "decide"
    thresholds.save(workspace, watercolor, thresholds.suggest(workspace, watercolor, target=0.9))
    assert overview(workspace).next.step == "audit"
    oracle.answer(workspace, audits.draw(workspace, watercolor, n_accepted=5, n_rejected=5, seed=1).task)
    state = overview(workspace)
    assert state.next.step == "done"
    assert state.attributes[0].audited is not None


def test_images_without_a_vector_are_no_embedded_ones_and_what_to_do_is_not_to_try_again(
    workspace: Workspace, tmp_path: Path
) -> None:
    folder = tmp_path / "more"
    folder.mkdir()
    Image.new("RGB", (8, 8), "red").save(folder / "edited.png")
    ingest_folder(workspace.catalogue, workspace.thumbnails, folder)
    Image.new("RGB", (8, 8), "blue").save(folder / "edited.png")
    ingest_folder(workspace.catalogue, workspace.thumbnails, folder)
    embed_collection(workspace)
    state = overview(workspace)
    assert (state.images, state.embedded, state.next.step) == (122, 121, "add_attribute")
    (problem,) = workspace.catalogue.problems(problem_stage("builtin-v1"))
    assert problem.path == str(folder / "edited.png")
    assert "holds something else" in problem.reason


def test_what_waits_for_each_person_is_what_the_annotate_page_would_give_them(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    cats = workspace.attributes.add("content_cat", "content", "Is there a cat?")
    for attribute, size in ((watercolor, 10), (cats, 6)):
        validation.draw_validation(workspace, attribute, size, seed=1)
    workspace.judging_redundancy = 2
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor), name="anna")
    for name in ("ben", "gone"):
        workspace.annotations.annotator(name)
    workspace.annotators.archive(workspace.annotations.annotator("gone"))
    found = {one.annotator: one for one in waiting_for(workspace, also="eve")}
    assert list(found) == ["ben", "eve", "anna"], "most images first"
    assert found["anna"].attributes == (("content_cat", 6),), "nobody is asked twice"
    assert found["ben"].attributes == found["eve"].attributes == (("media_watercolor", 10), ("content_cat", 6))
    for name, one in found.items():
        given = [attribute.name for attribute in (watercolor, cats) if waiting_tasks(workspace, attribute, name)]
        assert [attribute for attribute, _ in one.attributes] == given


def test_looking_at_what_waits_makes_nobody_an_annotator(workspace: Workspace, watercolor: Attribute) -> None:
    validation.draw_validation(workspace, watercolor, 10, seed=1)
    (waiting,) = waiting_for(workspace, also="eve")
    assert (waiting.annotator, waiting.images) == ("eve", 10)
    assert workspace.annotators.find("eve") is None
    assert waiting_for(workspace) == ()


def test_an_image_on_which_people_do_not_agree_waits_for_a_further_person(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    workspace.judging_redundancy = 2
    validation.draw_validation(workspace, watercolor, 10, seed=1)
    for name, wrong in (("anna", False), ("ben", True)):
        oracle.answer(workspace, tasks.validation_task(workspace, watercolor), name=name, wrong=wrong)
    assert [(one.annotator, one.images) for one in waiting_for(workspace, also="eve")] == [("eve", 10)]
