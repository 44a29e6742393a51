"""The annotator's name in a real browser: it lasts through a reload, and another tab begins with it."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser import small_app

SERVER = """
    from pathlib import Path

    import streamlit as st

    from web.routes.modules import module_routes

    app = st.App(Path(__file__).with_name("script.py").resolve(), routes=module_routes())
"""

SCRIPT = """
    import streamlit as st

    from web import identity

    with st.sidebar:
        identity.field()
    st.write(f"answers go by: {identity.annotator()}")
    with st.sidebar:
        identity.keep()
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with small_app(tmp_path_factory.mktemp("identity_app"), SERVER, SCRIPT) as url:
        yield url


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context()
    context.set_default_timeout(20_000)
    yield context
    context.close()


def goes_by(page: Page, name: str) -> None:
    expect(page.get_by_text(f"answers go by: {name}", exact=True)).to_be_visible(timeout=20_000)


def choose(page: Page, name: str) -> None:
    page.get_by_role("textbox", name=re.compile("Annotator")).fill(name)
    page.keyboard.press("Enter")
    goes_by(page, name)
    page.wait_for_function("name => sessionStorage.getItem('bam.annotator') === JSON.stringify(name)", arg=name)


def opened(context: BrowserContext, address: str) -> Page:
    page = context.new_page()
    page.goto(address)
    return page


def test_the_name_lasts_through_a_reload_and_another_tab_begins_with_it(context: BrowserContext, address: str) -> None:
    page = opened(context, address)
    goes_by(page, "me")
    choose(page, "Żaneta B.")
    page.reload()
    goes_by(page, "Żaneta B.")
    goes_by(opened(context, address), "Żaneta B.")


def test_two_tabs_keep_a_name_each(context: BrowserContext, address: str) -> None:
    first = opened(context, address)
    choose(first, "anna")
    second = opened(context, address)
    goes_by(second, "anna")
    choose(second, "bo")
    first.reload()
    goes_by(first, "anna")
    second.reload()
    goes_by(second, "bo")


def test_a_tab_in_which_nobody_chose_follows_a_name_that_is_chosen_in_another(
    context: BrowserContext, address: str
) -> None:
    waiting = opened(context, address)
    goes_by(waiting, "me")
    choose(opened(context, address), "cleo")
    goes_by(waiting, "cleo")
