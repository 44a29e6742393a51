"""What the tests of the map in a browser share: the small app with a map, and a page of its own for each test."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.web.map_site import fresh_page, map_site


@pytest.fixture(scope="module")
def address(small_pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the small app with a map, served for one file of tests."""
    with map_site(tmp_path_factory.mktemp("map_app"), small_pictures) as url:
        yield url


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page of its own."""
    with fresh_page(browser) as made:
        yield made
