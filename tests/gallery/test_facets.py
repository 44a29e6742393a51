"""Colours, dates and projects: read once, cached, and counted."""

import os
from datetime import date
from pathlib import Path

import pytest
from PIL import Image

from bam_engine.collection import ingest_folder
from bam_engine.collection.appearance import COLOURS, EXIF, FILE, MIN_FRACTION, colour_fractions, colour_mask, day_of
from bam_engine.errors import BamError, Stopped
from bam_engine.gallery import facets
from bam_engine.gallery.facets import UNKNOWN
from bam_engine.workspace import Workspace

NAMED = {
    "pink": "#ff5f9e",
    "red": "#e01010",
    "orange": "#ff8c00",
    "yellow": "#ffd700",
    "lime": "#b4f000",
    "green": "#18a018",
    "teal": "#00a080",
    "cyan": "#00c8d0",
    "azure": "#2a9df4",
    "blue": "#1030f0",
    "violet": "#7a2be2",
    "magenta": "#e010d0",
    "black": "#050505",
    "grey": "#808080",
    "white": "#fafafa",
}


@pytest.mark.parametrize(("name", "shown"), NAMED.items())
def test_a_picture_of_one_colour_has_that_colour_alone(name: str, shown: str) -> None:
    shares = colour_fractions(Image.new("RGB", (40, 30), shown))
    assert COLOURS[int(shares.argmax())] == name
    assert shares.max() == 1.0


def test_a_colour_counts_from_a_minimum_fraction_of_the_picture() -> None:
    picture = Image.new("RGB", (320, 320), "white")
    picture.paste("#e01010", (0, 0, 320, int(320 * 0.2)))
    picture.paste("#1030f0", (0, 310, 320, 320))
    assert colour_mask(picture) == (1 << COLOURS.index("red")) | (1 << COLOURS.index("white"))
    assert colour_fractions(picture).sum() == pytest.approx(1)
    assert 0.03 < MIN_FRACTION <= 0.2


def test_transparent_pixels_are_white() -> None:
    picture = Image.new("RGBA", (20, 20), (200, 0, 0, 0))
    assert COLOURS[int(colour_fractions(picture).argmax())] == "white"


def day(text: str) -> int:
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


def test_the_day_is_that_of_the_record_or_else_of_the_file(tmp_path: Path) -> None:
    taken, plain, broken = tmp_path / "taken.jpg", tmp_path / "plain.jpg", tmp_path / "broken.jpg"
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2011:05:23 10:11:12"
    Image.new("RGB", (8, 8)).save(taken, exif=exif)
    nothing = Image.Exif()
    nothing[0x0132] = "0000:00:00 00:00:00"
    Image.new("RGB", (8, 8)).save(plain, exif=nothing)
    broken.write_bytes(b"no picture at all")
    for path in (plain, broken):
        os.utime(path, (1_500_000_000, 1_500_000_000))
    assert day_of(taken) == (day("2011-05-23"), EXIF)
    assert day_of(plain) == day_of(broken) == (day("2017-07-14"), FILE)
    assert day_of(tmp_path / "gone.jpg") == (0, 0)


def test_a_stopped_scan_resumes_and_reads_no_image_twice(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facets, "_BLOCK", 50)
    asked: list[int] = []
    read = facets._read
    monkeypatch.setattr(facets, "_read", lambda *about: asked.append(about[1].row) or read(*about))

    def stop(done: int, total: int | None, message: str = "") -> None:
        if done >= 50:
            raise Stopped("enough")

    with pytest.raises(Stopped):
        facets.scan(workspace, report=stop)
    assert facets.scan_progress(workspace).done == 50
    assert facets.in_colours(workspace, [UNKNOWN], 120)[50:].all()
    with facets.LOOKED.path(workspace).open("ab") as file:
        file.write(b"torn")
    payload = facets.scan(workspace)
    assert sorted(asked) == list(range(120))
    assert (payload.done, payload.total, payload.from_exif + payload.from_file) == (120, 120, 120)
    for row in (0, 60, 119):
        with Image.open(workspace.thumbnails.path(row)) as image:
            assert facets.records(workspace)["colours"][row] == colour_mask(image)


def test_a_missing_image_has_no_colour_and_does_not_stop_the_scan(workspace: Workspace) -> None:
    path = Path(workspace.catalogue.image(4).uri)
    content = path.read_bytes()
    workspace.thumbnails.path(4).unlink()
    path.unlink()
    try:
        facets.scan(workspace)
    finally:
        path.write_bytes(content)
    assert facets.in_colours(workspace, [UNKNOWN], 120)[4]
    assert facets.in_years(workspace, [UNKNOWN], 120)[4]


def test_colours_of_a_facet_are_any_of_them(workspace: Workspace) -> None:
    facets.scan(workspace)
    one, other = (facets.in_colours(workspace, [name], 120) for name in ("white", "orange"))
    assert (facets.in_colours(workspace, ["white", "orange"], 120) == (one | other)).all()


def test_only_one_scan_runs_at_a_time(workspace: Workspace) -> None:
    with facets._SCANNING, pytest.raises(BamError, match="already"):
        facets.scan(workspace)


def test_an_image_has_no_date_of_the_picture_that_took_its_place(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, colour, year in (("a", "red", 2001), ("b", "blue", 2002)):
        exif = Image.Exif()
        exif.get_ifd(0x8769)[0x9003] = f"{year}:05:23 10:11:12"
        Image.new("RGB", (8, 8), colour).save(folder / f"{name}.jpg", exif=exif)
    workspace = Workspace(tmp_path / "workspace", tmp_path / "cache")
    ingest_folder(workspace.catalogue, workspace.thumbnails, folder)
    (folder / "b.jpg").replace(folder / "a.jpg")
    facets.scan(workspace)
    assert facets.years(workspace, 2).tolist() == [0, 0], (
        "the file of one is gone, and that of the other is not its own"
    )
    assert facets.records(workspace)["colours"].all(), "their thumbnails are their own"
    workspace.close()
