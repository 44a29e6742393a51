"""Duplicates in a real browser: keys decide the first group, the next one takes its place, and the undo is there."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from bam_engine.gallery import kept_duplicates, near_duplicates
from bam_engine.workspace import Workspace
from tests.browser import app_page

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def page(workspace: Workspace, without_pictures: None, tmp_path: Path, browser: Browser) -> Iterator[Page]:
    """The Duplicates page, with a group of three images and two of two."""
    vectors = np.eye(120, workspace.vectors().dim, dtype=np.float16)
    vectors[[40, 41, 50, 60]] = vectors[[3, 3, 9, 20]]
    workspace.vectors().replace(range(120), vectors)
    near_duplicates.find_groups(workspace)
    with app_page(browser, workspace, tmp_path) as found:
        found.goto("/duplicates")
        yield found


def test_keys_decide_the_first_group_and_the_undo_takes_it_back(page: Page, workspace: Workspace) -> None:
    groups = page.get_by_role("button", name="Keep all").or_(page.get_by_role("button", name="Keep both"))
    expect(groups).to_have_count(3, timeout=120_000)  # the first page of a server
    expect(page.locator(".bam-duplicate img").first).to_be_visible()
    page.keyboard.press("2")
    expect(page.get_by_text("2 images dropped.")).to_be_visible(timeout=60_000)
    expect(groups).to_have_count(2)
    assert len(workspace.removals.removed().rows) == 2
    page.keyboard.press("a")
    expect(page.get_by_text("2 images kept.")).to_be_visible(timeout=60_000)
    expect(groups).to_have_count(1)
    assert (kept_duplicates.kept_with(workspace, 120) >= 0).sum() == 2
    page.get_by_role("button", name="Undo").click()
    expect(groups).to_have_count(2)
    assert (kept_duplicates.kept_with(workspace, 120) >= 0).sum() == 0
