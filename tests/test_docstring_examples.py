"""The examples in docstrings hold."""

import doctest
import importlib
import pkgutil

import pytest

import bam_engine

APART = ("bam_engine.__main__", "bam_engine.api")
"""Modules whose examples are not run here: ``__main__`` runs the program; those of ``api`` run on a small collection,
in ``tests/api``."""

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(bam_engine.__path__, "bam_engine.")
    if not module.name.startswith(APART)
)


@pytest.mark.parametrize("name", [*MODULES, "web.next_steps"])
def test_the_examples_of_a_module_hold(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.failed == 0
