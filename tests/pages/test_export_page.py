"""The Export page offers formats by what one wants to do, says what is not ready, and writes what was chosen."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from bam_engine.annotation import Attribute
from bam_engine.exchange.manifest import check_export
from bam_engine.reporting.export import TABLES
from bam_engine.reporting.image_export import FORMATS
from bam_engine.training import thresholds
from bam_engine.workspace import Workspace
from tests.pages.conftest import run_until, text_of
from web.export_content import PURPOSES

OpenPage = Callable[..., AppTest]


def test_every_format_is_offered_with_what_it_is_for() -> None:
    assert set(PURPOSES) == {*TABLES, *FORMATS}


def said(app: AppTest) -> str:
    """The words on the page, without the signs that keep Markdown from reading them."""
    return text_of(app).replace("\\", "")


def export(app: AppTest) -> None:
    next(button for button in app.button if button.label == "Export").click().run()
    run_until(app, lambda: app.error or app.get("download_button"))
    assert not app.error, app.error[0].value


def written(workspace: Workspace) -> Path:
    (path,) = [path for path in (workspace.folder / "exports").iterdir() if path.suffix in ("", ".parquet")]
    return path


def test_attributes_accepted_images_and_splits_are_chosen(
    played: Workspace, watercolor: Attribute, open_page: OpenPage
) -> None:
    thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.9))
    played.attributes.add("content_cat", "content", "A cat?")
    app = open_page(played, "export")
    app.radio(key="export-form").set_value("parquet").run()
    app.multiselect(key="export-attributes").set_value(["media_watercolor"]).run()
    app.checkbox(key="export-accepted").check().run()
    app.checkbox(key="export-splits").check().run()
    assert "**watercolor (media)**: The threshold is not audited." in said(app)
    assert "cat (content)" not in said(app)
    export(app)
    table = pd.read_parquet(written(played))
    assert table["media_watercolor_accepted"].all()
    assert {"split", "media_watercolor_label"} <= set(table.columns)
    assert "content_cat_label" not in table.columns


def test_a_folder_of_pictures_is_written_with_links(played: Workspace, open_page: OpenPage) -> None:
    app = open_page(played, "export")
    app.radio(key="export-form").set_value("imagefolder").run()
    app.selectbox(key="export-pictures").set_value("link").run()
    export(app)
    folder = written(played)
    assert check_export(folder) == []
    assert all(path.is_symlink() for path in (folder / "images").iterdir())
    assert str(folder) in said(app)


@pytest.mark.parametrize("form", ["sqlite", "csv"])
def test_what_holds_everything_has_nothing_to_choose(played: Workspace, open_page: OpenPage, form: str) -> None:
    app = open_page(played, "export")
    app.radio(key="export-form").set_value(form).run()
    assert not app.multiselect
    assert "**watercolor (media)**: Nobody has chosen the threshold" in said(app)


def test_what_several_attributes_lack_is_said_once(
    played: Workspace, watercolor: Attribute, open_page: OpenPage
) -> None:
    thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.9))
    for name in ("content_cat", "content_dog"):
        played.attributes.add(name, "content", "Is it there?")
    words = said(open_page(played, "export"))
    assert "- **watercolor (media)**: The threshold is not audited." in words
    assert "- **cat (content), dog (content)**: Nothing is trained" in words
    assert words.count("Nothing is trained") == 1
