"""What a demo adds to the pages: its start, the banner, simulated annotators, the truth; real workspaces lack it."""

import re
from pathlib import Path

import numpy as np
import pytest

from bam_engine.audit import audits
from bam_engine.demo import demo_workspace as demo
from bam_engine.demo import simulated_annotators
from bam_engine.formatting import percent
from bam_engine.reporting.report import gather
from bam_engine.reporting.report_file import write_report
from bam_engine.training import rounds
from bam_engine.workspace import Workspace
from tests.pages.conftest import run_until, text_of

PAGES = (
    "overview",
    "gallery",
    "map",
    "image",
    "rounds",
    "threshold",
    "audit",
    "report",
    "images",
    "export",
    "agreement",
)


def html_of(app) -> str:
    return "\n".join(str(part.proto.body) for part in app.get("html"))


@pytest.mark.slow
def test_an_empty_home_offers_the_demo_and_ones_own_images(open_page, tmp_path: Path, stub_drawing: None) -> None:
    empty = Workspace(tmp_path / "workspace", tmp_path / "cache")
    app = open_page(empty, "overview")
    assert [button.label for button in app.button if button.key in ("try-demo", "add-images")] == [
        "Try the demo",
        "Add your images",
    ]
    assert "Generated images" not in html_of(app)
    next(one for one in app.segmented_control if one.label == "Images").set_value(300).run()
    app.button(key="try-demo").click().run()
    run_until(app, lambda: demo.demo(empty) is not None and demo.unfinished(empty) is None)
    run_until(app, lambda: "Start with an attribute" in [part.value for part in app.subheader])
    assert "Generated images" in html_of(app)
    assert len(empty.catalogue) == 300
    empty.close()


@pytest.mark.parametrize("page", PAGES)
def test_every_page_of_a_demo_says_that_its_images_are_generated(
    open_page, demo_workspace: Workspace, page: str
) -> None:
    app = open_page(demo_workspace, page)
    assert not app.exception
    assert "Generated images" in html_of(app)


@pytest.mark.parametrize("page", ["rounds", "audit", "threshold", "annotate"])
def test_a_workspace_of_real_images_offers_none_of_it(open_page, workspace: Workspace, watercolor, page: str) -> None:
    app = open_page(workspace, page)
    assert not any("imulated" in button.label for button in app.button)
    assert "Generated images" not in html_of(app)
    assert "truth" not in html_of(app)


@pytest.mark.slow
def test_simulated_annotators_label_what_waits_and_then_all(open_page, demo_workspace: Workspace) -> None:
    attribute = demo_workspace.attributes.get("media_watercolor")
    app = open_page(demo_workspace, "rounds", attribute=attribute.name)
    app.button(key=f"simulate-{attribute.id}-once").click().run()
    run_until(app, lambda: re.search(r"the validation sample: (4[89]|5\d) answers", text_of(app).replace("\\", "")))
    assert rounds.state(demo_workspace, attribute).validation.complete
    app.number_input(key=f"simulate-{attribute.id}-rate").set_value(10.0)
    app.button(key=f"simulate-{attribute.id}-whole").click().run()
    run_until(app, lambda: (found := audits.latest_result(demo_workspace, attribute)) is not None and found.complete)
    run_until(app, lambda: "Ground truth" in html_of(app))
    kinds = {who.name: who.simulated for who in demo_workspace.annotations.annotators()}
    assert {f"Simulated {number} ({rate} % wrong)" for number in (1, 2) for rate in (5, 10)} <= set(kinds)
    assert all(kinds.values())


@pytest.mark.slow
def test_estimates_stand_beside_the_truth_on_every_page_that_has_them(open_page, demo_workspace: Workspace) -> None:
    attribute = demo_workspace.attributes.get("media_watercolor")
    simulated_annotators.play(demo_workspace, attribute, simulated_annotators.Team())
    truth = demo.ground_truth(demo_workspace, attribute)
    assert truth is not None
    assert truth.threshold is not None
    for page in ("rounds", "threshold", "audit", "report"):
        shown = html_of(open_page(demo_workspace, page, attribute=attribute.name))
        assert f"precision {percent(truth.threshold.precision)}" in shown, page
        assert "Known only because the collection is generated." in shown
    home = open_page(demo_workspace, "overview")
    assert f"truth {percent(truth.threshold.precision)}" in html_of(home)
    cells = {cell.label: cell.value for cell in home.metric}
    assert cells["Answers by people"] == "0"
    assert int(cells["Answers by simulated annotators"].replace(",", "")) > 60


def test_the_report_says_generated_and_true_and_who_is_simulated(
    demo_workspace: Workspace, workspace: Workspace, watercolor, oracle
) -> None:
    attribute = demo_workspace.attributes.get("media_watercolor")
    simulated_annotators.play(demo_workspace, attribute, simulated_annotators.Team())
    text = write_report(demo_workspace, gather(demo_workspace, attribute))
    truth = demo.ground_truth(demo_workspace, attribute)
    assert truth is not None
    assert truth.threshold is not None
    assert "Generated images." in text
    assert f"precision {percent(truth.threshold.precision)}" in text
    assert "(simulated)" in text
    assert np.isfinite(truth.threshold.precision)
    oracle.play(workspace, watercolor, count=1)
    real = write_report(workspace, gather(workspace, watercolor))
    assert "Generated images." not in real
    assert "Ground truth" not in real
