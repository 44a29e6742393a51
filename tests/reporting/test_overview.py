"""The overview leads from an empty workspace to the export, one step at a time."""

from pathlib import Path

from PIL import Image

from bam_engine.annotation import Attribute
from bam_engine.audit import audits
from bam_engine.collection import ingest_folder
from bam_engine.reporting.overview import overview
from bam_engine.training import thresholds
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
