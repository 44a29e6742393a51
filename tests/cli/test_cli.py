"""The command line does the app's steps, prints their results, and exits with the right code."""

import io
import json
import os
import time
from pathlib import Path

import pytest
from PIL import Image

from bam_engine.annotation import Attribute
from bam_engine.cli import main
from bam_engine.cli.simulation import truth_of
from bam_engine.collection import Problem
from bam_engine.guidance.guidance import guidance_of
from bam_engine.labelling import tasks
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.switching.other_encoder import open_other


@pytest.fixture
def home(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BAM_WORKSPACE", str(workspace.folder))
    monkeypatch.setenv("BAM_CACHE", str(workspace.cache.parent))
    return workspace.folder


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (
        "ingest",
        "embed",
        "attribute",
        "simulate",
        "score",
        "threshold",
        "extend",
        "layout",
        "audit",
        "report",
        "export",
        "status",
    ):
        with pytest.raises(SystemExit) as ended:
            main([command, "--help"])
        assert ended.value.code == 0
        assert command in capsys.readouterr().out


def test_a_wrong_command_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in (
        [],
        ["paint"],
        ["threshold", "x", "--target", "1.5"],
        ["simulate"],
        ["layout", "--best", "0"],
        ["demo", "--votes", "0"],
    ):
        with pytest.raises(SystemExit) as ended:
            main(wrong)
        assert ended.value.code == 2
    capsys.readouterr()


def test_a_folder_is_ingested_once(
    small_pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BAM_WORKSPACE", str(tmp_path / "w"))
    monkeypatch.setenv("BAM_CACHE", str(tmp_path / "c"))
    code, out, _ = run(capsys, "ingest", small_pictures, "--metadata", small_pictures / "labels.csv")
    assert (code, out.split(",")[0]) == (0, "120 images added")
    code, out, _ = run(capsys, "ingest", small_pictures)
    assert out.startswith("0 images added, 120 already in the collection")
    code, _, err = run(capsys, "ingest", tmp_path / "nowhere")
    assert code == 1
    assert err.strip().splitlines()[-1].startswith("error:")


def test_simulation_prints_both_strategies_and_writes_json(
    home: Path, small_pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = ["--labels", small_pictures / "labels.csv", "--column", "medium", "--positive", "watercolor"]
    sizes = ["--rounds", 2, "--batch", 10, "--validation", 30, "--json", tmp_path / "out.json"]
    code, out, _ = run(capsys, "simulate", *source, *sizes)
    assert code == 0
    assert "40 of 120 images positive" in out
    written = json.loads((tmp_path / "out.json").read_text())
    assert {name: [one["labels"] for one in rounds] for name, rounds in written["rounds"].items()} == {
        "mixture": [10, 20],
        "random": [10, 20],
    }
    code, _, err = run(capsys, "simulate", *source[:3], "material", *source[4:])
    assert code == 1
    assert "no column 'material'" in err


def test_the_protocol_is_played_beside_fixed_samples_and_random_sampling_and_touches_nothing(
    home: Path, workspace: Workspace, small_pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = ["--labels", small_pictures / "labels.csv", "--column", "medium", "--positive", "watercolor"]
    sizes = ["--rounds", 2, "--batch", 10, "--validation", 20, "--json", tmp_path / "out.json"]
    run(capsys, "status")  # the first command sweeps
    before = sorted(path for path in home.parent.rglob("*") if "bam.sqlite" not in path.name)
    code, out, err = run(capsys, "simulate", *source, "--protocol", "--judges", 2, *sizes)
    assert code == 0, err
    written = json.loads((tmp_path / "out.json").read_text())
    for name in ("protocol", "fixed_samples", "random_sampling"):
        played = written[name]
        assert set(played["delivered"]) == {"n", "precision", "recall"}
        assert played["labelled_images"] <= 120
        assert played["certified"] in (True, False)
        assert sum(played["answers"].values()) == played["human_answers"]
        assert name.replace("_", " ") in out
    assert written["random_sampling"]["answers"]["round"] == written["protocol"]["answers"]["round"]
    assert workspace.attributes.all() == []
    assert workspace.annotations.annotators() == []
    assert sorted(path for path in home.parent.rglob("*") if "bam.sqlite" not in path.name) == before


def test_the_protocol_of_a_demo_needs_no_table(
    demo_workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BAM_WORKSPACE", str(demo_workspace.folder))
    monkeypatch.setenv("BAM_CACHE", str(demo_workspace.cache.parent))
    code, out, err = run(capsys, "simulate", "--attribute", "media_watercolor", "--protocol", "--error-rate", 0)
    assert code == 0, err
    assert "media_watercolor: " in out
    code, _, err = run(capsys, "simulate", "--attribute", "content_thing", "--protocol")
    assert code == 1
    assert "The ground truth of 'content_thing' is unknown" in err


def test_a_simulation_says_what_it_lacks(home: Path, small_pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = ["--labels", small_pictures / "labels.csv", "--column", "medium"]
    assert "Name their column with --column" in run(capsys, "simulate", *labels)[2]
    whole = [*labels, "--positive", "watercolor", "--protocol"]
    assert "The error rate 0.5 is out of range" in run(capsys, "simulate", *whole, "--error-rate", 0.5)[2]


def test_what_of_the_metadata_names_no_image_and_new_details_are_told(
    small_pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BAM_WORKSPACE", str(tmp_path / "w"))
    monkeypatch.setenv("BAM_CACHE", str(tmp_path / "c"))
    known = (small_pictures / "labels.csv").read_text(encoding="utf-8").splitlines()[1].split(",")[0]
    lines = ["path,title,project", f"{known},named,own", *(f"wrong/{n}.png,," for n in range(8))]
    (tmp_path / "t.csv").write_text("\n".join(lines), encoding="utf-8")
    run(capsys, "ingest", small_pictures)
    code, out, _ = run(capsys, "ingest", small_pictures, "--metadata", tmp_path / "t.csv")
    assert code == 0
    assert "1 image in the collection with new details" in out
    assert "8 paths of the metadata match no image:\n    wrong/0.png\n" in out
    assert "    and 3 more" in out
    out = run(capsys, "ingest", small_pictures, "--project", "folder")[1]
    assert "119 images in the collection with new details" in out
    assert "1 image keeps its project, which is not the folder" in out


def test_what_of_a_truth_column_is_folded_or_left_out_is_told(
    home: Path, small_pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = (small_pictures / "labels.csv").read_text(encoding="utf-8").splitlines()
    with_spelling = [line.replace("watercolor", "Watercolor") if n == 3 else line for n, line in enumerate(lines)]
    (tmp_path / "t.csv").write_text("\n".join([*with_spelling, ",,,,watercolor,,", "gone.png,,,,oil,,"]), "utf-8")
    source = ["--labels", tmp_path / "t.csv", "--column", "medium", "--positive", "watercolor"]
    code, out, _ = run(capsys, "simulate", *source, "--rounds", 1, "--batch", 5, "--validation", 20)
    assert code == 0
    assert "counted as watercolor, too: 'Watercolor' (1 line)" in out
    assert "1 line has no path and no effect: line 122" in out
    assert "1 path matches no image:\n    gone.png" in out


def test_a_console_without_the_letters_of_a_name_gets_them_as_escapes(
    home: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.catalogue.record_problems([Problem("/é/日本.png", "empty", "ingest")])
    output = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(output, encoding="ascii"))
    assert main(["status"]) == 0
    assert rb"/\xe9/\u65e5\u672c.png: empty" in output.getvalue()


@pytest.mark.parametrize("arguments", [["status"], ["--help"]])
def test_a_reader_that_ends_early_gets_no_traceback(
    home: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        monkeypatch.setattr("sys.stdout", closed)
        assert main(arguments) == 141


def test_output_to_a_full_disk_is_an_error_in_words(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr("sys.stdout", full)
        assert main(["status"]) == 1
    assert "error: Cannot write: No space left on device." in capsys.readouterr().err


def test_simulation_finds_images_that_were_ingested_through_a_link(
    small_pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BAM_WORKSPACE", str(tmp_path / "w"))
    monkeypatch.setenv("BAM_CACHE", str(tmp_path / "c"))
    link = tmp_path / "link"
    link.symlink_to(small_pictures)
    assert run(capsys, "ingest", link)[0] == 0
    workspace = Workspace(tmp_path / "w", tmp_path / "c")
    rows, truth = truth_of(workspace, link / "labels.csv", "medium", "watercolor", 120)
    workspace.close()
    assert (len(rows), int(truth.sum())) == (120, 40)


def test_the_steps_from_attribute_to_export(
    workspace: Workspace, home: Path, oracle: Oracle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "attribute", "add", "media_watercolor")[0] == 0
    code, _, err = run(capsys, "attribute", "add", "own_blue")
    assert code == 1
    assert "--question" in err
    code, _, err = run(capsys, "score", "media_watercolor")
    assert code == 1
    assert "has no labels to train on" in err
    attribute = tasks.attribute_of(workspace, "media_watercolor")
    oracle.play(workspace, attribute, count=2)
    assert "24 labels" in run(capsys, "score", "media_watercolor")[1]
    assert "images accepted" in run(capsys, "threshold", "media_watercolor")[1]
    assert "to extend" in run(capsys, "extend", "media_watercolor")[2]
    code, out, err = run(capsys, "threshold", "media_watercolor", "--recall", 0.5, "--dry-run")
    assert code == 0
    assert "Recall is at least 50% with 95% confidence" in out
    assert (
        "Not enough positives to certify 99% recall"
        in run(capsys, "threshold", "media_watercolor", "--recall", 0.99)[2]
    )
    assert run(capsys, "threshold", "media_watercolor", "--joint", "--dry-run")[0] == 0
    code, out, _ = run(capsys, "audit", "media_watercolor", "--draw", "--accepted", 4, "--rejected", 4)
    assert "0 of 8 images labelled" in out
    assert run(capsys, "layout", "--method", "pca")[1].startswith("PCA of the collection: 120 images")
    assert "PCA of the collection" in run(capsys, "layout", "--list")[1]
    map_id = run(capsys, "layout", "--list")[1].splitlines()[0]
    assert run(capsys, "layout", "--remove", map_id)[1].startswith("Deleted: PCA")
    assert run(capsys, "layout", "--list")[1] == ""
    assert run(capsys, "layout", "--remove", map_id)[0] == 1
    assert run(capsys, "export", tmp_path / "out.sqlite")[1].strip() == str(tmp_path / "out.sqlite")
    assert "media_watercolor: 2 rounds, 24 labels" in run(capsys, "status")[1]
    assert "media_watercolor" in run(capsys, "attribute", "list")[1]
    assert run(capsys, "threshold", "nothing")[0] == 1


@pytest.mark.parametrize("name", ["bam.sqlite", "bam.sqlite-wal", "bam.sqlite-shm"])
def test_no_command_replaces_the_database_by_what_it_writes(
    workspace: Workspace, home: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    run(capsys, "attribute", "add", "media_watercolor")
    file = workspace.folder / name
    before = file.stat().st_ino
    for command in (
        ("export", file),
        ("labels", "export", "--attribute", "media_watercolor", file),
        ("report", "media_watercolor", "--out", file),
        ("backup", "--replace", file),
    ):
        code, _, error = run(capsys, *command)
        assert code == 1, command
        assert "Name another file" in error
        assert file.stat().st_ino == before
    assert [each.name for each in workspace.attributes.all()] == ["media_watercolor"]


def test_a_keyboard_interrupt_exits_with_130(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bam_engine.cli.status.overview", interrupt)
    code, _, err = run(capsys, "status")
    assert code == 130
    assert "Finished work is saved" in err


def test_annotators_are_merged_renamed_and_archived_and_each_is_undone(
    workspace: Workspace, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("Anna", "Annie"):
        workspace.annotators.id_of(name)

    def listed() -> list[str]:
        return run(capsys, "annotator", "list")[1].splitlines()

    before = listed()
    assert before == ["Anna: 0 answers", "Annie: 0 answers"]
    for action, undo in (
        (("merge", "annie", "anna"), ("separate", "annie")),
        (("rename", "annie", "Ann"), ("rename", "Ann", "Annie")),
        (("archive", "annie"), ("restore", "annie")),
    ):
        code, out, _ = run(capsys, "annotator", *action)
        assert code == 0
        assert "undo: bam annotator" in out
        assert listed() != before
        assert run(capsys, "annotator", *undo)[0] == 0
        assert listed() == before
    code, _, err = run(capsys, "annotator", "separate", "anna")
    assert code == 1
    assert "Nobody is merged" in err


def test_what_has_happened_to_files_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(4):
        Image.new("RGB", (9, 9), (50 * number, 0, 0)).save(pictures / f"{number}.png")
    monkeypatch.setenv("BAM_WORKSPACE", str(pictures / "bam"))
    monkeypatch.setenv("BAM_CACHE", str(pictures / "bam" / "cache"))
    code, out, _ = run(capsys, "ingest", pictures)
    assert (code, out.split(",")[0]) == (0, "4 images added")
    assert f"  {pictures / 'bam'} was passed over" in out
    Image.new("RGB", (9, 9), "green").save(pictures / "0.png")
    (pictures / "1.png").rename(pictures / "one.png")
    (pictures / "2.png").rename(tmp_path / "2.png")
    _, out, _ = run(capsys, "ingest", f"'{pictures}' ")
    assert out.startswith("1 image added, 1 already in the collection, 1 moved, 0 exact duplicates")
    assert (
        f"  1 file has changed; the labels stay with the old picture, which has no file:\n    {pictures}/0.png" in out
    )
    assert f"  1 file is missing; the image keeps its labels:\n    {pictures}/2.png" in out
    (tmp_path / "2.png").rename(pictures / "2.png")
    _, out, _ = run(capsys, "ingest", pictures, "--verify")
    assert out.startswith("0 images added, 3 already in the collection, 0 moved, 1 found again, 0 exact")


def test_an_empty_path_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["ingest", ""], ["ingest", "x", "--metadata", " "], ["export", ""], ["serve", "--workspace", ""]):
        with pytest.raises(SystemExit) as ended:
            main(command)
        assert ended.value.code == 2
        assert "No path was given" in capsys.readouterr().err


def test_images_are_removed_listed_and_returned(
    workspace: Workspace, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    uri = workspace.catalogue.image(3).uri
    code, out, _ = run(capsys, "remove", uri, "--as", "Ada")
    assert (code, out) == (0, "1 image removed (undo: bam return --removal 1)\n")
    assert run(capsys, "status")[1].startswith("119 images, 119 embedded")
    assert run(capsys, "remove", "--list")[1].startswith(f"1: 1 image, {uri}, removed by Ada on ")
    assert run(capsys, "remove", uri)[0] == 1
    assert run(capsys, "return", "--removal", 1, "--as", "ben")[:2] == (0, "1 image back in the collection\n")
    assert "1 brought back by ben on " in run(capsys, "remove", "--list")[1]
    assert run(capsys, "return", uri)[0] == 1
    assert "nothing was removed" in run(capsys, "remove", "--missing")[1]
    assert run(capsys, "status")[1].startswith("120 images, 120 embedded")


def test_attributes_are_renamed_and_archived_and_each_is_undone(
    workspace: Workspace, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.attributes.add("kite", "own", "Is there a kite?")
    before = run(capsys, "attribute", "list")[1]
    for action, undo in (
        (("rename", "kite", "cat"), ("rename", "cat", "kite")),
        (("archive", "kite"), ("restore", "kite")),
    ):
        code, out, _ = run(capsys, "attribute", *action)
        assert code == 0
        assert f"undo: bam attribute {' '.join(undo)}" in out
        assert run(capsys, "attribute", "list")[1] != before
        assert run(capsys, "attribute", *undo)[0] == 0
        assert run(capsys, "attribute", "list")[1] == before


def test_a_command_sweeps_what_killed_runs_left_once_a_day(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAM_WORKSPACE", str(workspace.folder))
    monkeypatch.setenv("BAM_CACHE", str(workspace.cache.parent))
    left = [workspace.cache / "scores", workspace.folder, workspace.folder / "backups"]
    old, pictures = [folder / f".x-{'0' * 32}.npy" for folder in left], workspace.folder / "pictures"
    young, of_others = workspace.cache / f".y-{'0' * 32}.npy", pictures / f".x-{'0' * 32}.png"
    for file in (*old, young, of_others):
        file.parent.mkdir(exist_ok=True)
        file.touch()
    for file in (*old, of_others):
        os.utime(file, (time.time() - 25 * 3600,) * 2)
    assert main(["status"]) == 0
    assert [file.exists() for file in (*old, young, of_others)] == [False, False, False, True, True]
    old[0].touch()
    os.utime(old[0], (time.time() - 25 * 3600,) * 2)
    assert main(["status"]) == 0
    assert old[0].exists(), "once a day"


def test_the_encoders_are_listed_and_another_is_used_with_what_it_has(
    home: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bam_engine.switching.moving.open_encoder", open_other)
    code, out, _ = run(capsys, "embed", "--encoder", "network")
    assert code == 0
    assert "120 images embedded with Network alone" in out
    assert "Fast preview (descriptors) keeps what it has, and `bam embed --use builtin-v1` goes back to it" in out
    code, out, _ = run(capsys, "encoders")
    assert "network-v1: Network alone, 120 of 120 images embedded, in use" in out
    assert "builtin-v1: Fast preview (descriptors), 120 of 120 images embedded\n" in out
    code, out, _ = run(capsys, "embed", "--use", "builtin-v1")
    assert (code, workspace.choice.spec) == (0, "builtin")
    code, _, err = run(capsys, "embed", "--use", "combined-v1.1.1")
    assert code == 1
    assert "has embedded no image" in err


def test_embed_goes_on_with_the_encoder_in_use_alone(
    home: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.choose_encoder("builtin")
    code, _, err = run(capsys, "embed", "--checkpoint", str(home / "weights.pt"))
    assert code == 1
    assert "weights.pt was given without an encoder" in err
    monkeypatch.setattr("bam_engine.embedding.builtin.KEY", "builtin-v2")
    code, _, err = run(capsys, "embed")
    assert code == 1
    assert "is not what it was when it was chosen" in err
    assert (workspace.choice.key, len(workspace.vectors("builtin-v2"))) == ("builtin-v1", 0), "nothing was asked for"
    code, out, _ = run(capsys, "embed", "--encoder", "builtin")
    assert (code, workspace.choice.key) == (0, "builtin-v2"), "chosen again"
    assert "120 images embedded" in out


def test_status_says_why_an_attribute_does_not_learn(
    unlearned: tuple[Workspace, Attribute], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace, _ = unlearned
    monkeypatch.setenv("BAM_WORKSPACE", str(workspace.folder))
    monkeypatch.setenv("BAM_CACHE", str(workspace.cache.parent))
    lines = run(capsys, "status")[1].splitlines()
    assert "  It does not learn yet. Average precision is " in "\n".join(lines)
    assert any(line.startswith("  Likely cause 1: The encoder cannot see it. ") for line in lines)
    assert lines[-1].startswith("next: “dog (content)” does not learn yet. ")


def test_next_says_what_to_do_with_its_figures_and_alternatives_in_words_and_as_json(
    unlearned: tuple[Workspace, Attribute], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace, attribute = unlearned
    monkeypatch.setenv("BAM_WORKSPACE", str(workspace.folder))
    monkeypatch.setenv("BAM_CACHE", str(workspace.cache.parent))
    words = run(capsys, "next", attribute.name)[1]
    found = json.loads(run(capsys, "next", attribute.name, "--json")[1])
    guidance = guidance_of(workspace, attribute)
    assert (found["attribute"], found["step"], found["reason"]) == (attribute.name, "diagnose", guidance.reason)
    assert f"next: {guidance.summary}" in words
    (average,) = found["evidence"]
    assert (average["name"], average["labels"]) == ("average precision", 200)
    assert f"on {average['labels']} labels" in words
    assert [each["step"] for each in found["alternatives"]] == [each.step for each in guidance.alternatives]
    assert all(each["how"] for each in found["alternatives"])
