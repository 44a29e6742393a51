"""What tests of the demo share."""

import pytest

from bam_engine.demo.art import kernels


@pytest.fixture(scope="session", autouse=True)
def prepared() -> None:
    """As drawing begins: each loop is compiled for its kind of arguments before any is called."""
    kernels.prepare(3)
