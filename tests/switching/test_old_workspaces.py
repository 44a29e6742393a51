"""A workspace of an earlier schema, with the vectors of two encoders: nothing is lost by moving there and back."""

from contextlib import closing
from pathlib import Path

import pytest

from bam_engine.switching import moving
from bam_engine.switching.results import encoder_results
from bam_engine.training import thresholds
from bam_engine.training.models import all_models
from bam_engine.workspace import Workspace
from tests.database.old_workspace import write_old
from tests.two_encoders import DESCRIPTORS, NETWORK, add_vectors, blind_vectors


@pytest.mark.parametrize("schema", [1, 3, 4])
def test_thresholds_and_models_of_an_old_workspace_outlast_a_move(tmp_path: Path, schema: int) -> None:
    old = write_old(tmp_path / "workspace" / "bam.sqlite", schema)
    length = len(old["models"][0]["coefficients"]) // 4 - 1
    with closing(Workspace(tmp_path / "workspace", tmp_path / "cache")) as workspace:
        add_vectors(workspace, blind_vectors(workspace, length), "builtin")
        add_vectors(workspace, blind_vectors(workspace))
        attributes = workspace.attributes.all()
        in_use, other = encoder_results(workspace)
        assert (in_use.key, other.key) == (DESCRIPTORS, NETWORK)
        assert len(in_use.thresholds) == len(attributes) > 0
        assert other.untrained == in_use.trained == tuple(attribute.name for attribute in attributes)
        before = {each.name: thresholds.current_threshold(workspace, each) for each in attributes}
        assert all(before.values())
        moved = moving.move(workspace, "network")
        assert {*moved.trained, *(name for name, _ in moved.failed)} == {*other.untrained}
        moving.use(workspace, NETWORK)
        assert {*encoder_results(workspace)[0].trained} >= {*moved.trained}
        moving.use(workspace, DESCRIPTORS)
        after = {each.name: thresholds.current_threshold(workspace, each) for each in attributes}
        assert {name: one and one.id for name, one in after.items()} == {
            name: one and one.id for name, one in before.items()
        }
        kept = [model.id for model in all_models(workspace) if model.encoder == DESCRIPTORS]
        assert kept == [row["id"] for row in old["models"]]
