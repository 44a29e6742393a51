"""The Threshold and Report pages say in the same words what wrong answers change of precision and recall."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from bam_engine.annotation import Attribute
from bam_engine.training.error_correction import correction_at
from bam_engine.training.thresholds import current_threshold
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.training.two_judges import judge_by_two


@pytest.mark.parametrize("page", ["threshold", "report"])
def test_estimates_stand_beside_those_corrected_for_wrong_answers_where_two_judge(
    open_page: Callable[..., AppTest], workspace: Workspace, watercolor: Attribute, oracle: Oracle, page: str
) -> None:
    judge_by_two(workspace, watercolor, oracle)
    threshold = current_threshold(workspace, watercolor)
    assert threshold is not None
    found = correction_at(workspace, watercolor, threshold.evidence)
    assert found is not None
    shown = [one.value for one in open_page(workspace, page, attribute=watercolor.name).caption]
    assert shown.count(found.summary) == 1


def test_one_judge_is_told_nothing_of_wrong_answers(
    open_page: Callable[..., AppTest], played: Workspace, watercolor: Attribute
) -> None:
    app = open_page(played, "threshold", attribute=watercolor.name)
    assert not any("Corrected for wrong answers" in one.value for one in app.caption)
