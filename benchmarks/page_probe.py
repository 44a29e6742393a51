"""What :mod:`.pages` runs in each of the checkouts that it compares; it uses only what all of them have.

``make FOLDER`` makes a demo workspace with begun attributes and a map. ``visit PAGE COPY OTHER`` draws a page three
times, as three sessions of one process: of one workspace, of another one, and of that one again; it prints the seconds,
processor seconds and SQL statements of each as JSON.
"""

import argparse
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import sqlalchemy as sa

ERROR_RATE = 0.05
ZOOM = 2
"""The first view of a map in a window of 1,300 × 1,100 pixels is at this zoom: 4 × 4 tiles."""


def make(home: Path, images: int, attributes: int) -> None:
    """Make a demo whose attributes simulated annotators have labelled to the end, and a map of it with names."""
    from bam_engine.annotation import BAM_ATTRIBUTES
    from bam_engine.demo import simulated_annotators
    from bam_engine.demo.demo_workspace import make_demo
    from bam_engine.errors import BamError
    from bam_engine.maps import layout_builder, regions
    from bam_engine.workspace import Workspace

    workspace = Workspace(home / "workspace", home / "cache")
    make_demo(workspace, count=images)
    team = simulated_annotators.choose_team(workspace, error_rate=ERROR_RATE)
    known = {attribute.name: attribute for attribute in workspace.attributes.all()}
    for template in BAM_ATTRIBUTES[:attributes]:
        attribute = known.get(template.name) or workspace.attributes.add(
            template.name, template.kind, template.question
        )
        try:
            simulated_annotators.play(workspace, attribute, team)
        except BamError as error:  # such as an attribute without a usable threshold: its rounds stay
            print(f"{template.name}: {error}", file=sys.stderr, flush=True)
    regions.refresh(workspace, layout_builder.build(workspace, method="pca").id)
    workspace.close()


def visit(page: str, homes: Sequence[Path]) -> list[dict[str, float]]:
    """Draw a page of the first workspace, then of the second, then of the second again."""
    from starlette.applications import Starlette
    from starlette.testclient import TestClient

    import web.components.map
    import web.engine
    import web.frame
    from web.server import routes

    client = TestClient(Starlette(routes=routes()))
    drawn: dict[str, Any] = {}
    web.components.map.picture_map = stand_in(drawn, web.components.map.MapEvents(None, None))
    visits = []
    for home in (homes[0], homes[1], homes[1]):
        os.environ |= {"BAM_WORKSPACE": str(home / "workspace"), "BAM_CACHE": str(home / "cache")}
        workspace = web.engine.workspace()
        with counted(workspace.engine) as statements:
            begin, processor = time.perf_counter(), time.process_time()
            draw(page)
            if page == "map":
                ask_as_a_browser(client, drawn)
            spent = {"seconds": time.perf_counter() - begin, "processor": time.process_time() - processor}
        visits.append(spent | {"statements": len(statements)})
        settle(workspace)
    return visits


def stand_in(drawn: dict[str, Any], events: Any) -> Callable[..., Any]:
    """Return what stands for the map's component: it takes down what it is given."""

    def draw_map(map_id: str, **data: Any) -> Any:
        drawn.update(data, map=map_id)
        return events

    return draw_map


def draw(page: str) -> None:
    """Draw a page inside the app's frame."""
    from streamlit.testing.v1 import AppTest

    app = AppTest.from_string(f"from web.frame import draw\ndraw({page!r})", default_timeout=300).run()
    if app.exception:
        raise SystemExit(f"The page {page} failed: {app.exception[0].value}")


def ask_as_a_browser(client: Any, drawn: dict[str, Any]) -> None:
    """Request what the map's component does when it is shown: its tiles, names, and the image under the pointer."""
    view = f"v={drawn['version']}&pictures={drawn['pictures']}&theme=light"
    base = f"/tiles/{drawn['map']}/{drawn['colour']}"
    seen = ",".join(f"{x}.{y}" for x, y in product(range(2**ZOOM), repeat=2))
    for address in (
        f"{base}/{ZOOM}.pack?{view}&tiles={seen}",
        f"{base}/{ZOOM + 1}.pack?{view}&tiles=2.2,2.3,3.2,3.3&ahead=1",
        f"/api/maps/{drawn['map']}/names.json?v={drawn['version']}",
        f"/tiles/{drawn['map']}/nearest?x=0.5&y=0.5&r=0.5&kind={drawn['colour']}&pictures={drawn['pictures']}",
    ):
        if (reply := client.get(address)).status_code != 200:
            raise SystemExit(f"{address} was answered {reply.status_code}: {reply.text[:200]}")


@contextmanager
def counted(engine: sa.Engine) -> Iterator[list[str]]:
    """Give a list of the statements that are executed meanwhile, without those of background jobs."""
    statements: list[str] = []

    def take_down(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not threading.current_thread().name.startswith("job-"):
            statements.append(statement)

    sa.event.listen(engine, "before_cursor_execute", take_down)
    try:
        yield statements
    finally:
        sa.event.remove(engine, "before_cursor_execute", take_down)


def settle(workspace: Any) -> None:
    """Wait until no background job runs, and longer than a map stays unchecked."""
    end = time.monotonic() + 120
    while workspace.jobs.running() and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(1.2)


def run() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = options.add_subparsers(dest="command", required=True)
    making = commands.add_parser("make")
    making.add_argument("folder", type=Path)
    making.add_argument("--images", type=int, required=True)
    making.add_argument("--attributes", type=int, required=True)
    visiting = commands.add_parser("visit")
    visiting.add_argument("page")
    visiting.add_argument("homes", type=Path, nargs=2)
    given = options.parse_args()
    logging.disable(logging.WARNING)
    if given.command == "make":
        make(given.folder, given.images, given.attributes)
    else:
        print(json.dumps(visit(given.page, given.homes)))


if __name__ == "__main__":
    run()
