"""A chart as SVG and PNG holds the numbers and words of its definition, in colours that can be seen."""

import io
import re
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from bam_engine.charts import (
    PALETTES,
    PNG_SCALE,
    Bars,
    Chart,
    Curve,
    Estimates,
    Names,
    Reference,
    Theme,
    png_file,
    svg_element,
    svg_file,
)
from tests.charts.contrast import contrast
from tests.charts.examples import ALL, EMPTY, FULL, ROWS

SVG = "{http://www.w3.org/2000/svg}"
NUMBER = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"
Point = tuple[float, float]


class Drawn:
    """An SVG read back: what is drawn where, in units of the axes."""

    def __init__(self, chart: Chart, theme: Theme = "light") -> None:
        self.chart, self.palette = chart, PALETTES[theme]
        self.root = ElementTree.fromstring(svg_file(chart, theme))
        self.words = [node.text or "" for node in self.root.iter(f"{SVG}text")]
        (frame,) = [node for node in self.root.iter(f"{SVG}g") if "role-frame root" in node.get("class", "")]
        background = frame.find(f"{SVG}g/{SVG}path[@class='background']")
        assert background is not None
        width, height = re.fullmatch(rf"M0,0h({NUMBER})v({NUMBER})h.*Z", background.get("d", "")).groups()  # type: ignore[union-attr]
        self.size = float(width), float(height)
        self.marks = [
            node for node in frame.iter(f"{SVG}g") if re.search(r"role-mark layer_\d+", node.get("class", ""))
        ]

    def value(self, place: Point) -> Point:
        """Return a place on the sheet as (position, value)."""
        chart = self.chart
        x, y = place[0] / self.size[0], 1 - place[1] / self.size[1]
        at, up = (1 - y, x) if chart.horizontal else (x, y)
        low, high = chart.positions.limits
        start, end = np.log10(chart.values.limits) if chart.values.logarithmic else chart.values.limits
        value = start + up * (end - start)
        return low + at * (high - low), float(10**value if chart.values.logarithmic else value)

    def of(self, kind: str, colour: str) -> list[list[Point]]:
        """Return the points of all marks of a kind in a colour, as (position, value)."""
        found = []
        for group in self.marks:
            if f"mark-{kind} " in group.get("class", ""):
                nodes = [node for node in group if colour in (node.get("stroke"), node.get("fill"))]
                found += [self.points(node) for node in nodes]
        return found

    def points(self, node: ElementTree.Element) -> list[Point]:
        dx, dy = map(float, re.findall(NUMBER, node.get("transform", "translate(0,0)")))
        if node.tag == f"{SVG}line":
            ends = [(dx, dy), (dx + float(node.get("x2", 0)), dy + float(node.get("y2", 0)))]
            return [self.value(end) for end in ends]
        if "A" in node.get("d", "") or node.get("transform"):
            return [self.value((dx, dy))]
        return [self.value((x, y)) for x, y in steps(node.get("d", ""))]


def steps(path: str) -> list[Point]:
    """Return the corners of a path of absolute moves and lines."""
    places: list[Point] = []
    for command, numbers in re.findall(r"([MLHVZ])([^MLHVZ]*)", path):
        parts = [float(part) for part in re.findall(NUMBER, numbers)]
        if command == "H":
            places.append((parts[0], places[-1][1]))
        elif command == "V":
            places.append((places[-1][0], parts[0]))
        else:
            places += zip(parts[::2], parts[1::2], strict=True)
    return places


def near(one: object) -> object:
    return pytest.approx(np.array(one), abs=2e-3)


@pytest.mark.parametrize("name", ["rows", "learning", "precision and recall"])
def test_every_estimate_is_drawn_where_its_number_says(name: str) -> None:
    drawn = Drawn(FULL[name])
    for mark in drawn.chart.marks:
        if isinstance(mark, Estimates):
            shift, colour = drawn.chart.shift(mark), drawn.palette.colour(mark.colour)
            places = [(at + shift, value) for at, value in zip(mark.at, mark.values, strict=True)]
            symbols = [points[0] for points in drawn.of("symbol", colour)]
            for place in places:
                assert any(place == near(symbol) for symbol in symbols), (mark.name, place)
            if mark.joined:
                assert any(len(line) == len(places) and near(line) == places for line in drawn.of("line", colour))


@pytest.mark.parametrize("name", ["rows", "learning"])
def test_every_interval_is_drawn_from_its_lower_to_its_upper_limit(name: str) -> None:
    drawn = Drawn(FULL[name])
    for mark in drawn.chart.marks:
        if isinstance(mark, Estimates) and mark.low:
            shift, rules = drawn.chart.shift(mark), drawn.of("rule", drawn.palette.colour(mark.colour))
            for at, low, high in zip(mark.at, mark.low, mark.high, strict=True):
                wanted = [(at + shift, low), (at + shift, high)]
                assert any(near(sorted(rule)) == sorted(wanted) for rule in rules), (mark.name, at)


@pytest.mark.parametrize("name", list(FULL))
def test_every_reference_line_crosses_the_whole_chart_at_its_number(name: str) -> None:
    drawn = Drawn(FULL[name])
    for mark in drawn.chart.marks:
        if isinstance(mark, Reference):
            ends = [(mark.at, mark.at)] * 2
            ends = (
                [(mark.at, v) for v in drawn.chart.values.limits]
                if mark.on == "positions"
                else [(p, mark.at) for p in drawn.chart.positions.limits]
            )
            rules = drawn.of("rule", drawn.palette.colour(mark.colour))
            assert any(near(sorted(rule)) == sorted(ends) for rule in rules), mark.name


def test_a_curve_is_drawn_with_its_limits() -> None:
    drawn = Drawn(FULL["precision and recall"])
    (curve,) = [mark for mark in drawn.chart.marks if isinstance(mark, Curve)]
    lines = drawn.of("line", drawn.palette.colour(curve.colour))
    for numbers in (curve.values, curve.low, curve.high):
        wanted = list(zip(curve.at, numbers, strict=True))
        assert any(len(line) == len(wanted) and near(line) == wanted for line in lines)


def test_a_histogram_has_every_count_at_its_bin() -> None:
    drawn = Drawn(FULL["scores"])
    for mark in drawn.chart.marks:
        if isinstance(mark, Bars):
            corners = [corner for line in drawn.of("line", drawn.palette.colour(mark.colour)) for corner in line]
            for start, value in zip(mark.edges, mark.values, strict=False):
                if value:
                    assert any(abs(at - start) < 0.01 and abs(v / value - 1) < 0.01 for at, v in corners)


@pytest.mark.parametrize("theme", list(PALETTES))
@pytest.mark.parametrize("name", list(ALL))
def test_an_svg_has_its_title_its_description_and_its_words_as_text(name: str, theme: Theme) -> None:
    chart = ALL[name]
    drawn = Drawn(chart, theme)
    assert [(node.tag, node.text) for node in drawn.root[:2]] == [
        (f"{SVG}title", chart.title),
        (f"{SVG}desc", chart.description),
    ]
    assert drawn.root.get("role") == "img"
    assert chart.values.title in drawn.words
    if chart.empty:
        assert chart.missing in drawn.words
        return
    assert {mark.name for mark in chart.marks} <= set(drawn.words), "the legend names every mark"
    if isinstance(chart.positions, Names):
        assert {*chart.positions.names, *chart.positions.notes, chart.positions.notes_title} <= set(drawn.words)
    else:
        assert chart.positions.title in drawn.words


@pytest.mark.parametrize("name", list(ALL))
def test_a_png_has_three_times_the_size_of_its_svg_and_its_resolution(name: str) -> None:
    root = ElementTree.fromstring(svg_file(ALL[name], "dark"))
    picture = Image.open(io.BytesIO(png_file(ALL[name], "dark")))
    assert picture.size == tuple(PNG_SCALE * int(root.get(side, 0)) for side in ("width", "height"))
    assert picture.info["dpi"][0] == pytest.approx(288, abs=1)
    assert picture.convert("RGB").getpixel((1, 1)) == (0x15, 0x18, 0x1A)
    assert len(picture.convert("L").resize((60, 40)).getcolors() or []) > 3, "something is drawn"


def test_charts_are_defined_without_the_library_that_draws_them() -> None:
    code = "import sys, bam_engine.cli, bam_engine.reporting.charts; print({'vl_convert', 'plotly'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_upright_charts_have_one_size() -> None:
    for chart in ALL.values():
        root = ElementTree.fromstring(svg_file(chart))
        assert chart.horizontal or (root.get("width"), root.get("height")) == ("560", "330")


@pytest.mark.parametrize("name", ["rows", "scores", "no rounds"])
def test_the_same_chart_makes_the_same_bytes(name: str) -> None:
    assert svg_file(ALL[name]) == svg_file(ALL[name])
    assert png_file(ALL[name]) == png_file(ALL[name])
    assert svg_file(ALL[name]) != svg_file(ALL[name], "dark")


@pytest.mark.parametrize("name", list(ALL))
def test_nothing_comes_from_the_network_or_from_elsewhere_in_the_page(name: str) -> None:
    for text in (svg_file(ALL[name]).decode(), svg_element(ALL[name])):
        assert re.findall(r"https?://[^\"' ]+", text) == ["http://www.w3.org/2000/svg"]
        assert "url(" not in text
        assert " id=" not in text, "several charts fit into one page"
        assert "NaN" not in text


def test_what_people_wrote_cannot_become_markup_or_an_expression() -> None:
    evil = ('<script>alert(1)</script>"]', "'+datum+'", "\\\u2028${x}", "mean")
    chart = Chart("<b>", "&", Names(evil, evil, evil[0], True), ROWS.values, ROWS.marks, "", horizontal=True)
    words = Drawn(chart).words
    assert set(evil) <= set(words)
    assert "<script" not in svg_element(chart)


@pytest.mark.parametrize("theme", list(PALETTES))
@pytest.mark.parametrize("chart", [*FULL.values(), *EMPTY.values()], ids=list(ALL))
def test_words_and_marks_stand_out_from_their_ground(chart: Chart, theme: Theme) -> None:
    root, palette = ElementTree.fromstring(svg_file(chart, theme)), PALETTES[theme]
    assert palette.paper in {node.get("fill") for node in root.iter(f"{SVG}rect")}
    for node in root.iter(f"{SVG}text"):
        assert contrast(node.get("fill", "#000000"), palette.paper) >= 4.5, node.text
    for mark in chart.marks:
        assert contrast(palette.colour(mark.colour), palette.paper) >= 3, mark.name


def test_an_element_takes_its_colours_from_the_page_around_it() -> None:
    text = svg_element(ROWS)
    assert "var(--ink)" in text
    assert "<rect" not in text
    assert not {palette.ink for palette in PALETTES.values()} & set(re.findall(r"#[0-9a-f]{6}", text))
