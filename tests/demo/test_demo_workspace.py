"""The demo's workspace: made in one run that goes on, walled off from real images, its truth beside the estimates."""

import csv
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image

from bam_engine import database as db
from bam_engine.annotation import NewAnswer
from bam_engine.audit import audits
from bam_engine.cli import main
from bam_engine.collection import demo_of, ingest_folder
from bam_engine.collection.records import Place
from bam_engine.demo import demo_workspace as demo
from bam_engine.demo import simulated_annotators
from bam_engine.errors import AnnotationError, CollectionError, NotFound, Stopped
from bam_engine.labelling import tasks
from bam_engine.reporting.export import export
from bam_engine.reporting.overview import overview
from bam_engine.training.models import latest_model, scores_of
from bam_engine.training.thresholds import current_threshold
from bam_engine.workspace import Workspace
from tests.stub_demo import NAMES


@pytest.fixture
def blank(tmp_path: Path) -> Iterator[Workspace]:
    opened = Workspace(tmp_path / "blank" / "workspace", tmp_path / "blank" / "cache")
    yield opened
    opened.close()


def real_pictures(folder: Path, count: int = 3) -> Path:
    folder.mkdir(parents=True)
    for number in range(count):
        Image.new("RGB", (40, 30), (number * 60, 90, 20)).save(folder / f"{number}.jpg")
    return folder


def test_a_demo_is_drawn_added_embedded_and_asked_about_in_one_run(demo_workspace: Workspace) -> None:
    images = demo_workspace.catalogue.images(range(len(demo_workspace.catalogue)))
    assert len(images) == len(demo_workspace.vectors()) == 120
    assert {attribute.name for attribute in demo_workspace.attributes.all()} == set(NAMES)
    assert all(image.license == "generated" and image.title and image.project_id for image in images)
    assert demo_workspace.folder in images[0].path.parents
    assert overview(demo_workspace).generated
    assert "generated" in (demo.folder_of(demo_workspace) / "GENERATED.txt").read_text()


def test_its_truth_is_that_of_the_table_image_by_image(demo_workspace: Workspace) -> None:
    folder = demo.folder_of(demo_workspace)
    with (folder / "truth.csv").open(newline="") as file:
        lines = {str(folder / line["path"]): line for line in csv.DictReader(file)}
    for name in ("content_dog", "emotion_scary"):
        known = demo.true_labels(demo_workspace, name)
        assert [int(lines[uri][name]) for uri in demo_workspace.catalogue.uris()] == known.tolist()


def test_a_demo_that_was_moved_keeps_its_truth(demo_workspace: Workspace, tmp_path: Path, stub_drawing: None) -> None:
    attribute = demo_workspace.attributes.get("media_watercolor")
    simulated_annotators.play_next(demo_workspace, attribute, simulated_annotators.Team(error_rate=0))
    simulated_annotators.play_next(demo_workspace, attribute, simulated_annotators.Team(error_rate=0))
    known = demo.true_labels(demo_workspace, attribute.name)
    demo_workspace.close()
    shutil.move(demo_workspace.folder, tmp_path / "moved")
    moved = Workspace(tmp_path / "moved", demo_workspace.cache.parent)
    assert (demo.true_labels(moved, attribute.name) == known).all(), "of images whose files are where they were no more"
    demo.make_demo(moved, count=130)
    assert len(moved.catalogue) == 130
    assert all(image.path.exists() for image in moved.catalogue.images(range(130)))
    assert (demo.true_labels(moved, attribute.name)[:120] == known).all()
    moved.catalogue.move({row: Place(f"/nowhere/{row}") for row in range(125)})
    few = demo.ground_truth(moved, attribute)
    assert few is not None
    assert few.wrong == 0, "what is not known is not wrong"
    moved.catalogue.move({row: Place(f"/nowhere/{row}") for row in range(125, 130)})
    assert demo.ground_truth(moved, attribute) is None
    moved.close()


def test_a_run_that_was_stopped_goes_on_and_more_works_can_be_asked_for(blank: Workspace, stub_drawing: None) -> None:
    def stop_at(share: int) -> object:
        def report(done: int, total: int | None, message: str = "") -> None:
            if done >= share:
                raise Stopped("enough")

        return report

    for share in (30, 57):  # while drawing, and once the images are to be added
        with pytest.raises(Stopped):
            demo.make_demo(blank, count=24, report=stop_at(share))
        stopped = demo.unfinished(blank)
        assert stopped is not None
        assert stopped.count == 24
    seen: list[int] = []
    demo.make_demo(blank, count=24, report=lambda done, total, message="": seen.append(done))
    assert demo.unfinished(blank) is None
    assert seen == sorted(seen)
    assert seen[-1] == 100
    before = blank.catalogue.uris()
    assert demo.make_demo(blank, count=30, attributes=["content_dog"]).images == 30
    assert blank.catalogue.uris()[:24] == before


def test_real_and_generated_images_never_share_a_workspace(
    demo_workspace: Workspace, blank: Workspace, tmp_path: Path
) -> None:
    real = real_pictures(tmp_path / "real")
    with pytest.raises(CollectionError, match=r"0\.jpg: It is a real image, but this workspace holds a demo of 120"):
        ingest_folder(demo_workspace.catalogue, demo_workspace.thumbnails, real)
    assert len(demo_workspace.catalogue) == 120
    drawn = demo.folder_of(demo_workspace)
    for number in range(2):  # into an empty workspace, and into one with real images
        with pytest.raises(CollectionError, match=r"\.jpg: It is a generated demo image, .* the two never mix"):
            ingest_folder(blank.catalogue, blank.thumbnails, drawn)
        if number == 0:
            ingest_folder(blank.catalogue, blank.thumbnails, real)
    assert blank.catalogue.problems("ingest") == []
    with pytest.raises(CollectionError, match="this workspace holds 3 real images"):
        demo.make_demo(blank, count=5)
    assert demo_of(blank.engine) is None
    assert len(blank.catalogue) == 3
    shutil.copy(next(drawn.rglob("*.jpg")), real / "0-drawn.jpg")  # first: it stops nothing
    real_pictures(real / "more", count=5)
    mixed = ingest_folder(blank.catalogue, blank.thumbnails, real)
    assert (mixed.added, mixed.existing, len(mixed.duplicates)) == (2, 3, 3)
    assert [(Path(problem.path).name, problem.reason[:35]) for problem in blank.catalogue.problems("ingest")] == [
        ("0-drawn.jpg", "It is a generated demo image, but t")
    ]
    with pytest.raises(CollectionError, match="with seed 7: this workspace holds the demo with seed 0"):
        demo.make_demo(demo_workspace, count=5, seed=7)


def test_only_in_a_demo_may_anything_but_people_answer(blank: Workspace, demo_workspace: Workspace) -> None:
    with pytest.raises(AnnotationError, match="never mix with those of people"):
        blank.annotations.annotator("Simulated 1", simulated=True)
    with pytest.raises(AnnotationError, match="a workspace of real images"):
        simulated_annotators.team_of(blank)
    attribute = blank.attributes.add("media_watercolor", "media", "Is it?")
    with pytest.raises(AnnotationError, match="a workspace of real images"):
        simulated_annotators.play(blank, attribute, simulated_annotators.Team())
    with blank.engine.begin() as connection:  # whoever writes one past the store is refused where answers go in
        smuggled = {"name": "smuggled", "simulated": True, "made_at": db.now()}
        who = connection.execute(sa.insert(db.annotators).values(smuggled)).inserted_primary_key[0]
    with pytest.raises(AnnotationError, match="'smuggled' cannot answer here"):
        blank.annotations.assign(attribute.id, who, [0], purpose="round", source_id=0)
    person = blank.annotations.annotator("me")
    assignment = blank.annotations.assign(attribute.id, person, [0], purpose="round", source_id=0)
    with blank.engine.begin() as connection:
        table = db.assignments
        connection.execute(sa.update(table).where(table.c.id == assignment.id).values(annotator_id=who))
    with pytest.raises(AnnotationError, match="'smuggled' cannot answer here"):
        blank.annotations.record(assignment.id, [NewAnswer("uid", 0, 1)])
    assert demo_workspace.annotations.annotator("Simulated 1", simulated=True)


def test_a_name_that_says_simulated_is_no_persons(demo_workspace: Workspace) -> None:
    name = simulated_annotators.Team().name(1)
    demo_workspace.annotations.annotator(name, simulated=True)
    with pytest.raises(AnnotationError, match="Choose another name"):
        demo_workspace.annotations.annotator(name)


def test_truth_is_not_known_of_real_images_or_other_attributes(blank: Workspace, demo_workspace: Workspace) -> None:
    watercolor = blank.attributes.add("media_watercolor", "media", "Is it?")
    assert demo.ground_truth(blank, watercolor) is None
    with pytest.raises(NotFound, match="This workspace holds real images"):
        demo.true_labels(blank, "media_watercolor")
    own = demo_workspace.attributes.add("blue", "own", "Is it blue?")
    assert demo.ground_truth(demo_workspace, own) is None


def test_estimates_stand_beside_what_a_count_of_all_images_gives(demo_workspace: Workspace) -> None:
    attribute = demo_workspace.attributes.get("media_watercolor")
    team = simulated_annotators.Team(error_rate=0)
    for _ in range(10):  # up to the threshold
        simulated_annotators.play_next(demo_workspace, attribute, team)
    everything = audits.draw(demo_workspace, attribute, n_accepted=500, n_rejected=500, seed=1)
    simulated_annotators.answer(demo_workspace, everything.task, team)
    truth, known = (
        demo.ground_truth(demo_workspace, attribute),
        demo.true_labels(demo_workspace, attribute.name),
    )
    threshold, audit = current_threshold(demo_workspace, attribute), audits.latest_result(demo_workspace, attribute)
    assert truth is not None
    assert threshold is not None
    assert audit is not None
    agreed = tasks.labels(demo_workspace, attribute)
    accepted = scores_of(demo_workspace, attribute) >= threshold.value
    accepted[agreed.rows] = agreed.labels == 1  # what is delivered: people decide before the classifier
    assert truth.threshold is not None
    assert truth.threshold.accepted == accepted.sum()
    assert truth.threshold.precision == pytest.approx(known[accepted].mean())
    assert truth.threshold.recall == pytest.approx(known[accepted].sum() / known.sum())
    assert truth.wrong == 0
    assert truth.positive == known.sum()
    # the audit judged every image that was left, so without errors its share is the true one
    judged = audit.precision
    assert judged is not None
    assert judged.n == audit.n_accepted
    assert truth.audited == pytest.approx(judged.value)
    assert audit.missed is not None
    assert truth.missed == pytest.approx(audit.missed.value)
    assert [point.labels for point in truth.rounds] == [10, 20, 30, 40]
    model = latest_model(demo_workspace, attribute)
    assert model is not None
    assert truth.rounds[-1].at_threshold == demo.true_performance(demo_workspace, attribute, threshold.value)


def test_every_export_says_that_its_images_are_generated(demo_workspace: Workspace, tmp_path: Path) -> None:
    attribute = demo_workspace.attributes.get("media_watercolor")
    simulated_annotators.play_next(demo_workspace, attribute, simulated_annotators.Team())
    tables = {path.name: path for path in export(demo_workspace, tmp_path / "csv", form="csv")}
    assert "drawn by this program" in tables["GENERATED.txt"].read_text()
    with tables["images.csv"].open(newline="") as file:
        assert {(line["generated"], line["license"]) for line in csv.DictReader(file)} == {("True", "generated")}
    with tables["annotations.csv"].open(newline="") as file:
        assert {line["simulated"] for line in csv.DictReader(file)} == {"True"}
    written = export(demo_workspace, tmp_path / "bam" / "bam.sqlite", form="sqlite")
    assert [path.name for path in written] == ["bam.sqlite", "GENERATED.txt"]
    connection = sqlite3.connect(written[0])
    assert "drawn by this program" in connection.execute("select notice from generated").fetchone()[0]
    assert connection.execute("select distinct simulated from workers").fetchall() == [(1,)]
    assert connection.execute("select distinct license from modules").fetchall() == [("generated",)]
    connection.close()


def test_an_export_of_real_images_says_nothing_of_the_kind(workspace: Workspace, tmp_path: Path) -> None:
    assert [path.name for path in export(workspace, tmp_path / "bam.sqlite", form="sqlite")] == ["bam.sqlite"]
    (images, *_) = export(workspace, tmp_path / "csv", form="csv")
    assert "generated" not in images.read_text().splitlines()[0]


def test_a_larger_collection_keeps_what_was_said_of_a_smaller_one() -> None:
    truth = np.random.default_rng(0).integers(0, 2, 400).astype(np.int8)
    small = simulated_annotators.simulate_answers(truth[:100], error_rate=0.1, rng=np.random.default_rng(1))
    large = simulated_annotators.simulate_answers(truth, error_rate=0.1, rng=np.random.default_rng(1))
    careless = simulated_annotators.simulate_answers(truth, error_rate=0.3, rng=np.random.default_rng(1))
    assert small.tolist() == large[:100].tolist()
    wrong = large != truth
    assert 0.05 < wrong.mean() < 0.15
    assert (careless != truth)[wrong].all()


def test_the_command_line_makes_a_demo_and_plays_an_attribute(
    tmp_path: Path, stub_drawing: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BAM_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("BAM_CACHE", str(tmp_path / "cache"))
    assert main(["demo", "--count", "120", "--attributes", "media_watercolor"]) == 0
    assert main(["demo", "--play", "media_watercolor", "--error-rate", "0.02"]) == 0
    out = capsys.readouterr().out
    assert "120 generated images" in out
    assert "round 4: " in out
    assert "known because the images are generated" in out
    assert main(["status"]) == 0
    out = capsys.readouterr().out
    assert "120 generated images" in out
    assert "0 answers by people, " in out
    assert "by simulated annotators" in out
    assert main(["demo", "--play", "content_dog"]) == 1  # not defined in this demo
    assert "There is no attribute 'content_dog'" in capsys.readouterr().err
    assert main(["demo", "--seed", "4"]) == 1
    assert "this workspace holds the demo with seed 0" in capsys.readouterr().err
