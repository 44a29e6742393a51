"""The rules in ``conftest.py``: what uses the browser is marked; in CI no test skips for lack of what CI has."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SUITE = """
import pytest
from tests.browser import NO_BROWSER
from tests.needs import needs_real_pictures
from tests.postgresql import NO_POSTGRESQL

@pytest.fixture
def browser():
    pytest.skip(f"{NO_BROWSER}: none installed")

@pytest.fixture
def page(browser):
    return browser

def test_of_a_page(page): ...
def test_of_pictures(): needs_real_pictures()
def test_of_postgresql(): pytest.skip(f"{NO_POSTGRESQL}: none installed")
def test_of_another_device(): pytest.skip("this machine has no CUDA device")
def test_of_nothing(): ...
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small suite under the same rules."""
    tests = tmp_path / "project" / "tests"
    tests.mkdir(parents=True)
    helpers = ("__init__.py", "browser.py", "needs.py", "postgresql.py")
    for name in ("conftest.py", "pyproject.toml", *(f"tests/{helper}" for helper in helpers)):
        shutil.copy(ROOT / name, tests.parent / name)
    (tests / "test_small.py").write_text(SUITE)
    return tests.parent


def run(project: Path, *options: str, ci: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options]
    ended = subprocess.run(command, cwd=project, env={**os.environ, "CI": ci}, capture_output=True, text=True)
    return ended.returncode, ended.stdout


@pytest.mark.parametrize("spread", [(), ("-n", "1")])
def test_a_skip_for_lack_of_what_ci_has_fails_a_run_in_ci_beside_shared(project: Path, spread: tuple[str, ...]) -> None:
    (project.parent / "shared").mkdir()
    code, out = run(project, *spread, ci="true")
    assert code == 1
    listed = [line for line in out.splitlines() if line.startswith("tests/test_small.py::")]
    assert sorted(line.split(": no")[0] for line in listed) == [
        "tests/test_small.py::test_of_a_page: Skipped: the browser is not here",
        "tests/test_small.py::test_of_pictures: Skipped: the real pictures are not here",
        "tests/test_small.py::test_of_postgresql: Skipped: PostgreSQL is not here",
    ]
    assert "1 passed, 4 skipped" in out


@pytest.mark.parametrize(("ci", "shared"), [("", True), ("true", False)])
def test_elsewhere_they_skip_with_their_reason(project: Path, ci: str, shared: bool) -> None:
    if shared:
        (project.parent / "shared").mkdir()
    code, out = run(project, ci=ci)
    assert code == 0
    assert "the browser is not here: none installed" in out
    assert "must not skip in CI" not in out


def test_what_uses_the_browser_is_marked_even_through_another_fixture(project: Path) -> None:
    code, out = run(project, "--collect-only", "-q", "-m", "not browser", ci="")
    assert code == 0
    assert "test_of_a_page" not in out
    assert "4/5 tests collected" in out
