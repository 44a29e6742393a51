"""The Embeddings page with a file that cannot be the weights of the encoder: it says why, and nothing changes."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bam_engine.workspace import Workspace
from tests.embedding.test_checkpoints import CLIP, FILES, TIMM, stored
from tests.pages.conftest import run_until
from web import ui


@pytest.mark.parametrize("spec", [TIMM, CLIP])
@pytest.mark.parametrize("name", ["another architecture", "cut off .safetensors", "a table", "code"])
def test_the_page_says_why_a_file_is_refused_and_changes_nothing(
    spec: str, name: str, workspace: Workspace, tmp_path: Path, open_page: Callable[..., AppTest], clip_checkpoint: Path
) -> None:
    (ending, make, expected), before = FILES[name], stored(workspace)
    file = tmp_path / f"weights.{ending}"
    file.write_bytes(make(spec, tmp_path / "shot"))
    kind, _, model = spec.partition(":")
    app = open_page(workspace, "embed")
    app.radio[0].set_value(kind)
    app.run()
    app.text_input(key="model").set_value(model)
    app.text_input(key="checkpoint").set_value(str(file))
    next(button for button in app.button if button.label == "Move to this encoder").click()
    app.run()
    run_until(app, lambda: app.error)
    assert not app.exception
    (error,) = app.error
    assert ui.plain(f"The checkpoint {file} ") in error.value
    assert ui.plain(expected) in error.value
    assert stored(workspace) == before
    assert not workspace.jobs.running()
    assert not (tmp_path / "shot").exists()
