"""Labels that exist already, on a page: the classes of a file or folder, chosen, previewed, stored, and taken back."""

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from bam_engine.annotation import readable
from bam_engine.collection import check_allowed
from bam_engine.errors import AnnotationError
from bam_engine.formatting import count
from bam_engine.labelling.class_answers import (
    FoundClasses,
    ImportedClasses,
    PlannedClasses,
    find_classes,
    import_classes,
    plan_classes,
    undo_classes,
)
from bam_engine.team import Role
from bam_engine.typed_paths import typed_path
from web import people, ui, undo
from web.engine import workspace

_FOUND = "classes-found"
_NAMED = 3  # paths of pictures without an image that are named


def class_labels() -> None:
    """Draw the part, for owners: what a source holds once it is read, and what would be stored of it."""
    if not people.may(Role.OWNER):
        return
    st.subheader("Labels that exist already", anchor=False)
    with st.expander("Import classes of COCO, LVIS, FiftyOne or folders", icon=":material/label:"):
        st.caption(
            "They are stored as the votes of a named source: they train, and never judge. Boxes and masks are not "
            "kept. Pictures are found by their paths, or the unique ends of these."
        )
        _read()
        found = st.session_state.get(_FOUND)
        if found is not None:
            _choose(*found)


def _read() -> None:
    with st.form("classes-read", border=False):
        uploaded = st.file_uploader("Drop a JSON file of COCO, LVIS or FiftyOne", type="json", key="classes-upload")
        typed = st.text_input(
            "Or a file or folder of the computer that runs the app",
            key="classes-path",
            placeholder="/home/you/annotations/instances_val2017.json",
        )
        label_field = st.text_input(
            "Field", key="classes-field", help="Of FiftyOne's samples, where several have classes (--field)."
        )
        if not st.form_submit_button("Read its classes", icon=":material/search:"):
            return
    st.session_state.pop(_FOUND, None)
    with ui.guard(), st.spinner("Reading …"):
        wanted = label_field.strip() or None
        if uploaded is not None:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder, Path(uploaded.name).name)
                path.write_bytes(uploaded.getbuffer())
                found = find_classes(workspace(), path, label_field=wanted)
        else:
            path = typed_path(typed).resolve()
            check_allowed(path if path.is_dir() else path.parent)
            found = find_classes(workspace(), path, label_field=wanted)
        st.session_state[_FOUND] = (path.name, found)


def _choose(name: str, found: FoundClasses) -> None:
    """Draw what was read, the choice of classes and attributes, and what would be stored."""
    st.markdown(
        f"**{ui.plain(name)}**: {found.labels.kind}, {count(len(found.matches.rows), 'image')} in the collection, "
        f"{count(len(found.labels.shown), 'class', 'classes')}"
    )
    _left_out(found)
    counts = found.counts
    chosen = st.multiselect(
        "Classes",
        list(counts),
        key="classes-chosen",
        format_func=lambda each: f"{each} · {counts.get(each, 0):,}",
        placeholder="Choose the classes to store",
    )
    names = [attribute.name for attribute in workspace().attributes.all()]
    classes = {
        each: st.selectbox(
            f"{ui.plain(each)} is a label of",
            ["", *names],
            key=f"classes-of-{each}",
            format_func=lambda other: readable(other) if other else "the attribute called like it, added if missing",
        )
        for each in chosen
    }
    source = st.text_input("Source of these labels", key="classes-source", placeholder="COCO", max_chars=80)
    complete = st.checkbox(
        "The source has every image that shows a class",
        key="classes-complete",
        help="Then an image that is not said to show a class is a no (--complete). Otherwise only what the source "
        "states is a no.",
    )
    if not classes:
        return
    with ui.guard():
        planned = plan_classes(workspace(), found, classes, complete=complete)
        _preview(planned)
        if st.button("Store these labels", type="primary", icon=":material/download:", key="classes-store"):
            if not source.strip():
                raise AnnotationError("Say who gave these labels, such as COCO.")
            with st.spinner("Storing …"):
                imported = import_classes(workspace(), found, classes, annotator=source, complete=complete)
            back = partial(undo_classes, workspace(), imported, annotator=source)
            undo.done(" ".join(_stored(each, source) for each in imported), back)


def _left_out(found: FoundClasses) -> None:
    """Say which pictures have no image, or several, and what of the source cannot be used."""
    lines = [f"{len(places):,} left out: {why}; the first: {places[0]}" for why, places in found.labels.unclear.items()]
    for paths, matches in ((found.matches.unmatched, "no image"), (found.matches.ambiguous, "several images")):
        if paths:
            first = ", ".join(paths[:_NAMED])
            lines.append(f"{count(len(paths), 'path matches', 'paths match')} {matches}: {first}")
    for line in lines:
        st.caption(ui.plain(line))


def _preview(planned: list[PlannedClasses]) -> None:
    lines: list[dict[str, Any]] = [
        {
            "attribute": each.attribute + ("" if each.exists else " (new)"),
            "classes": ", ".join(each.classes),
            "yes": each.yes,
            "no": each.no,
            "said to be both, left out": each.contradictions,
        }
        for each in planned
    ]
    st.dataframe(lines, hide_index=True, width="stretch")
    note = (
        "Labels of images that are held out for validation, certification or audit are left out when they are stored."
    )
    if any(each.yes and not each.no for each in planned):
        note += " Nothing is a no for some: a classifier needs both."
    st.caption(note)


def _stored(imported: ImportedClasses, source: str) -> str:
    stored = imported.stored
    new = f"{count(stored.new, 'label')} of {imported.attribute} stored for {source}"
    words = f"{new}: {stored.yes:,} yes, {stored.no:,} no"
    others = [
        f"{number:,} {what}"
        for number, what in (
            (stored.repeated, "already stored"),
            (stored.set_aside, "set aside before, and still"),
            (stored.left_out, "held out"),
            (stored.removed, "removed from the collection"),
        )
        if number
    ]
    joined = ", ".join(others)
    return ui.plain(f"{words}{f' ({joined})' if others else ''}.")
