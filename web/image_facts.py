"""All that is known of one image, drawn: the picture large, labels, scores, its place on the map, what is near.

In:  a row. Out: the row that was asked for instead, by a click on what is near. Asks the engine for everything; the
panel over a page and the page of an image are both made of it. The picture, its record and its labels are drawn at
once; what takes longer has its room kept until it comes.
"""

from html import escape

import streamlit as st

from bam_engine.annotation import readable
from bam_engine.formatting import NOTHING, count, decimal, file_size, percent_interval
from bam_engine.gallery.near_duplicates import duplicates_of
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
from web import ui
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
.bam-facts dd { overflow-wrap: anywhere; }
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
    """Draw image ``row``; return the row of a picture near it that was just clicked, or None.

    Where there is room (``wide``), its labels and scores stand under the picture; else below everything.

    Raises
    ------
    NotFound
        There is no such image.
    """
    found = describe(workspace(), row)
    st.html(_CSS)
    picture, facts = st.columns([3, 2], gap="large")
    with picture:
        _picture(found)
    with facts:
        _record(found)
        place = ui.later(_SQUARE if layout_store.list_layouts(workspace()) else "")
    with picture if wide else st.container():
        _labels(found.labels)
        for annotator, caption in found.captions:
            st.markdown(f"“{ui.plain(caption)}” · {ui.plain(annotator)}")
        known = len(scored_attributes(workspace()))
        scores = ui.later(ui.waiting_table(known) if known else "")
    near = ui.later(_STRIP if len(workspace().vectors()) else "")
    lines = score_lines(workspace(), row)
    with scores.container():
        _scores(lines)
    found_at = place_of(workspace(), row)
    with place.container():
        _place(found_at)
    same, alike = duplicates_of(workspace(), row).tolist(), similar_images(workspace(), row, SHOWN_NEAR)
    with near.container():
        return _near(row, same, alike, key)


def _picture(found: ImageFacts) -> None:
    """Draw the picture in a box of its shape, over its small copy until it has come; small ones grow a bit."""
    version = workspace().id
    if found.problem and not found.has_thumbnail:
        st.warning(f"The picture cannot be shown: {found.problem}. There is no small copy of it either. {MOVED}")
        return
    small = f"/thumbs/{found.row}.webp?v={version}"
    source, tallest = f"/large/{found.row}.webp?v={version}", ENLARGED * found.height
    if found.problem:
        st.warning(f"Only the small copy is shown: {found.problem}. {MOVED}")
        source, tallest = small, min(found.height, THUMBNAIL * found.height / max(found.width, found.height))
    ratio = found.width / max(1, found.height)
    behind = f";background-image:url({small})" if found.has_thumbnail else ""
    st.html(
        f'<div class="bam-picture {ui.WAITING}" style="aspect-ratio:{ratio:.4f};'
        f'width:min(100%, {ratio:.4f} * min(62vh, {tallest:.0f}px)){behind}">'
        f'<img src="{source}" alt="{escape(found.title or found.name)}"></div>'
    )


def _record(found: ImageFacts) -> None:
    st.markdown(f"**{ui.plain(found.title or found.name)}**")
    lines = {
        "file": found.uri,
        "size": f"{found.width} × {found.height} px" + (f", {file_size(found.size)}" if found.size is not None else ""),
        "project": found.project,
        "licence": found.license,
        "mature": None if found.mature is None else "yes" if found.mature else "no",
        "added": found.added,
        "number": f"{found.row}",
    }
    told = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in lines.items() if text)
    st.html(f'<dl class="bam-facts">{told}</dl>')


def _place(place: Place | None) -> None:
    """Draw the whole map small, with a ring where the image lies, and the way there."""
    if place is None:
        return
    tiles = "".join(
        f'<img src="/tiles/{place.map_id}/density/1/{x}/{y}.webp?v={place.version}" alt="" '
        f'style="left:{50 * x}%;top:{50 * y}%">'
        for x in (0, 1)
        for y in (0, 1)
    )
    ring = f'<i style="left:{100 * place.x:.2f}%;top:{100 * place.y:.2f}%"></i>'
    words = f"Its place on the map: {escape(place.title)}"
    st.html(f'<div class="bam-place" role="img" aria-label="{words}">{tiles}{ring}</div>')
    st.page_link(
        st.session_state["pages"]["map"],
        label="See it on the map",
        icon=":material/map:",
        query_params={"map": place.map_id, "x": f"{place.x:.5f}", "y": f"{place.y:.5f}", "z": str(place.zoom)},
    )


def _scores(scores: list[AttributeScore]) -> None:
    if not scores:
        st.caption("No attribute has scores yet.")
        return
    head = ["Scores", "score", "probability", "decision", "threshold", "precision of the accepted"]
    st.html(ui.table(head, [_score_line(line) for line in scores]))
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
        line.decision or NOTHING,
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
    st.html(ui.table(["Labels", "label", "said"], lines))


def _near(row: int, same: list[int], alike: list[tuple[int, float]], key: str) -> int | None:
    picked, version = None, workspace().id
    if same:
        st.caption(f"{count(len(same), 'near-duplicate')} of it")
        twins = [Picture(twin) for twin in same[:SHOWN_TWINS]]
        picked = gallery(twins, key=f"{key}-same-{row}", version=version, size=CELL)
    if alike:
        st.caption("Most like it, by the encoder in use")
        near = [Picture(other, decimal(similarity)) for other, similarity in alike]
        clicked = gallery(near, key=f"{key}-near-{row}", version=version, size=CELL)
        picked = clicked if picked is None else picked
    return picked
