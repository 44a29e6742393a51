"""What an address may decide: what is shown. Not under whose name one answers, and nothing that a browser fetches."""

import re
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from bam_engine.annotation import Attribute
from bam_engine.workspace import Workspace
from web import navigation

IMAGE = "![x](https://elsewhere.example/x.png)"
_DRAWN = re.compile(r"(?<!\\)!(?<!\\)\[|(?<!\\)\]\(")
"""An image or a link of Markdown that nothing keeps from being one."""


def with_link(app: AppTest, name: str) -> AppTest:
    app.query_params["annotator"] = name
    return app.run()


def offers(app: AppTest) -> list[str]:
    assert not app.exception
    return [button.label for button in app.button if button.key == "annotator-accept"]


def test_a_link_names_no_annotator_until_it_is_accepted(
    open_page: Callable[..., AppTest], workspace: Workspace, watercolor: Attribute
) -> None:
    app = with_link(open_page(workspace, "annotate"), "Eve")
    assert (app.text_input(key="annotator").value, offers(app)) == ("me", ["Answer as Eve"])
    app.button(key="annotator-accept").click().run()
    assert (app.text_input(key="annotator").value, offers(app)) == ("Eve", [])
    assert not app.warning


def test_a_link_without_a_name_or_with_ones_own_asks_nothing(
    open_page: Callable[..., AppTest], workspace: Workspace
) -> None:
    app = open_page(workspace, "overview")
    assert offers(app) == offers(with_link(app, "me")) == offers(with_link(app, " ")) == []


PARAMETERS = ("annotator", "attribute", "map", "row", "task", "pictures", "x", "only", "selection")
GALLERY = ("project", "colour", "year", "label", "yes", "words", "sort", "place", "like", "upload", "selection")


@pytest.mark.parametrize(
    ("page", "names"),
    [
        *((name, PARAMETERS) for names in navigation.GROUPS.values() for name in names if name != "guide"),
        *(("gallery", (name,)) for name in GALLERY),
    ],
)
def test_no_address_draws_an_image_or_a_link_of_its_own(
    open_page: Callable[..., AppTest],
    workspace: Workspace,
    watercolor: Attribute,
    page: str,
    names: tuple[str, ...],
) -> None:
    app = open_page(workspace, page, **{name: IMAGE for name in names if name != "annotator"})
    if "annotator" in names:
        with_link(app, IMAGE)
    assert not app.exception
    assert not drawn(app)


def drawn(app: AppTest) -> list[str]:
    """Return the texts of a page that Markdown would turn into an image or a link from elsewhere."""
    texts = [
        str(part.value)
        for kind in ("markdown", "caption", "info", "warning", "error", "success")
        for part in app.get(kind)
    ]
    for kind in ("button", "checkbox", "radio", "metric", "expander", "button_group", "toggle"):
        for part in app.get(kind):
            texts += [str(getattr(part, "label", "")), str(getattr(part, "help", ""))]
            texts += [str(option) for option in getattr(part, "options", [])]
    return [text for text in texts if "elsewhere.example" in text and _DRAWN.search(text)]
