"""The figures say what they were given, in SVG that parses and PNG that prints."""

import io
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from bam_engine.exchange import (
    CurvePoint,
    Drawing,
    PrecisionRow,
    learning_figure,
    png_file,
    precision_figure,
    precision_recall_figure,
    score_figure,
    svg_element,
    svg_file,
)
from bam_engine.exchange.drawing import ACCENT, Dot, Line, Text
from bam_engine.learning import precision_recall

ROWS = [
    PrecisionRow("cat (content)", "84 / 100", (0.84, 0.75, 0.91), (0.9, 0.82, 0.95)),
    PrecisionRow("comic (media)", "97 / 100", (0.97, 0.91, 0.99), None),
    PrecisionRow("mean of 2", "181 / 200", (0.905, 0.86, 0.94), (0.93, 0.9, 0.96), mean=True),
]


def words_of(drawing: Drawing) -> list[str]:
    return [mark.text for mark in drawing.marks if isinstance(mark, Text)]


def place_of(drawing: Drawing, text: str) -> tuple[float, float]:
    return next(mark.at for mark in drawing.marks if isinstance(mark, Text) and mark.text == text)


def precision() -> Drawing:
    return precision_figure(ROWS, reference=0.904, reference_name="BAM's mean 0.904")


def test_attributes_stand_by_precision_and_the_mean_stands_last() -> None:
    drawing = precision()
    heights = [place_of(drawing, name)[1] for name in ("comic (media)", "cat (content)", "mean of 2")]
    assert heights == sorted(heights)
    assert {"84 / 100", "97 / 100", "181 / 200", "precision, with 95% intervals"} <= set(words_of(drawing))


def test_every_precision_lies_within_its_interval_on_the_axis_that_the_ticks_name() -> None:
    drawing = precision()
    ticks = {int(text[:-1]) / 100: place_of(drawing, text)[0] for text in ("70%", "80%", "90%", "100%")}
    names, places = np.array(list(ticks)), np.array(list(ticks.values()))

    def value(x: float) -> float:
        return float(np.interp(x, places, names))

    y = place_of(drawing, "comic (media)")[1]
    dots = [mark for mark in drawing.marks if isinstance(mark, Dot) and abs(mark.at[1] - y) < 8]
    bars = [
        mark.points
        for mark in drawing.marks
        if isinstance(mark, Line) and mark.colour == ACCENT and abs(mark.points[0][1] - y) < 8
    ]
    widest = max(bars, key=lambda points: points[1][0] - points[0][0])
    assert [value(dot.at[0]) for dot in dots] == pytest.approx([0.97])
    assert [value(x) for x, _ in widest] == pytest.approx([0.91, 0.99])
    reference = next(mark for mark in drawing.marks if isinstance(mark, Line) and mark.dash)
    assert value(reference.points[0][0]) == pytest.approx(0.904)


def all_figures() -> list[Drawing]:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=300)
    labels = (rng.random(300) < 1 / (1 + np.exp(-3 * scores))).astype(int)
    one = (0.8, 0.7, 0.9)
    points = [CurvePoint(20, {"average precision": one, "recall": None}), CurvePoint(40, {"average precision": one})]
    return [
        precision(),
        precision_figure(ROWS[:1], reference=0.904, reference_name="BAM"),
        learning_figure(points),
        learning_figure([]),
        precision_recall_figure(precision_recall(scores, labels), target=0.9, chosen=(0.5, 0.95)),
        precision_recall_figure(precision_recall([1, 1], [1, 1]), target=0.9, chosen=None),
        score_figure(scores, {"positive": scores[labels == 1]}, threshold=0.3),
        score_figure(np.zeros(3), {}, threshold=None),
    ]


@pytest.mark.parametrize("drawing", all_figures(), ids=lambda drawing: drawing.title)
def test_every_figure_is_svg_that_parses_and_a_png_of_three_times_its_size(drawing: Drawing) -> None:
    for text in (svg_element(drawing), svg_file(drawing).decode()):
        root = ElementTree.fromstring(text.encode())
        assert root.tag.endswith("svg")
        assert "nan" not in text
        assert [node.text for node in root.iter() if node.tag.endswith("title")] == [drawing.title]
    picture = Image.open(io.BytesIO(png_file(drawing)))
    assert picture.size == (round(drawing.width * 3), round(drawing.height * 3))
    assert picture.convert("RGB").getpixel((1, 1)) == (255, 255, 255)
    assert len(set(picture.convert("L").resize((60, 40)).tobytes())) > 3, "something is drawn"
    assert picture.info["dpi"][0] == pytest.approx(288, abs=1)


@pytest.mark.parametrize("drawing", all_figures(), ids=lambda drawing: drawing.title)
def test_no_word_leaves_its_sheet(drawing: Drawing) -> None:
    from PIL import ImageFont

    for mark in drawing.marks:
        if isinstance(mark, Text) and not mark.upward:
            long = ImageFont.load_default(mark.size).getlength(mark.text)
            start = mark.at[0] - {"start": 0, "middle": long / 2, "end": long}[mark.anchor]
            assert start >= 0, mark.text
            assert start + long <= drawing.width, mark.text
            assert 0 <= mark.at[1] <= drawing.height


def test_a_file_is_dark_on_white_and_a_page_lends_its_own_colours() -> None:
    drawing = precision()
    assert "currentColor" not in svg_file(drawing).decode()
    sheet = ElementTree.fromstring(svg_file(drawing))[1]
    assert sheet.attrib == {"width": f"{drawing.width:g}", "height": f"{drawing.height:g}", "fill": "#ffffff"}
    assert "<rect" not in svg_element(drawing)
    assert "currentColor" in svg_element(drawing)


def test_what_people_wrote_cannot_become_markup() -> None:
    drawing = precision_figure(
        [PrecisionRow("<script>alert(1)</script>", '"&', (0.9, 0.8, 1.0))], reference=0.9, reference_name="<b>"
    )
    text = svg_file(drawing).decode()
    assert "<script" not in text
    assert "<b>" not in text
    ElementTree.fromstring(text.encode())
