"""A person beside others: each share is what counting by hand gives, without their own vote, with its interval."""

import json

import numpy as np
import pytest

from bam_engine.annotation import NEGATIVE, POSITIVE, UNSURE, Attribute
from bam_engine.cli import main
from bam_engine.labelling import agreement
from bam_engine.labelling.measures import proportion
from bam_engine.labelling.with_others import compared, compared_with_others
from bam_engine.training import setting_aside
from bam_engine.workspace import Workspace
from tests.labelling.team import vote

SHARES = ("agreement", "agreement_on_yes", "agreement_on_no", "yes", "others_yes")


@pytest.fixture
def three(workspace: Workspace, watercolor: Attribute) -> dict[str, dict[int, int]]:
    """Three people who answered 60 images at random, of whom all three must."""
    workspace.redundancy = 3
    rng = np.random.default_rng(4)
    said = {name: dict(enumerate(rng.integers(-1, 2, 60).tolist())) for name in ("ada", "ben", "cleo")}
    for name, answers in said.items():
        vote(workspace, watercolor, name, answers, purpose="round")
    return said


def test_each_share_is_what_counting_by_hand_gives(
    workspace: Workspace, watercolor: Attribute, three: dict[str, dict[int, int]]
) -> None:
    found, projects = compared(workspace, watercolor), workspace.catalogue.projects()
    for name, own in three.items():
        others = [answers for other, answers in three.items() if other != name]
        lead = {row: sum({POSITIVE: 1, NEGATIVE: -1, UNSURE: 0}[each[row]] for each in others) for row in own}
        rows = np.array([row for row in own if lead[row]])
        said = np.array([own[row] for row in rows])
        yes = np.array([lead[row] > 0 for row in rows])
        one = found[workspace.annotators.get(name).id]
        for share, hits, among in (
            ("agreement", said == yes, np.ones(len(rows), bool)),
            ("agreement_on_yes", said == POSITIVE, yes),
            ("agreement_on_no", said == NEGATIVE, ~yes),
            ("yes", said == POSITIVE, np.ones(len(rows), bool)),
            ("others_yes", yes, np.ones(len(rows), bool)),
        ):
            assert getattr(one, share) == proportion(hits[among], projects[rows[among]]), (name, share)
            assert getattr(one, share).n == among.sum()


def test_the_figure_is_that_of_the_agreement_page(
    workspace: Workspace, watercolor: Attribute, three: dict[str, dict[int, int]]
) -> None:
    found = compared(workspace, watercolor)
    for line in agreement.measure(workspace, watercolor).annotators:
        assert found[workspace.annotators.get(line.name).id].agreement == line.with_majority


def test_whoever_is_alone_is_compared_with_nobody(workspace: Workspace, watercolor: Attribute) -> None:
    vote(workspace, watercolor, "ada", {0: 1, 1: 0})
    assert compared_with_others(workspace) == {}


def test_a_class_that_others_never_name_has_no_share(workspace: Workspace, watercolor: Attribute) -> None:
    for name in ("ada", "ben"):
        vote(workspace, watercolor, name, {0: 1, 1: 1})
    one = compared(workspace, watercolor)[workspace.annotators.get("ada").id]
    assert one.agreement_on_no.value is None
    assert "where they say yes" in one.text
    assert "where they say no" not in one.text


def test_answers_that_are_set_aside_are_nobodys_others(
    workspace: Workspace, watercolor: Attribute, three: dict[str, dict[int, int]]
) -> None:
    setting_aside.set_aside(workspace, workspace.annotators.get("cleo"))
    found = compared(workspace, watercolor)
    ada, ben = (workspace.annotators.get(name).id for name in ("ada", "ben"))
    assert set(found) == {ada, ben}
    sure = [row for row in range(60) if three["ben"][row] != UNSURE]
    assert found[ada].agreement.n == len(sure)
    assert found[ada].others_yes.value == np.mean([three["ben"][row] == POSITIVE for row in sure])


def test_the_list_as_json_has_the_same_figures(
    workspace: Workspace,
    watercolor: Attribute,
    three: dict[str, dict[int, int]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("BAM_WORKSPACE", str(workspace.folder))
    monkeypatch.setenv("BAM_CACHE", str(workspace.cache.parent))
    assert main(["annotator", "list", "--json"]) == 0
    lines = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in lines] == list(three)
    for one in lines:
        assert (one["answers"], one["set_aside"], one["archived"], one["simulated"]) == (60, 0, False, False)
        (shown,) = one["with_others"]
        found = compared(workspace, watercolor)[workspace.annotators.get(one["name"]).id]
        assert shown.pop("attribute") == "media_watercolor"
        for share in SHARES:
            each = getattr(found, share)
            assert shown[share] == {"value": each.value, "low": each.low, "high": each.high, "images": each.n}
