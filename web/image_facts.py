"""One image with all its facts: the large picture, labels, scores, position on the map and neighbours.

The dialog over a page and the Image page share it. The picture, its record and its labels are drawn at once; what takes
longer has a placeholder until then.
"""

from html import escape

import numpy as np
import streamlit as st

from bam_engine.annotation import Attribute, readable
from bam_engine.formatting import NOTHING, count, decimal, file_size, percent_interval
from bam_engine.gallery.near_duplicates import duplicates_of
from bam_engine.labelling.label_states import states
from bam_engine.maps import layout_store
from bam_engine.reporting.image_facts import (
    AttributeLabel,
    AttributeScore,
    ImageFacts,
    Place,
    describe,
    place_of,
    score_lines,
    similar_images,
)
from bam_engine.training.models import scored_attributes
from bam_engine.workspace.membership import removed
from web import captions, tagging, ui
from web.answering import attribute_asked, by_key
from web.components.gallery import Picture, gallery
from web.engine import workspace

ENLARGED = 2.5
THUMBNAIL = 256  # its longer side, in pixels
SHOWN_TWINS = 24
SHOWN_NEAR = 12
CELL = 84
MOVED = "If the file has moved, add its folder again where it is now: all that is known of the image stays."

_CSS = """<style>
dl.bam-facts.bam-facts { display: grid; grid-template-columns: max-content 1fr; gap: .2rem .9rem; margin: 0 0 .8rem;
  padding: 0; font-size: .93rem; }
dl.bam-facts.bam-facts > * { margin: 0; padding: 0; }
.bam-facts dt { color: color-mix(in srgb, currentColor 68%, transparent); }
.bam-facts dd { overflow-wrap: anywhere; white-space: pre-line; }
.bam-facts dd a { color: inherit; }
.bam-picture { margin: 0 auto; background-size: 100% 100%; border-radius: 4px; overflow: hidden; }
.bam-picture img { display: block; width: 100%; height: 100%; }
.bam-place { position: relative; width: min(100%, 300px); aspect-ratio: 1; overflow: hidden; border-radius: 4px;
  border: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
.bam-place img { position: absolute; width: 50%; height: 50%; }
.bam-place i { position: absolute; width: 14px; height: 14px; margin: -9px 0 0 -9px; border-radius: 50%;
  border: 2px solid #e4572e; box-shadow: 0 0 0 2px #fff, inset 0 0 0 2px #fff; }
.bam-strip { display: grid; gap: 6px; grid-template-columns: repeat(auto-fill, minmax(84px, 1fr)); padding: 3px; }
.bam-strip i { aspect-ratio: 1; margin-bottom: 21px; }
@media (max-width: 600px) { .bam-strip { grid-template-columns: repeat(auto-fill, minmax(96px, 1fr)); } }
</style>"""
_STRIP = f'<div class="bam-strip">{f"""<i class="{ui.WAITING}"></i>""" * SHOWN_NEAR}</div>'
_SQUARE = f'<div class="bam-place {ui.WAITING}"></div>'


def draw_image(row: int, *, key: str, wide: bool = True) -> int | None:
    """Draw image ``row``; return the row of a neighbour that was just clicked, or None.

    If ``wide``, its labels are below the picture, otherwise below everything.

    Raises
    ------
    NotFound
        There is no such image.
    """
    image = describe(workspace(), row)
    st.html(_CSS)
    picture, facts = st.columns([3, 2], gap="large")
    with picture:
        _picture(image)
    with facts:
        _record(image)
        tagging.image_tags(row, key=key)
        place = ui.placeholder(_SQUARE if layout_store.all_layouts(workspace()) else "")
    with picture if wide else st.container():
        _labels(image.labels)
        captions.draw(image.captions, row, key=key)
    known = len(scored_attributes(workspace()))
    scores = ui.placeholder(ui.table_skeleton(known) if known else "")
    near = ui.placeholder(_STRIP if len(workspace().vectors()) else "")
    lines = score_lines(workspace(), row)
    with scores.container():
        if lines or row not in removed(workspace()).rows:
            _scores(lines)
    position = place_of(workspace(), row)
    with place.container():
        _place(position)
    same, similar = duplicates_of(workspace(), row).tolist(), similar_images(workspace(), row, SHOWN_NEAR)
    with near.container():
        return _near(row, same, similar, key)


def _picture(image: ImageFacts) -> None:
    """Draw the picture in a box of its shape, over its thumbnail until it has loaded; small ones are enlarged."""
    version = workspace().picture_version
    if image.problem and not image.has_thumbnail:
        st.warning(
            f"The picture cannot be shown. {ui.plain(image.problem)} There is no small copy of it either. {MOVED}"
        )
        return
    small = f"/thumbs/{image.row}.webp?v={version}"
    source, tallest = f"/large/{image.row}.webp?v={version}", ENLARGED * image.height
    if image.problem:
        st.warning(f"Only the small copy is shown. {ui.plain(image.problem)} {MOVED}")
        source, tallest = small, min(image.height, THUMBNAIL * image.height / max(image.width, image.height))
    ratio = image.width / max(1, image.height)
    behind = f";background-image:url({small})" if image.has_thumbnail else ""
    st.html(
        f'<div class="bam-picture {ui.WAITING}" style="aspect-ratio:{ratio:.4f};'
        f'width:min(100%, {ratio:.4f} * min(62vh, {tallest:.0f}px)){behind}">'
        f'<img src="{source}" alt="{escape(image.title or image.name)}"></div>'
    )


def _record(image: ImageFacts) -> None:
    st.markdown(f"**{ui.plain(image.title or image.name)}**")
    lines = {
        "file": image.uri,
        "size": f"{image.width} × {image.height} px" + (f", {file_size(image.size)}" if image.size is not None else ""),
        "problems": "not measured" if image.picture_problems is None else "\n".join(image.picture_problems) or "none",
        "project": image.project,
        "licence": image.license,
        "mature": None if image.mature is None else "yes" if image.mature else "no",
        "added": image.added,
        "number": f"{image.row}",
    }
    items = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in lines.items() if text)
    if image.url:
        address = escape(image.url)
        items = (
            f'<dt>from</dt><dd><a href="{address}" target="_blank" rel="noopener noreferrer">{address}</a></dd>{items}'
        )
    st.html(f'<dl class="bam-facts">{items}</dl>')


def _place(place: Place | None) -> None:
    """Draw a small map with a ring at the position of the image, and a link to it."""
    if place is None:
        return
    tiles = "".join(
        f'<img src="/tiles/{place.map_id}/density/1/{x}/{y}?v={place.version}" alt="" '
        f'style="left:{50 * x}%;top:{50 * y}%">'
        for x in (0, 1)
        for y in (0, 1)
    )
    ring = f'<i style="left:{100 * place.x:.2f}%;top:{100 * place.y:.2f}%"></i>'
    words = f"Its place on the map: {escape(place.title)}"
    st.html(f'<div class="bam-place" role="img" aria-label="{words}">{tiles}{ring}</div>')
    st.page_link(
        st.session_state["pages"]["map"],
        label="Show on the map",
        icon=":material/map:",
        query_params={"map": place.map_id, "x": f"{place.x:.5f}", "y": f"{place.y:.5f}", "z": str(place.zoom)},
    )


def _scores(scores: list[AttributeScore]) -> None:
    if not scores:
        st.caption("No attribute has scores yet.")
        return
    head = ["Scores", "score", "probability", "decision", "threshold", "precision"]
    st.html(ui.table(head, [_score_line(line) for line in scores], stacked=True))
    st.caption(
        "Probability: how often images of that score are positive, by the validation sample. Precision: of all images "
        "that the threshold accepts. Both with 95% limits."
    )


def _score_line(line: AttributeScore) -> list[str]:
    precision = NOTHING if line.precision is None else percent_interval(*line.precision)
    return [
        readable(line.attribute),
        decimal(line.score),
        NOTHING if line.probability is None else percent_interval(*line.probability),
        f"{line.decision} {line.reason}" if line.decision else NOTHING,
        NOTHING if line.threshold is None else decimal(line.threshold, 3),
        precision + (", certified" if line.certified else ""),
    ]


def _labels(labels: list[AttributeLabel]) -> None:
    if not labels:
        st.caption("Nobody has answered a question about this image yet.")
        return
    lines = [
        [readable(line.attribute), line.state, ", ".join(f"{who}: {answer}" for who, answer in line.answers)]
        for line in labels
    ]
    st.html(ui.table(["Labels", "label", "answers"], lines, stacked=True))


def _near(row: int, same: list[int], similar: list[tuple[int, float]], key: str) -> int | None:
    picked, version, attribute = None, workspace().picture_version, attribute_asked(key)
    answering = None if attribute is None else by_key(attribute, names_keys=False)
    words = "" if answering is None else " · the keys answer about the one in focus"
    if same:
        st.caption(count(len(same), "near-duplicate") + words)
        shown = same[:SHOWN_TWINS]
        twins = [Picture(twin, mark=mark) for twin, mark in zip(shown, _marks(attribute, shown), strict=True)]
        picked = gallery(twins, key=f"{key}-same-{row}", version=version, size=CELL, answering=answering)
    if similar:
        st.caption(f"Similar images{words}")
        marks = _marks(attribute, [other for other, _ in similar])
        near = [
            Picture(other, decimal(similarity), mark=mark)
            for (other, similarity), mark in zip(similar, marks, strict=True)
        ]
        clicked = gallery(near, key=f"{key}-near-{row}", version=version, size=CELL, answering=answering)
        picked = clicked if picked is None else picked
    return picked


def _marks(attribute: Attribute | None, rows: list[int]) -> list[str]:
    """Return the labels of images for the attribute that is asked about; nothing without one."""
    return [""] * len(rows) if attribute is None else states(workspace(), attribute).marks(np.array(rows))
