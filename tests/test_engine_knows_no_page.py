"""The engine says what is the matter and which step comes next; only the app knows its pages and buttons."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ENGINE = Path(__file__).resolve().parents[1] / "bam_engine"
PAGES = "|".join(file.stem.capitalize() for file in (ENGINE.parent / "pages").glob("*.py")) + "|Embeddings"
OF_THE_APP = re.compile(rf"\b(?:{PAGES}) page\b|\b[Pp]ress\b|\bsidebar\b|\b[Bb]utton\b")
FILES = [
    file
    for file in sorted(ENGINE.rglob("*.py"))
    if not file.is_relative_to(ENGINE / "cli") and not file.is_relative_to(ENGINE / "demo" / "art")
]
"""All but the command line, which is an interface itself, and the demo's drawings, which may show a button."""


def texts(source: str) -> Iterator[str]:
    """Yield every text of a program that is not a docstring."""
    tree = ast.parse(source)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, documented)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value not in docstrings:
            yield node.value


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ENGINE)))
def test_no_message_names_a_page_or_a_button(file: Path) -> None:
    assert [text for text in texts(file.read_text(encoding="utf-8")) if OF_THE_APP.search(text)] == []


def test_a_message_that_sends_somebody_to_a_page_is_noticed() -> None:
    assert OF_THE_APP.search(next(texts('raise ValueError("Choose one on the Threshold page.")')))
