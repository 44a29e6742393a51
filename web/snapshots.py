"""The parts of the Snapshots page: making one, the list, and two side by side with the images that differ."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import streamlit as st

from bam_engine.annotation import readable
from bam_engine.database import read_only
from bam_engine.formatting import count, file_size
from bam_engine.freezing import moments, restoring, snapshots
from bam_engine.freezing.contents import LABELS
from bam_engine.freezing.differences import AttributeDifference, Images, summary
from bam_engine.freezing.moments import Comparison
from bam_engine.freezing.snapshots import MAX_NOTE, NOW, DatasetSnapshot
from bam_engine.progress import Report
from bam_engine.team import Role
from bam_engine.workspace import Workspace
from web import jobs, people, ui
from web.components.gallery import Picture, gallery
from web.engine import workspace
from web.image_panel import open_image

MAKE, COMPARE, RESTORE = "snapshot", "compare-snapshots", "restore-snapshot"
AS_IT_IS = "the dataset as it is"
_MOST = 24  # pictures of each kind of change
_CELL = 120


def form() -> None:
    """Draw the form that makes a snapshot, and its progress."""
    ws = workspace()
    if read_only(ws.engine):
        st.caption("This workspace is read-only, so no snapshot can be made in it.")
        return
    running = jobs.show(MAKE, unit="rows")
    with st.form("make-snapshot", border=True):
        name = st.text_input("Name", placeholder="paper-2026", max_chars=64, key="snapshot-name")
        note = st.text_input("Note (optional)", placeholder="what it is for", max_chars=MAX_NOTE, key="snapshot-note")
        st.caption(
            "Images by their content, every answer, and each decision with its evidence. Pictures are not copied, and "
            "accounts are not in it. People can go on working meanwhile."
        )
        go = st.form_submit_button("Make a snapshot", type="primary", icon=":material/photo_camera:", disabled=running)
    if go:
        with ui.guard():
            _make(name.strip(), note)


def _make(name: str, note: str) -> None:
    ws, by = workspace(), ui.annotator()
    snapshots.check_free(ws, name)
    ws.jobs.start(
        MAKE,
        f"Making the snapshot {name}",
        lambda report: snapshots.create(ws, name, note=note, by=by, report=report),
        least=Role.REVIEWER,
    )
    st.rerun()


def stored() -> None:
    """Draw the snapshots, newest first."""
    ws = workspace()
    jobs.show(RESTORE, unit="rows")
    found, broken = snapshots.snapshots(ws), snapshots.damaged(ws)
    if not found and not broken:
        return
    st.subheader("Snapshots", anchor=False)
    for one in found:
        with st.container(border=True):
            _one(one)
    for folder in broken:
        st.warning(f"The snapshot {ui.plain(folder.name)} is damaged: it cannot be read.", icon=":material/warning:")
        _remove(folder.name)


def _one(one: DatasetSnapshot) -> None:
    by = f" by {ui.plain(one.made_by)}" if one.made_by else ""
    st.markdown(f"**{ui.plain(one.name)}**" + (f" · {ui.plain(one.note)}" if one.note else ""))
    held = f"{count(one.images, 'image')}, {count(len(one.attributes), 'attribute')}, {count(one.answers, 'answer')}"
    promises = sum(bool(facts.promise) for facts in one.attributes)
    if promises:
        held += f", {count(promises, 'guarantee')}"
    st.caption(f"{one.made_at[:10]} {one.made_at[11:16]} UTC{by} · {held} · {file_size(one.size)}")
    with st.container(horizontal=True):
        if st.button("What has changed since", key=f"since-{one.name}", icon=":material/difference:"):
            with ui.guard():
                _start(one.name, NOW)
        _restore(one.name)
        _remove(one.name)


def _restore(name: str) -> None:
    """Draw the button that brings the dataset back, for owners, who are asked once more."""
    if not people.may(Role.OWNER) or read_only(workspace().engine):
        return
    with ui.popover("Restore", f"restore-snapshot-{name}", icon=":material/history:"):
        st.markdown(
            "Images, labels, decisions and evidence become what they were. What there is now is kept in a snapshot of "
            "its own first. Accounts, sessions and image files stay as they are. Nobody can answer meanwhile, which "
            "takes minutes with millions of images; no command may be at work on the workspace."
        )
        if st.button("Restore this snapshot", key=f"restore-{name}"):
            with ui.guard():
                ws, by = workspace(), ui.annotator()
                with ws.jobs.alone():
                    pass  # says at once which job is running
                ui.renew_popover(f"restore-snapshot-{name}")
                ws.jobs.forget(COMPARE)
                ws.jobs.start(
                    RESTORE,
                    f"Restoring the snapshot {name}",
                    lambda report: restoring.restore(ws, name, by=by, job=RESTORE, report=report),
                    least=Role.OWNER,
                )
                st.rerun()


def _remove(name: str) -> None:
    """Draw the button that removes a snapshot, for owners, who are asked once more."""
    if not people.may(Role.OWNER) or read_only(workspace().engine):
        return
    with ui.popover("Remove", f"remove-snapshot-{name}", icon=":material/delete:"):
        st.markdown("It cannot be brought back. Images and the dataset as it is stay.")
        if st.button("Remove for good", key=f"remove-{name}"):
            with ui.guard():
                people.check(Role.OWNER)
                snapshots.remove(workspace(), name)
                workspace().jobs.forget(COMPARE)
                st.rerun()


# Two side by side -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Group:
    """Images of one kind of change: a title, the first of them with pictures, and the names of those without."""

    title: str
    pictures: tuple[Picture, ...]
    without: tuple[str, ...]
    total: int


@dataclass(frozen=True)
class _Attribute:
    """What changed about an attribute: the lines of a table, a guarantee that is lost, and the images."""

    name: str
    lines: tuple[tuple[str, str, str], ...]
    lost: str
    groups: tuple[_Group, ...]


@dataclass(frozen=True)
class _Compared:
    """Two moments side by side, ready to be drawn."""

    before: str
    after: str
    summary: str
    images: tuple[int, int]
    groups: tuple[_Group, ...]
    others: tuple[str, ...]
    attributes: tuple[_Attribute, ...]


def comparison() -> None:
    """Draw the choice of two moments, and what differs between the last two that were compared."""
    names = [one.name for one in snapshots.snapshots(workspace())]
    if not names:
        return
    st.subheader("Compare", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom", key="compare-bar"):
        before = st.selectbox("Before", names, key="compare-before")
        after = st.selectbox("After", [NOW, *names], format_func=_words, key="compare-after")
        if st.button("Compare", icon=":material/compare:"):
            with ui.guard():
                _start(str(before), str(after))
    found = jobs.result_of(COMPARE, unit="attributes")
    if found is not None:
        _draw(found)


def _words(name: str) -> str:
    return AS_IT_IS if name == NOW else name


def _start(before: str, after: str) -> None:
    ws = workspace()
    ws.jobs.start(
        COMPARE,
        f"Comparing {before} with {_words(after)}",
        lambda report: _compare(ws, before, after, report),
        least=Role.REVIEWER,
    )
    st.rerun()


def _compare(ws: Workspace, before: str, after: str, report: Report) -> _Compared:
    """Return what differs, with what the page draws of it, so that nothing is read when it is drawn again."""
    with moments.comparison(ws, before, after, report=report) as compared:
        found = compared.difference
        groups = [("in the collection now", found.images_in), ("not in the collection any more", found.images_out)]
        return _Compared(
            _words(before),
            _words(after),
            summary(found),
            (found.images_before, found.images_after),
            tuple(_groups(ws, compared, groups)),
            (
                *(f"{readable(facts.name)}: a new attribute" for facts in found.attributes_in),
                *(f"{readable(facts.name)}: not in use any more" for facts in found.attributes_out),
            ),
            tuple(_attribute(ws, compared, each) for each in found.attributes),
        )


def _attribute(ws: Workspace, compared: Comparison, changed: AttributeDifference) -> _Attribute:
    weaker = changed.after.promise and f"Less is guaranteed now: {changed.after.promise}"
    lost = (weaker or changed.after.taken_back or "Nothing is guaranteed any more.") if changed.broken else ""
    facts = [(each.what.capitalize(), each.before or "none", each.after or "none") for each in changed.facts]
    if lost and not weaker:
        facts = [(what, old, "no longer holds" if what == "Guarantee" else new) for what, old, new in facts]
    delivered = ("Delivered", f"{changed.delivered_before:,}", f"{changed.delivered_after:,}")
    labels = [
        f"{LABELS[old]} → {LABELS[new]}"
        for old, new in zip(changed.labels_before[:_MOST], changed.labels_after[:_MOST], strict=True)
    ]
    moved = [("delivered that were not", changed.delivered_in), ("not delivered any more", changed.delivered_out)]
    return _Attribute(
        readable(changed.name),
        (delivered, *facts),
        lost,
        (
            *_groups(ws, compared, [("with another label", changed.relabelled)], labels),
            *_groups(ws, compared, moved),
        ),
    )


def _groups(
    ws: Workspace, compared: Comparison, kinds: Sequence[tuple[str, Images]], captions: Sequence[str] = ()
) -> Iterator[_Group]:
    """Yield the kinds of change that have images; pictures are those of the collection as it is."""
    for words, images in kinds:
        if not len(images):
            continue
        records = compared.images(Images(images.before[:_MOST], images.after[:_MOST]))
        here = ws.catalogue.images_with(image.digest for image in records)
        said = captions or [""] * len(records)
        pictures = tuple(
            Picture(here[image.digest].row, caption, image.name)
            for image, caption in zip(records, said, strict=True)
            if image.digest in here
        )
        without = tuple(image.name for image in records if image.digest not in here)
        yield _Group(f"{count(len(images), 'image')} {words}", pictures, without, len(images))


def _draw(found: _Compared) -> None:
    st.markdown(f"**{ui.plain(found.before)}** → **{ui.plain(found.after)}**: {ui.plain(found.summary)}")
    before, after = found.images
    st.html(ui.table(["", found.before, found.after], [["Images", f"{before:,}", f"{after:,}"]], stacked=True))
    _draw_groups(found.groups, "images")
    for words in found.others:
        st.markdown(f"- {ui.plain(words)}")
    for each in found.attributes:
        st.markdown(f"#### {ui.plain(each.name)}")
        st.html(ui.table(["", found.before, found.after], each.lines, stacked=True))
        if each.lost:
            st.warning(f"The guarantee no longer holds. {ui.plain(each.lost)}", icon=":material/warning:")
        _draw_groups(each.groups, each.name)


def _draw_groups(groups: Sequence[_Group], key: str) -> None:
    for number, group in enumerate(groups):
        shown = len(group.pictures) + len(group.without)
        st.markdown(f"**{ui.plain(group.title)}**" + (f" · the first {shown}" if shown < group.total else ""))
        if group.pictures:
            key_of_all = f"changed-{key}-{number}"
            picked = gallery(group.pictures, key=key_of_all, version=workspace().picture_version, size=_CELL)
            if picked is not None:
                open_image(picked, [picture.row for picture in group.pictures])
        if group.without:
            names = ", ".join(map(ui.plain, group.without))
            st.caption(f"No longer known to this workspace: {names}.")
