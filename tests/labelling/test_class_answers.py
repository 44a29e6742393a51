"""Classes of other tools become votes of a named source: they train, they never judge, and nothing is stored twice."""

import json
from pathlib import Path

import pytest

from bam_engine.annotation import Attribute
from bam_engine.errors import AnnotationError, ExchangeError, NotFound
from bam_engine.labelling import tasks
from bam_engine.labelling.class_answers import find_classes, import_classes, plan_classes, undo_classes
from bam_engine.workspace import Workspace
from tests.cli.test_cli import home, run  # noqa: F401 - a fixture
from tests.labelling.team import vote


@pytest.fixture
def coco(workspace: Workspace, tmp_path: Path) -> Path:
    """A COCO file of ten pictures of the collection and one that is not in it."""
    paths = ["/".join(Path(workspace.catalogue.image(row).uri).parts[-3:]) for row in range(10)]
    shown = {1: [0, 1, 2], 2: [2, 3], 3: []}
    content = {
        "images": [{"id": number, "file_name": name} for number, name in enumerate([*paths, "elsewhere.jpg"])],
        "annotations": [
            {"image_id": image, "category_id": category} for category, images in shown.items() for image in images
        ],
        "categories": [{"id": 1, "name": "watercolor"}, {"id": 2, "name": "Red kite"}, {"id": 3, "name": "dog"}],
    }
    content["images"][9]["neg_category_ids"] = [1]
    content["images"][0]["neg_category_ids"] = [1]  # it says both of image 0
    file = tmp_path / "instances.json"
    file.write_text(json.dumps(content))
    return file


def votes(workspace: Workspace, name: str) -> dict[int, int]:
    found = tasks.votes(workspace, workspace.attributes.get(name))
    return dict(zip(found.rows.tolist(), found.answers.tolist(), strict=True))


def test_what_a_source_does_not_say_is_no_answer(workspace: Workspace, watercolor: Attribute, coco: Path) -> None:
    found = find_classes(workspace, coco)
    assert list(found.counts.items()) == [("watercolor", 3), ("Red kite", 2), ("dog", 0)]
    assert found.matches.unmatched == ["elsewhere.jpg"]
    known, kite = import_classes(workspace, found, {"watercolor": "", "Red kite": ""}, annotator="COCO")
    assert (known.attribute, known.added, known.contradictions) == ("media_watercolor", False, 1)
    assert votes(workspace, watercolor.name) == {1: 1, 2: 1, 9: 0}
    assert (kite.attribute, kite.added) == ("red_kite", True)
    assert votes(workspace, "red_kite") == {2: 1, 3: 1}
    (again, _) = import_classes(workspace, found, {"watercolor": "", "Red kite": ""}, annotator="COCO")
    assert (again.stored.new, again.stored.repeated) == (0, 3)


def test_a_complete_source_says_no_about_its_own_images_alone(
    workspace: Workspace, watercolor: Attribute, coco: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bam_engine.labelling.class_answers.AT_ONCE", 4)  # in three transactions
    found = find_classes(workspace, coco)
    (imported,) = import_classes(workspace, found, {"Red kite": watercolor.name}, annotator="COCO", complete=True)
    assert votes(workspace, watercolor.name) == {row: int(row in (2, 3)) for row in range(10)}
    assert (imported.stored.yes, imported.stored.no) == (2, 8)
    assert [one.name for one in workspace.annotations.annotators()] == ["COCO"]


def test_several_classes_are_one_attribute(workspace: Workspace, coco: Path) -> None:
    workspace.attributes.add("shown", "own", "Is anything shown?")
    wanted = {"watercolor": "shown", "Red kite": "shown"}
    (imported,) = import_classes(workspace, find_classes(workspace, coco), wanted, annotator="COCO")
    assert imported.classes == ("watercolor", "Red kite")
    assert votes(workspace, "shown") == {1: 1, 2: 1, 3: 1}  # that image 9 shows no watercolour says nothing of kites


def test_nothing_is_stored_where_anything_is_wrong(workspace: Workspace, watercolor: Attribute, coco: Path) -> None:
    found = find_classes(workspace, coco)
    with pytest.raises(ExchangeError, match=r"no class cow\. There are: watercolor \(3\), Red kite \(2\), dog \(0\)"):
        import_classes(workspace, found, {"watercolor": "", "cow": ""}, annotator="COCO")
    with pytest.raises(NotFound, match="no attribute 'cats'"):
        import_classes(workspace, found, {"watercolor": "", "Red kite": "cats"}, annotator="COCO")
    with pytest.raises(AnnotationError):
        import_classes(workspace, found, {"watercolor": ""}, annotator=" ")
    workspace.attributes.archive(workspace.attributes.add("red_kite", "own", "A kite?").id)
    with pytest.raises(AnnotationError, match="red_kite is archived, and the class Red kite is called like it"):
        import_classes(workspace, found, {"watercolor": "", "Red kite": ""}, annotator="COCO")
    assert not votes(workspace, watercolor.name)


def test_pictures_that_are_not_here_are_named(workspace: Workspace, tmp_path: Path) -> None:
    content = {"images": [{"id": 1, "file_name": "x.jpg"}], "annotations": [], "categories": [{"id": 1, "name": "a"}]}
    (tmp_path / "other.json").write_text(json.dumps(content))
    with pytest.raises(ExchangeError, match=r"None of the 1 picture of .*The first is x\.jpg\. Ingest"):
        find_classes(workspace, tmp_path / "other.json")


@pytest.mark.usefixtures("home")
def test_the_command_lists_classes_and_stores_those_that_are_named(
    coco: Path, watercolor: Attribute, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, "labels", "import-classes", coco)
    assert code == 0
    assert out.splitlines() == [
        f"{coco}: a COCO file, 10 images in the collection",
        "  1 path matches no image:",
        "    elsewhere.jpg",
        "classes, and the images that show them:",
        "          3  watercolor",
        "          2  Red kite",
        "          0  dog",
        "nothing is stored: name classes with --class, and their source with --annotator",
    ]
    code, out, err = run(capsys, "labels", "import-classes", coco, "--class", "watercolor")
    assert code != 0
    assert "Say who gave these labels with --annotator" in err
    wanted = ("--class", "watercolor", "--class", "Red kite=media_watercolor", "--annotator", "COCO")
    code, out, _ = run(capsys, "labels", "import-classes", coco, *wanted)
    assert (code, votes(workspace, "media_watercolor")) == (0, {1: 1, 2: 1, 3: 1})
    assert out.splitlines()[3:] == [
        "3 labels of media_watercolor stored for COCO: 3 yes, 0 no, 0 unsure",
        "  1 left out: said to show it, and not to",
        "  nothing is a no: a classifier needs both. If the source has all that show it, import with --complete",
    ]


def test_a_plan_says_what_would_be_offered_and_stores_nothing(
    workspace: Workspace, watercolor: Attribute, coco: Path
) -> None:
    found = find_classes(workspace, coco)
    known, kite = plan_classes(workspace, found, {"watercolor": "", "Red kite": ""}, complete=True)
    assert (known.attribute, known.exists, known.yes, known.no, known.contradictions) == (
        watercolor.name,
        True,
        2,
        7,
        1,
    )
    assert (kite.attribute, kite.exists, kite.yes, kite.no) == ("red_kite", False, 2, 8)
    assert not votes(workspace, watercolor.name)
    assert [attribute.name for attribute in workspace.attributes.all()] == [watercolor.name]
    stored = import_classes(workspace, found, {"watercolor": "", "Red kite": ""}, annotator="COCO", complete=True)
    assert [(each.stored.yes, each.stored.no) for each in stored] == [(2, 7), (2, 8)]


def test_an_import_is_taken_back_and_what_was_said_before_stands(
    workspace: Workspace, watercolor: Attribute, coco: Path
) -> None:
    vote(workspace, watercolor, "COCO", {1: 0, 50: 1})
    vote(workspace, watercolor, "ada", {2: 1})
    before = votes_by(workspace, watercolor.name)
    found = find_classes(workspace, coco)
    imported = import_classes(workspace, found, {"watercolor": "", "Red kite": ""}, annotator="COCO")
    assert votes_by(workspace, watercolor.name) != before
    assert undo_classes(workspace, imported, annotator="COCO") == 5
    assert votes_by(workspace, watercolor.name) == before
    assert [attribute.name for attribute in workspace.attributes.archived()] == ["red_kite"]
    assert undo_classes(workspace, imported, annotator="COCO") == 0, "twice changes nothing"
    again = import_classes(workspace, found, {"watercolor": ""}, annotator="COCO")
    assert again[0].stored.new == 3
    vote(workspace, watercolor, "COCO", {9: 1})
    undo_classes(workspace, again, annotator="COCO")
    coco_id = workspace.annotations.annotator("COCO")
    assert votes_by(workspace, watercolor.name) == before | {(9, coco_id): 1}, "what came later stands"


def votes_by(workspace: Workspace, name: str) -> dict[tuple[int, int], int]:
    found = tasks.votes(workspace, workspace.attributes.get(name))
    pairs = zip(found.rows.tolist(), found.annotators.tolist(), strict=True)
    return dict(zip(pairs, found.answers.tolist(), strict=True))
