"""A dataset that somebody has decided about."""

import pytest

from bam_engine.annotation import Attribute
from bam_engine.training import thresholds
from bam_engine.workspace import Workspace
from tests.pages.conftest import pictures

__all__ = ["pictures"]


@pytest.fixture
def decided(played: Workspace, watercolor: Attribute) -> Workspace:
    """The workspace with a threshold that somebody saved."""
    thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.6))
    return played
