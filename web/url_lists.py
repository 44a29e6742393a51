"""Lists of URLs on the Images page: one is chosen and looked at, downloaded, and its failures tried again."""

import io
from dataclasses import asdict, replace
from pathlib import Path

import streamlit as st

from bam_engine.collection import bam_file, check_allowed
from bam_engine.download import (
    COLUMNS,
    FOLDER,
    KINDS,
    Columns,
    Line,
    Preview,
    Settings,
    UrlList,
    check_list,
    download_list,
    is_url,
    name_of,
    preview,
    reading,
    resume_list,
    url_lists,
)
from bam_engine.files import replacing
from bam_engine.formatting import count
from bam_engine.labelling.bam_answers import import_bam
from bam_engine.spreadsheets import write_lines
from bam_engine.team import Role
from bam_engine.workspace.downloads import stores_of
from web import bam_file_reading, jobs, ui
from web.engine import workspace
from web.navigation import go

JOB = "urls"
ANSWERS = "bam-answers"
LISTED = 200_000  # URLs of a list whose statuses are offered as a file here
_UPLOADS = "lists"  # below the folder of the lists: those that were uploaded
_WORDS = {"url": "URLs", "title": "Titles", "project": "Projects", "license": "Licences", "mature": "Mature flags"}


def add() -> None:
    """Offer to choose a list, show what it holds, and download it."""
    with st.expander("Add pictures by their URLs", icon=":material/link:"):
        st.caption(
            "A CSV, TSV, Parquet or JSON lines file with a column of URLs, a text with one URL a line, or BAM's SQLite "
            "file. The pictures are stored in the folder of the workspace. Servers are asked politely: few requests at "
            "once, and what robots.txt or X-Robots-Tag forbid is left out."
        )
        uploaded = st.file_uploader("Upload a list", key="url-list-upload")
        typed = st.text_input(
            "Or a file of the computer that runs the app", key="url-list", placeholder="/home/you/art.csv"
        )
        with ui.guard():
            if uploaded is not None:
                _offer(_stored(uploaded.file_id, uploaded.name, uploaded.getbuffer()), own=True)
            elif typed.strip():
                path = check_list(typed).resolve()
                check_allowed(path.parent)
                _offer(path, own=False)


def _stored(number: str, name: str, content: memoryview) -> Path:
    """Return the file of an uploaded list; it is written once."""
    path = workspace().folder / FOLDER / _UPLOADS / f"{name_of(Path(name))}{Path(name).suffix.lower()}"
    if st.session_state.get("url-list-stored") != number:
        with replacing(path) as temporary:
            temporary.write_bytes(content)
        st.session_state["url-list-stored"] = number
    return path


def _offer(path: Path, *, own: bool) -> None:
    """Show the beginning of a list and how it is read, and a button that downloads it."""
    found = _preview(path, Columns())
    if found.names:
        found = _preview(path, _chosen_columns(found))
    words = "row" if found.format == "Parquet" else "line"
    st.markdown(f"**{ui.plain(path.name)}** · {found.format} · {count(found.count, words)}, at most one URL each")
    if found.columns.url is None:
        st.info("Choose the column that holds the URLs.", icon=":material/info:")
        return
    st.dataframe([_shown(line, found.columns, own) for line in found.lines], hide_index=True, width="stretch")
    with st.form("urls", border=False):
        settings = _settings(name_of(path))
        running = workspace().jobs.is_running(JOB)
        go = st.form_submit_button(
            "Download and add", type="primary", disabled=running, icon=":material/cloud_download:"
        )
    if go:
        ws = workspace()
        ws.jobs.start(
            JOB,
            f"Downloading {name_of(path)}",
            lambda report: download_list(stores_of(ws), path, columns=found.columns, settings=settings, report=report),
            least=Role.OWNER,
        )
        st.rerun()


def _preview(path: Path, columns: Columns) -> Preview:
    """Return the preview of a list, read once for each state of its file."""
    status = path.stat()
    key = (str(path), status.st_size, status.st_mtime_ns, columns)
    known = st.session_state.setdefault("url-list-previews", {})
    if key not in known:
        known[key] = preview(path, columns)
    return known[key]  # type: ignore[no-any-return]


def _chosen_columns(found: Preview) -> Columns:
    guessed = asdict(found.columns)
    chosen = {}
    for cell, (name, words) in zip(st.columns(len(_WORDS)), _WORDS.items(), strict=True):
        place = None if guessed[name] is None else found.names.index(guessed[name])
        chosen[name] = cell.selectbox(
            words, found.names, place, placeholder="none", key=f"url-list-{name}-{found.names}"
        )
    return Columns(**chosen)


def _shown(line: Line, columns: Columns, own: bool) -> dict[str, object]:
    """Return what is shown of a line. Of a file of the computer nothing is shown but URLs and what belongs to them."""
    good = is_url(line.url)
    shown: dict[str, object] = {"line": line.number, "URL": line.url if good or own else "no URL of the web"}
    for name in ("title", "project", "license", "mature"):
        if getattr(columns, name) is not None:
            shown[name] = getattr(line, name) if good or own else None
    return shown


def _settings(name: str) -> Settings:
    """Return the settings that are entered, beside those that a list of this name has."""
    begun = url_lists(workspace().folder / FOLDER)
    default = next((one.settings for one in begun if one.name == name), Settings())
    side, hosts, contact = st.columns([1, 1, 2])
    shorter = side.number_input(
        "Shorter side in pixels",
        min_value=16,
        value=default.shorter_side,
        placeholder="originals",
        help="Larger pictures are stored as JPEG copies of this size. Empty: pictures are stored as they are.",
    )
    per_host = hosts.number_input("Requests at once to a host", 1, 32, default.per_host)
    address = contact.text_input(
        "How hosts reach you",
        default.contact,
        placeholder="you@example.org",
        help="Sent with every request, so that whoever runs a server can write to you rather than lock you out.",
    )
    return replace(default, shorter_side=shorter, per_host=int(per_host), contact=address.strip())


def running() -> bool:
    """Draw the download that is under way, or how it ended; return whether one is."""
    return jobs.show(JOB, unit="URLs")


def lists() -> None:
    """Draw the lists that were begun, why URLs have failed, and buttons to try again and to download the statuses."""
    home = workspace().folder / FOLDER
    known = url_lists(home)
    if not known:
        return
    st.subheader("Lists of URLs", anchor=False)
    lines = [
        {
            "list": one.name,
            "URLs": one.counts.urls,
            "in the collection": one.counts.added,
            "failed": one.counts.failed,
            "to do": one.counts.waiting + one.counts.stored,
        }
        for one in known
    ]
    st.dataframe(lines, hide_index=True, width="stretch")
    names = [one.name for one in known]
    name = names[0] if len(names) == 1 else st.selectbox("List", names, key="url-list-shown")
    _one(home, known[names.index(name)])


def _one(home: Path, chosen: UrlList) -> None:
    with reading(home, chosen.name) as statuses:
        errors = statuses.errors()
    if errors:
        st.markdown(f"**{count(chosen.counts.failed, 'URL')} of {ui.plain(chosen.name)} failed**")
        table = [
            {"URLs": number, "why": f"{kind}: {KINDS.get(kind, kind)}", "HTTP status": code}
            for kind, code, number in errors
        ]
        st.dataframe(table, hide_index=True, width="stretch")
    kinds = list(dict.fromkeys(kind for kind, _, _ in errors if kind != "bad url"))
    again = st.multiselect("Failures to try again", kinds, key=f"retry-{chosen.name}") if kinds else []
    to_do = chosen.counts.waiting + chosen.counts.stored
    with st.container(horizontal=True):
        label = "Try these again" if again or not to_do else "Go on"
        if (kinds or to_do) and st.button(label, icon=":material/refresh:", disabled=not (again or to_do)):
            _resume(chosen.name, again)
        _export(home, chosen)
    if Path(chosen.source).suffix.lower() in bam_file.SUFFIXES:
        _answers(Path(chosen.source))


def _answers(file: Path) -> None:
    """Offer to import the answers and captions of BAM's file, and say what was stored of them."""
    ws, title = workspace(), f"Importing the answers of {file.name}"
    if st.button(
        "Import answers and captions",
        icon=":material/how_to_vote:",
        disabled=ws.jobs.is_running(ANSWERS),
        help="Stores what BAM's workers answered and wrote about the pictures that are here, as votes and captions "
        "under their names. Missing attributes are added. What is there already is not stored again.",
    ):
        with ui.guard():
            ws.jobs.start(ANSWERS, title, lambda report: import_bam(ws, file, report=report), least=Role.OWNER)
            st.rerun()
    if st.button(
        "Browse this file",
        icon=":material/database:",
        disabled=ws.jobs.is_running(bam_file_reading.JOB),
        help="Reads its scores, labels and captions once, and shows all of its images on a page of their own, whether "
        "or not their pictures are here.",
    ):
        with ui.guard():
            bam_file_reading.start(file)
            go("bam_file")
    imported = jobs.result_of(ANSWERS, unit="answers")
    job = ws.jobs.get(ANSWERS)
    if imported is None or job is None or job.title != title:
        return
    lines = imported.lines()
    if imported.without_image:
        verb = "is" if imported.without_image == 1 else "are"
        lines.append(
            f"{count(imported.without_image, 'image')} with answers or captions {verb} not in the collection: "
            "download more of the list, then import again."
        )
    st.markdown("\n".join(f"- {ui.plain(line)}" for line in lines))


def _resume(name: str, kinds: list[str]) -> None:
    ws = workspace()
    with ui.guard():
        ws.jobs.start(
            JOB,
            f"Downloading {name}",
            lambda report: resume_list(stores_of(ws), name, retry=kinds, report=report),
            least=Role.OWNER,
        )
        st.rerun()


def _export(home: Path, chosen: UrlList) -> None:
    """Offer the status of every URL as a file; of a very long list, say which command writes it."""
    if chosen.counts.urls > LISTED:
        st.caption(f"`bam urls export {chosen.name} --to status.csv` writes the status of every URL.")
        return

    def content() -> bytes:
        with reading(home, chosen.name) as statuses:
            text = io.StringIO()
            write_lines(text, [COLUMNS, *statuses.table()])
            return text.getvalue().encode()

    st.download_button(
        "Status of every URL", content, f"{chosen.name}-status.csv", "text/csv", icon=":material/download:"
    )
