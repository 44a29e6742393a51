"""Jobs: each call in the app that starts one is found in its source, and no role below the one it states starts it."""

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest

from bam_engine.errors import TeamError
from bam_engine.team import Role
from bam_engine.workspace import Workspace
from tests.web import team_site
from tests.web.team_site import Site
from web import people

ROOT = Path(people.__file__).parents[1]
VIEWERS = {
    "web/gallery_actions.py names_ready",
    "web/gallery_filters.py _facet_scan",
    "web/gallery_filters.py _problems",
    "bam_engine/maps/regions.py _start_naming",
    "bam_engine/maps/sprite_packing.py start",
}
"""Whoever looks starts these: they compute what is shown, and change nothing that people enter."""

ANNOTATORS = {"web/jobs.py train_when_due"}
"""The last answer of a round starts its training."""


@dataclass(frozen=True)
class Start:
    """A call that starts a job: in which function, and the least role that it states."""

    place: str
    least: Role


def starts() -> list[Start]:
    found = []
    for file in sorted([*(ROOT / "bam_engine").rglob("*.py"), *(ROOT / "web").rglob("*.py"), *ROOT.glob("pages/*.py")]):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        functions = [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)]
        for call in (one for one in ast.walk(tree) if isinstance(one, ast.Call)):
            if not isinstance(call.func, ast.Attribute) or call.func.attr not in ("start", "start_once"):
                continue
            if ast.unparse(call.func.value).split(".")[-1] != "jobs":
                looks_like_a_job = call.func.attr == "start_once" or "report" in ast.unparse(call)
                assert not looks_like_a_job, f"{file} starts a job past the jobs of the workspace: {ast.unparse(call)}"
                continue
            inside = [one for one in functions if one.lineno <= call.lineno <= (one.end_lineno or 0)]
            stated = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
            name = inside[-1].name if inside else "the page"
            least = Role[stated["least"].removeprefix("Role.")]
            found.append(Start(f"{file.relative_to(ROOT).as_posix()} {name}", least))
    return found


@pytest.fixture
def site(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Site:
    return team_site.start(workspace, monkeypatch)


def test_every_job_of_the_app_states_its_least_role() -> None:
    found = starts()
    assert len(found) > 15
    assert {one.place for one in found if one.least == Role.VIEWER} == VIEWERS
    assert {one.place for one in found if one.least == Role.ANNOTATOR} == ANNOTATORS
    assert {"pages/images.py add", "web/backup.py section"} <= {one.place for one in found if one.least == Role.OWNER}


def test_no_role_starts_a_job_for_a_higher_one(site: Site) -> None:
    jobs = site.workspace.jobs
    for start in starts():
        for role in Role:
            for run in (jobs.start, jobs.start_once):
                about = f"{start.place} {role} {run.__name__}"
                ran: list[str] = []
                with people.asking(site.accounts[role]):
                    if role < start.least:
                        with pytest.raises(TeamError, match=f"and you are an? {role}"):
                            run(about, "Work", lambda _report, ran=ran: ran.append("it"), least=start.least)
                        assert jobs.get(about) is None
                    else:
                        job = run(about, "Work", lambda _report, ran=ran: ran.append("it"), least=start.least)
                        while job.running:
                            job.stopping.wait(0.01)
                assert bool(ran) == (role >= start.least), about


def test_the_program_itself_starts_every_job(site: Site) -> None:
    assert people.person() is None
    assert site.workspace.jobs.start("warm", "Work", lambda _report: None, least=Role.OWNER).error == ""


def test_one_person_starts_every_job(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    site = team_site.start(workspace, monkeypatch)
    monkeypatch.delenv(people.TEAM)
    assert site.workspace.jobs.start("export", "Work", lambda _report: None, least=Role.OWNER).error == ""
