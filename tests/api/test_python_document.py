"""``docs/python.md``: its session runs, and it names everything that is public."""

import doctest
import inspect
import re
from pathlib import Path

import pytest

from bam_engine import AttributeHandle, Collection
from tests.api.paintings import draw_paintings

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "python.md"


def test_the_session_of_the_document_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw_paintings(tmp_path / "pictures")
    monkeypatch.chdir(tmp_path)
    session = "\n".join(re.findall(r"```pycon\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL))
    example = doctest.DocTestParser().get_doctest(session, {}, "docs/python.md", str(DOCUMENT), 0)
    assert len(example.examples) > 30
    output: list[str] = []
    results = doctest.DocTestRunner(verbose=False).run(example, out=output.append)
    assert results.failed == 0, "".join(output)


@pytest.mark.parametrize("thing", [Collection, AttributeHandle])
def test_every_public_member_is_in_the_document(thing: type) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    members = [name for name, _ in inspect.getmembers(thing) if not name.startswith("_")]
    assert not [name for name in members if not re.search(rf"`{name}[(`]", text)]
