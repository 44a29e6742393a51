"""Every page at three widths, light and dark, empty, half-full and full: nothing overflows and nobody is shut out.

``BAM_LOOKS=FOLDER`` keeps the screenshots there, to be looked at. Accessibility is axe-core's judgement: no violation
that it calls serious or critical. Nothing may jump while a page loads: its layout shifts, summed over the visit, stay
at or below what web.dev calls good (https://web.dev/articles/cls; there the largest burst counts, here all of them).
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect

from bam_engine.annotation import Attribute
from bam_engine.audit import audits
from bam_engine.demo import simulated_annotators
from bam_engine.labelling import tasks
from bam_engine.maps import layout_builder
from bam_engine.training import rounds, thresholds, validation
from bam_engine.workspace import Workspace
from tests.browser import ROOT, served
from tests.conftest import Oracle
from web.navigation import GROUPS

pytestmark = pytest.mark.timeout(900)

PAGES = [name for names in GROUPS.values() for name in names]
WIDTHS = {1440: 900, 1024: 768, 390: 844}
STATES = ("empty", "half", "full", "demo")
KEPT = os.environ.get("BAM_LOOKS")
NOT_OURS = {"exclude": [['[data-testid="stSidebarNav"]']]}  # Streamlit's list of pages has parts between its items
FAULTS = """() => {
  const parts = [...document.querySelectorAll('[data-testid="stMain"] *')];
  const found = [];
  if (document.documentElement.scrollWidth > innerWidth + 1) {
    const wide = parts.filter((part) => part.getBoundingClientRect().right > innerWidth + 1);
    found.push('the page scrolls sideways: ' + wide.map((part) => part.tagName + '.' + part.className).slice(0, 5));
  }
  for (const part of parts) {
    const ellipsis = getComputedStyle(part).textOverflow === 'ellipsis' && !part.closest('[data-testid="stSelectbox"]');
    const cut = part.clientWidth && part.scrollWidth > part.clientWidth + 1;  // without a width it is not seen
    if (ellipsis && cut) found.push('cut off: ' + part.textContent.slice(0, 80));
  }
  for (const alert of document.querySelectorAll('[data-testid="stAlert"]')) {
    if (alert.textContent.includes('defect of the program')) found.push(alert.textContent);
  }
  return found;
}"""

JUMPS = """() => new Promise((tell) => {
  const moved = ({node, previousRect: a, currentRect: b}) =>
    `${node?.dataset?.testid ?? node?.className ?? node?.nodeName} "${(node?.textContent ?? '').trim().slice(0, 40)}"` +
    ` ${[a.x, a.y, a.width, a.height].map(Math.round)} to ${[b.x, b.y, b.width, b.height].map(Math.round)}`;
  new PerformanceObserver((list, own) => {
    own.disconnect();
    tell(list.getEntries().filter((one) => !one.hadRecentInput).map(
      (one) => [one.value, `${one.value.toFixed(3)} at ${Math.round(one.startTime)} ms: ` +
        one.sources.map(moved).join('; ')]));
  }).observe({type: 'layout-shift', buffered: true});
  setTimeout(() => tell([]), 300);
})"""
MOST_SHIFT = 0.1
"""Of a visit, as web.dev draws the line for "good"."""
FIRST_WIDTH = {"light": 1440, "dark": 390}
"""How wide the window is while the pages load."""


def fill(workspace: Workspace, state: str, attribute: Attribute, oracle: Oracle) -> None:
    """Bring an embedded workspace half-way (a round labelled and trained) or to the end."""
    oracle.play(workspace, attribute, count=1 if state == "half" else 4, batch=8)
    if state == "half":
        rounds.start_round(workspace, attribute, count=8, seed=9)
        return
    thresholds.save(workspace, attribute, thresholds.suggest(workspace, attribute, target=0.9))
    oracle.answer(workspace, audits.draw(workspace, attribute, n_accepted=6, n_rejected=6, seed=1).task)
    validation.draw_validation(workspace, attribute, 8, seed=2)
    for name, wrong in (("ada", False), ("ben", True)):
        oracle.answer(workspace, tasks.validation_task(workspace, attribute), name=name, wrong=wrong)
    layout_builder.build(workspace, method="pca")


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Serve a workspace in the state asked for; give the state and the URL."""
    state = request.param
    folder, cache = tmp_path / "workspace", tmp_path / "cache"
    if state == "demo":
        opened = request.getfixturevalue("demo_workspace")
        simulated_annotators.play(opened, opened.attributes.get("media_watercolor"), simulated_annotators.Team())
        layout_builder.build(opened, method="pca")
        folder, cache = opened.folder, opened.cache.parent
    elif state != "empty":
        opened = request.getfixturevalue("workspace")
        fill(opened, state, request.getfixturevalue("watercolor"), request.getfixturevalue("oracle"))
        folder, cache = opened.folder, opened.cache.parent
    home = {"BAM_WORKSPACE": str(folder), "BAM_CACHE": str(cache), "SERVER_LOG": str(tmp_path / "server.log")}
    with served("app:app", ROOT, home) as url:
        yield state, url


def settled(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.locator("h1")).to_be_visible()
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    page.wait_for_timeout(400)


def complaints(page: Page, *, axe: bool) -> set[str]:
    """Return what is wrong with the page as it stands."""
    found = set(page.evaluate(FAULTS))
    if axe:
        for one in Axe().run(page, context=NOT_OURS, options={"resultTypes": ["violations"]}).response["violations"]:
            if one["impact"] in ("serious", "critical"):
                found |= {f"{one['id']}: {node['html'][:200]}" for node in one["nodes"]}
    return found


def jumps(page: Page) -> list[str]:
    """Return what moved while the page loaded, where that is more than is good."""
    shifts = page.evaluate(JUMPS)
    total = sum(value for value, _ in shifts)
    if total <= MOST_SHIFT:
        return []
    worst = sorted(shifts, reverse=True)[:3]
    return [f"layout shifts of {total:.3f} while it loaded: " + " | ".join(words for _, words in worst)]


def refused(reply: Response) -> bool:
    """Return whether the server refused something of ours; Streamlit looks for its own routes below the page first."""
    return reply.status >= 400 and "/_stcore/" not in reply.url


def looked_at(context: BrowserContext, url: str, state: str, theme: str) -> list[str]:
    """Open every page in one theme and return all complaints."""
    page, errors, found = context.new_page(), [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("response", lambda reply: errors.append(f"{reply.status} {reply.url}") if refused(reply) else None)
    for name in PAGES:
        first = FIRST_WIDTH[theme]
        page.set_viewport_size({"width": first, "height": WIDTHS[first]})
        address = f"{url}/{'' if name == 'overview' else name}"
        settled(page, address)
        if jumps(page):  # a page that jumps does so whenever it is loaded, a busy machine once
            settled(page, address)
        found += [f"{name}-{state}-{theme}-{first}: {one}" for one in jumps(page)]
        for width, height in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(250)
            where = f"{name}-{state}-{theme}-{width}"
            found += [f"{where}: {one}" for one in sorted(complaints(page, axe=width != 1024) | set(errors))]
            errors.clear()
            if KEPT:
                Path(KEPT).mkdir(parents=True, exist_ok=True)
                page.screenshot(path=Path(KEPT) / f"{where}.png", full_page=False)
    page.close()
    return found


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("place", STATES, indirect=True)
def test_every_page_fits_is_quiet_and_can_be_used_by_everybody(
    browser: Browser, place: tuple[str, str], theme: str
) -> None:
    state, url = place
    context = browser.new_context(color_scheme=theme)
    context.set_default_timeout(60_000)
    found = looked_at(context, url, state, theme)
    context.close()
    assert not found, "\n".join(found)
