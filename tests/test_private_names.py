"""No module reaches into another: a name that begins with an underscore belongs to the file that defines it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = ("bam_engine", "web", "pages")
OF_LIBRARIES = {
    "_SubParsersAction",  # argparse: the only name of this type
    "_cache",  # numba: where a compiled function is kept, by which source
    "_cache_file",
    "_source_stamp",
    "_convolution_pointwise",  # torch: a convolution with its activation in one step, used where it is there
    "_reorder_convolution_weight",
    "_fields",  # a named tuple: public in spite of its underscore
    "_mapping",  # SQLAlchemy: public in spite of its underscore, as of a named tuple
}


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def intrusions(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and name of each private name that another module of the project defines."""
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    own = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    own |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    own |= {node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in PROJECT:
            names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
            yield from ((node.lineno, name) for name in names if is_private(name))
        elif isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr not in own | OF_LIBRARIES:
            yield node.lineno, ast.unparse(node)


def project_files() -> list[Path]:
    return sorted(file for folder in PROJECT for file in (ROOT / folder).rglob("*.py"))


def test_no_module_uses_a_private_name_of_another() -> None:
    found = [
        f"{file.relative_to(ROOT)}:{line}: {name}"
        for file in project_files()
        for line, name in intrusions(file.read_text(encoding="utf-8"))
    ]
    assert not found, "make these names public, or use a public one:\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("from bam_engine.training.rounds import _digest", ["_digest"]),
        ("from bam_engine._parts import wheel", ["_parts"]),
        ("rounds._digest()", ["rounds._digest"]),
        ("def _digest(): ...\nrounds._digest()", []),
        ("self._lock = 1\nother._lock", []),
        ("from argparse import _SubParsersAction\nkept.__class__.__name__", []),
    ],
)
def test_private_names_are_recognised(source: str, names: list[str]) -> None:
    assert [name for _, name in intrusions(source)] == names
