"""A small app around the labelling grid alone, for its browser tests: a real database, routes, drawn pictures."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bam_engine.annotation import BAM_ATTRIBUTES
from bam_engine.annotation.answer_store import Annotations
from bam_engine.annotation.attribute_store import Attributes
from bam_engine.database import open_database
from tests.browser import served

PER_PAGE = 12
FLOWER = next(template for template in BAM_ATTRIBUTES if template.name == "content_flower")
SERVER = """
import io, os
from functools import cache
from pathlib import Path
import streamlit as st
from PIL import Image
from starlette.responses import Response
from starlette.routing import Route
from bam_engine.annotation.answer_store import Annotations
from bam_engine.database import open_database
from web.routes.labels import label_routes
from web.routes.modules import module_routes

annotations = Annotations(open_database(os.environ["TEST_DATABASE"]))
pictures = Path(os.environ["TEST_PICTURES"]).read_text().splitlines()

@cache
def webp(row, side):
    image = Image.open(pictures[row % len(pictures)]).convert("RGB")
    image.thumbnail((side, side))
    out = io.BytesIO()
    image.save(out, "WEBP")
    return out.getvalue()

def picture(request):
    side = 256 if request.url.path.startswith("/thumbs") else 1200
    return Response(webp(request.path_params["row"], side), media_type="image/webp")

routes = [
    Route("/thumbs/{row:int}.webp", picture),
    Route("/large/{row:int}.webp", picture),
    *label_routes(lambda: annotations, terms_of=lambda _: None),
    *module_routes(),
]
app = st.App(Path(__file__).with_name("page.py"), routes=routes)
"""
PAGE = """
import os
import streamlit as st
from bam_engine.annotation import BAM_ATTRIBUTES
from bam_engine.annotation.answer_store import Annotations
from bam_engine.database import open_database
from web.components.label_grid import label_grid

st.set_page_config(layout="wide")

@st.cache_resource
def annotations():
    return Annotations(open_database(os.environ["TEST_DATABASE"]))

assignment = annotations().assignment(st.session_state.get("following") or st.query_params["assignment"])
answered = annotations().answered_rows(assignment.id)
flower = next(template for template in BAM_ATTRIBUTES if template.name == "content_flower")
images = [
    {"row": row, "answer": answered.get(row), "title": f"<script>window.broken = 1</script> {row}"}
    for row in assignment.rows
]
examples = [
    {"row": int(row), "kind": kind, "note": "<b>a rose</b>"}
    for kind in ("good", "bad", "corner")
    for row in st.query_params.get_all(kind)
]
finished = label_grid(
    assignment.id,
    flower.question,
    flower.instructions,
    images=images,
    version="1",
    examples=examples,
    per_page=PER_PAGE,
    skips="decides" not in st.query_params,
)
if finished:
    st.session_state.finished = finished
if finished and "then" in st.query_params:
    st.session_state.following = st.query_params["then"]
    st.rerun()
if "finished" in st.session_state:
    st.write("Python heard:", str(st.session_state.finished))
with st.sidebar:
    st.session_state.runs = st.session_state.get("runs", 0) + 1
    st.button("Run again")
    st.write(f"run {st.session_state.runs}")
    st.text_input("Note")
"""


@dataclass
class Site:
    """The running app and the database behind it."""

    url: str
    annotations: Annotations
    attribute: int
    person: int
    draws: int = 0

    def assign(self, rows: Iterator[int] | range) -> str:
        self.draws += 1
        given = self.annotations.assign(self.attribute, self.person, rows, purpose="round", source_id=self.draws)
        return given.id


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, small_pictures: Path) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    (folder / "pictures.txt").write_text("\n".join(map(str, sorted(small_pictures.rglob("*.jpg")))))
    (folder / "server.py").write_text(SERVER)
    (folder / "page.py").write_text(PAGE.replace("PER_PAGE", str(PER_PAGE)))
    database = f"sqlite:///{folder / 'bam.sqlite'}"
    engine = open_database(database)
    flower = Attributes(engine).add(FLOWER.name, FLOWER.kind, FLOWER.question, FLOWER.instructions)
    annotations = Annotations(engine)
    environment = {
        "TEST_DATABASE": database,
        "TEST_PICTURES": str(folder / "pictures.txt"),
    }
    with served("server:app", folder, environment, ask="/thumbs/0.webp") as url:
        yield Site(url, annotations, flower.id, annotations.annotator("Ada"))
    engine.dispose()
