"""The program accepts every command in the documents: each is given to the parser that would read it."""

import importlib.util
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bam_engine.cli.main import parser
from benchmarks.__main__ import commands_of
from tests.browser import ROOT
from tests.documents import commands

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
OTHERS = ("cd", "export", "git", "pip", "pre-commit", "python -c", "ray start")
"""Commands of other programs, which nothing here can check."""

_BLOCK = re.compile(r"^```(?:sh|bash|console)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`((?:bam|python\s-m|make|BAM_\w+=[^\s`]+)\s[^`]+)`")


def test_documented_commands_are_found() -> None:
    heads = {command[0] for document in DOCUMENTS for command in documented(document.read_text(encoding="utf-8"))}
    assert {"bam", "python", "make"} <= heads


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documented_commands_are_accepted(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused = []
    for command in documented(document.read_text(encoding="utf-8")):
        try:
            check(command)
        except (SystemExit, ValueError) as error:
            if not (isinstance(error, SystemExit) and error.code == 0):  # --help exits with 0
                refused.append(f"{shlex.join(command)}: {capsys.readouterr().err or error}")
    assert refused == []


@pytest.mark.parametrize(
    "wrong",
    [
        "bam paint",
        "bam threshold --target 0.9",
        "bam threshold content_cat --target 2",
        "python -m bam_engine paint",
        "python -m benchmarks round --paint",
        "python -m benchmarks painting",
        "python -m tests.painting",
        "make painting",
        "make run PAINT=red",
        "rm -rf /",
    ],
)
def test_a_wrong_command_is_refused(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises((SystemExit, ValueError)):
        check(shlex.split(wrong))
    capsys.readouterr()


def test_commands_are_read_from_blocks_and_from_lines() -> None:
    block = "```sh\nbam a \\\n    b  # why\n\n```\n"
    text = "Run `make\ntest`, or `BAM_CACHE=x bam c`; not `bam`.\n```python\nmake\n```\n"
    assert list(documented(block + text)) == [["bam", "a", "b"], ["make", "test"], ["bam", "c"]]


def documented(text: str) -> Iterator[list[str]]:
    """Yield the commands of a document, each as its words: the lines of shell blocks, and commands within sentences."""
    blocks = _BLOCK.findall(text)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    lines += _INLINE.findall(re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
    for line in lines:
        words = [word.removeprefix(".venv/bin/") for word in shlex.split(line, comments=True)]
        while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
            words = words[1:]
        if words:
            yield words


def check(command: list[str]) -> None:
    """Parse a command without running it.

    Raises
    ------
    SystemExit, ValueError
        The program, the target or the module does not exist, or refuses the options.
    """
    for start, read in READERS.items():
        words = start.split()
        if command[: len(words)] == words:
            read(command[len(words) :])
            return
    if command[:1] == ["python"] and command[1] == "-m":
        check_module(command[2])
    elif not any(command[: len(other.split())] == other.split() for other in OTHERS):
        raise ValueError(f"Nothing can check the command {shlex.join(command)!r}.")


def check_make(arguments: list[str]) -> None:
    for argument in arguments:
        name, is_variable, _ = argument.partition("=")
        pattern = rf"^{name}\s*\?=" if is_variable else rf"^{name}:"
        if not re.search(pattern, MAKEFILE, flags=re.MULTILINE):
            raise ValueError(f"The Makefile has no {name}.")


def check_module(name: str) -> None:
    package = name.partition(".")[0]
    if importlib.util.find_spec(package) is None or importlib.util.find_spec(name) is None:
        raise ValueError(f"There is no module {name}.")


def check_bam(arguments: list[str]) -> None:
    """Parse the arguments, unless they are the name of a command alone, as a sentence may print it."""
    if shlex.join(["bam", *arguments]) not in {command.prog for command in commands(parser("bam"))}:
        parser("bam").parse_args(arguments)


READERS: dict[str, Callable[[list[str]], object]] = {
    "bam": check_bam,
    "python -m bam_engine": check_bam,
    "python -m benchmarks": commands_of,
    "make": check_make,
}
