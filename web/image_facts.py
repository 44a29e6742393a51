"""All that is known of one image, drawn: the picture large, scores, labels, its place on the map, what is near.

In:  a row. Out: the row that was asked for instead, by a click on what is near. Asks the engine for everything; the
panel over a page and the page of an image are both made of it.
"""

from html import escape

import pandas as pd
import streamlit as st

from bam_engine.annotation import readable
from bam_engine.workspace.looking import ImageFacts, LabelLine, Place, ScoreLine, describe, place_of
from web import ui
from web.components.gallery import Picture, gallery
from web.engine import workspace

ENLARGED = 2.5
SHOWN_TWINS = 24

_CSS = """<style>
dl.bam-facts.bam-facts { display: grid; grid-template-columns: max-content 1fr; gap: .2rem .9rem; margin: 0 0 .8rem;
  padding: 0; font-size: .93rem; }
dl.bam-facts.bam-facts > * { margin: 0; padding: 0; }
.bam-facts dt { color: color-mix(in srgb, currentColor 68%, transparent); }
.bam-facts dd { overflow-wrap: anywhere; }
.bam-place { position: relative; width: min(100%, 300px); aspect-ratio: 1; overflow: hidden; border-radius: 4px;
  border: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
.bam-place img { position: absolute; width: 50%; height: 50%; }
.bam-place i { position: absolute; width: 14px; height: 14px; margin: -9px 0 0 -9px; border-radius: 50%;
  border: 2px solid #e4572e; box-shadow: 0 0 0 2px #fff, inset 0 0 0 2px #fff; }
</style>"""


def draw_image(row: int, *, key: str, wide: bool = True) -> int | None:
    """Draw image ``row``; return the row of a picture near it that was just clicked, or None.

    Where there is room (``wide``), its scores stand under the picture; else below everything.

    Raises
    ------
    NotThere
        There is no such image.
    """
    found = describe(workspace(), row)
    st.html(_CSS)
    picture, facts = st.columns([3, 2], gap="large")
    with picture:
        _picture(found)
    with facts:
        _record(found)
        place = place_of(workspace(), row)
        if place is not None:
            _place(place)
    with picture if wide else st.container():
        _scores(found.scores)
        _labels(found.labels)
        for annotator, caption in found.captions:
            st.markdown(f"“{ui.plain(caption)}” · {ui.plain(annotator)}")
    return _near(found, key)


def _picture(found: ImageFacts) -> None:
    version = workspace().id
    if found.problem and not found.has_thumbnail:
        st.warning(f"The picture cannot be shown: {found.problem}. There is no small copy of it either.")
        return
    source, height = f"/large/{found.row}.webp", f"min(62vh, {ENLARGED * found.height}px)"  # small pictures grow a bit
    if found.problem:
        st.warning(f"Only the small copy is shown: {found.problem}.")
        source, height = f"/thumbs/{found.row}.webp", "auto"
    st.html(
        f'<img src="{source}?v={version}" alt="{escape(found.title or found.name)}" '
        'style="display:block;margin:auto;max-width:100%;object-fit:contain;border-radius:4px;'
        f'height:{height}">'
    )


def _record(found: ImageFacts) -> None:
    st.markdown(f"**{ui.plain(found.title or found.name)}**")
    lines = {
        "file": found.uri,
        "size": f"{found.width} × {found.height} px" + (f", {_bytes(found.size)}" if found.size is not None else ""),
        "project": found.project,
        "licence": found.license,
        "mature": None if found.mature is None else "yes" if found.mature else "no",
        "added": found.added,
        "number": f"{found.row}",
    }
    told = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in lines.items() if text)
    st.html(f'<dl class="bam-facts">{told}</dl>')


def _bytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"


def _place(place: Place) -> None:
    """Draw the whole map small, with a ring where the image lies, and the way there."""
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


def _scores(scores: list[ScoreLine]) -> None:
    if not scores:
        st.caption("No attribute has scores yet.")
        return
    st.markdown("**Scores**")
    numbers = {"score": st.column_config.NumberColumn(format="%.2f")}
    numbers["threshold"] = st.column_config.NumberColumn(format="%.2f")
    lines = [_score_line(line) for line in scores]
    st.dataframe(pd.DataFrame(lines), hide_index=True, width="stretch", column_config=numbers)
    st.caption(
        "Probability: how often images of that score are positive, by the validation sample. Precision: of all images "
        "that the threshold accepts. Both with 95 % limits."
    )


def _score_line(line: ScoreLine) -> dict[str, object]:
    precision = "–" if line.precision is None else ui.interval(*line.precision)
    return {
        "attribute": readable(line.attribute),
        "score": line.score,
        "probability": "–" if line.probability is None else ui.interval(*line.probability),
        "decision": line.decision or "–",
        "threshold": line.threshold,
        "precision of the accepted": precision + (", certified" if line.certified else ""),
    }


def _labels(labels: list[LabelLine]) -> None:
    if not labels:
        st.caption("Nobody has answered a question about this image yet.")
        return
    st.markdown("**Labels**")
    lines = [
        {
            "attribute": readable(line.attribute),
            "label": line.state,
            "said": ", ".join(f"{who}: {answer}" for who, answer in line.said),
        }
        for line in labels
    ]
    st.dataframe(pd.DataFrame(lines), hide_index=True, width="stretch")


def _near(found: ImageFacts, key: str) -> int | None:
    picked, version = None, workspace().id
    if found.same:
        st.caption(f"{ui.several(len(found.same), 'near-duplicate')} of it")
        twins = [Picture(row) for row in found.same[:SHOWN_TWINS]]
        picked = gallery(twins, key=f"{key}-same-{found.row}", version=version, size=84)
    if found.neighbours:
        st.caption("Most like it, by the encoder in use")
        near = [Picture(row, f"{likeness:.2f}") for row, likeness in found.neighbours]
        clicked = gallery(near, key=f"{key}-near-{found.row}", version=version, size=84)
        picked = clicked if picked is None else picked
    return picked
