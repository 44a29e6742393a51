"""The documents keep up with the program: generated parts, links, and the files and tables that they name."""

import re
from pathlib import Path

import pytest

from bam_engine import __version__
from bam_engine.annotation import readable
from bam_engine.cli.main import parser
from bam_engine.database import metadata
from benchmarks.__main__ import SUITE
from tests.browser import ROOT
from tests.documents import GENERATED, command_reference, commands, with_part

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")
_FILE = re.compile(r"`((?:bam_engine|web|pages|tests|benchmarks|docs|examples)/[\w/.-]*)`")


def named(document: Path) -> str:
    return str(document.relative_to(ROOT))


@pytest.mark.parametrize("document", GENERATED, ids=named)
def test_generated_parts_are_up_to_date(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert text == with_part(text, GENERATED[document]()), "Run `python -m tests.documents` and commit the result."


def test_a_document_without_a_generated_part_is_refused() -> None:
    with pytest.raises(ValueError, match="exactly one part"):
        with_part("no part", "anything")


def test_every_command_is_in_the_reference() -> None:
    reference = command_reference()
    names = [command.prog for command in commands(parser("bam"))]
    assert len(names) > 15
    assert [name for name in names if f"\n### {name}\n" not in f"\n{reference}\n"] == []


def test_every_table_is_described() -> None:
    text = (ROOT / "docs" / "schema.md").read_text(encoding="utf-8").partition("<!--")[0]
    assert [name for name in metadata.tables if f"`{name}`" not in text] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_links_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    broken = []
    for target, heading in _LINK.findall(text):
        path = (document.parent / target) if target else document
        if not path.exists() or (heading and heading not in headings(path)):
            broken.append(f"{target}#{heading}" if heading else target)
    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_files_that_a_document_names_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert [name for name in _FILE.findall(text) if not (ROOT / name).exists()] == []


def test_every_benchmark_has_its_command_in_the_benchmarks() -> None:
    text = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert [name for name in SUITE if f"python -m benchmarks {name}" not in text] == []


def test_decision_records_are_numbered_and_in_their_index() -> None:
    folder = ROOT / "docs" / "decisions"
    records = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert [int(name[:4]) for name in records] == list(range(1, len(records) + 1))
    assert re.findall(r"\]\((\d{4}-[^)]+)\)", (folder / "README.md").read_text(encoding="utf-8")) == records


def test_the_tour_quotes_labels_that_the_app_shows() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    tour = re.search(r"^## A tour.*?(?=^## )", text, flags=re.DOTALL | re.MULTILINE)
    assert tour is not None
    labels = {" ".join(label.split()) for label in re.findall(r"\*+([^*]+)\*+", tour[0])}
    files = [path for folder in ("pages", "web") for path in (ROOT / folder).rglob("*.py")]
    sources = " ".join(path.read_text(encoding="utf-8") for path in files)
    shown = {label for label in labels if f'"{label}"' in sources or f">{label}<" in sources}
    name = readable("media_watercolor")
    assert len(labels) > 20
    assert labels - shown - {name, f"accepted: {name}"} == set()


def headings(path: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a document."""
    titles = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_newest_version_of_the_changelog_is_the_current_one_and_dates_fall() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = re.findall(r"^## (\d+\.\d+\.\d+) – (\d{4}-\d\d-\d\d)$", text, flags=re.MULTILINE)
    assert released[0][0] == __version__
    assert [date for _, date in released] == sorted((date for _, date in released), reverse=True)
    assert len(re.findall(r"^## ", text, flags=re.MULTILINE)) == len(released) + text.count("\n## Unreleased\n")
