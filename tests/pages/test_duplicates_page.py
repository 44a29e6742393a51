"""The Duplicates page: groups with what each image carries, one kept or all, with the undo right there."""

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from bam_engine.annotation import NEGATIVE, POSITIVE, Attribute
from bam_engine.errors import TeamError
from bam_engine.gallery import duplicates, kept_duplicates, near_duplicates
from bam_engine.labelling import direct_answers
from bam_engine.team import Role, recent_activity
from bam_engine.workspace import Workspace
from tests.pages.conftest import run_until, text_of
from tests.pages.test_people_page import Team

Open = Callable[..., AppTest]

pytestmark = pytest.mark.usefixtures("without_pictures")


def copy(workspace: Workspace, originals: int = 2) -> None:
    """Make every image unlike all others, but rows 40 and 41 copies of row 3, and 50 of 9; of more, 60 on of 10 on."""
    vectors = np.eye(120, workspace.vectors().dim, dtype=np.float16)
    vectors[[40, 41, 50]] = vectors[[3, 3, 9]]
    more = np.arange(originals - 2)
    vectors[60 + more] = vectors[10 + more]
    workspace.vectors().replace(range(120), vectors)


@pytest.fixture
def copied(workspace: Workspace) -> Workspace:
    copy(workspace)
    near_duplicates.find_groups(workspace)
    return workspace


@pytest.fixture
def team(workspace: Workspace, open_page: Open, monkeypatch: pytest.MonkeyPatch) -> Team:
    return Team(workspace, open_page, monkeypatch)


def pictures(app: AppTest) -> str:
    return "".join(one.proto.body for one in app.get("html"))


def keys(app: AppTest, start: str) -> list[str]:
    return [one.key for one in app.button if one.key and one.key.startswith(start)]


def test_it_searches_and_then_shows_each_group_with_what_it_carries(
    workspace: Workspace, watercolor: Attribute, open_page: Open
) -> None:
    copy(workspace)
    direct_answers.answer(workspace, watercolor, 41, POSITIVE, annotator="ada")
    workspace.tags.add([40], "to check")
    app = open_page(workspace, "duplicates")
    next(one for one in app.button if one.label == "Look for near-duplicates").click().run()
    run_until(app, lambda: keys(app, "keep-"))
    assert "2 groups of 5 images" in text_of(app)
    assert "**3 images** · exact" in text_of(app)
    shown = pictures(app)
    assert "<b>Suggested</b>: most labels" in shown
    suggested = workspace.catalogue.image(41)
    assert f"{suggested.width} × {suggested.height} px" in shown
    assert suggested.uri in shown
    assert 'watercolor (media): <span class="yes">yes</span>' in shown
    assert "“to check”" in shown
    assert keys(app, "keep-3-")[0] == "keep-3-41", "the suggested image comes first"
    assert "Only the others have: “to check”" in text_of(app)


def test_one_is_kept_and_the_undo_brings_the_others_back(copied: Workspace, open_page: Open) -> None:
    app = open_page(copied, "duplicates")
    app.button(key="keep-3-40").click().run()
    assert copied.removals.removed().rows.tolist() == [3, 41]
    assert "2 images dropped. The answers are kept" in text_of(app)
    assert keys(app, "keep-3-") == []
    app.button(key="undo").click().run()
    assert copied.removals.removed().rows.tolist() == []
    assert keys(app, "keep-3-") != []


def test_all_are_kept_asked_about_again_and_each_is_undone(copied: Workspace, open_page: Open) -> None:
    app = open_page(copied, "duplicates")
    app.button(key="keep-all-3").click().run()
    assert "3 images kept" in text_of(app)
    assert keys(app, "keep-3-") == []
    app.button(key="undo").click().run()
    app.button(key="keep-all-3").click().run()
    app.button_group(key="duplicates-state").set_value("kept").run()
    assert keys(app, "keep-all-") == []
    app.button(key="ask-3").click().run()
    assert "No group is kept whole." in text_of(app)
    app.button(key="undo").click().run()
    assert kept_duplicates.kept_with(copied, 120)[[3, 40, 41]].tolist() == [3, 3, 3]


def test_many_are_dropped_at_once_except_those_whose_labels_disagree(
    copied: Workspace, watercolor: Attribute, open_page: Open
) -> None:
    direct_answers.answer(copied, watercolor, 9, POSITIVE, annotator="ada")
    direct_answers.answer(copied, watercolor, 50, NEGATIVE, annotator="ada")
    app = open_page(copied, "duplicates")
    words = text_of(app)
    assert "The labels disagree: watercolor" in words
    assert keys(app, "keep-all-") == ["keep-all-9", "keep-all-3"], "first what disagrees"
    assert "1 group with disagreeing labels left for you to decide" in words
    app.button(key="duplicates-suggested-all").click().run()
    assert "2 images dropped" in text_of(app)
    assert not {9, 50} & set(copied.removals.removed().rows.tolist())
    app.button_group(key="duplicates-state").set_value("disagreeing").run()
    assert keys(app, "keep-all-") == ["keep-all-9"]
    assert app.button(key="undo")


def test_the_level_is_chosen_and_says_how_many_groups_it_gives(copied: Workspace, open_page: Open) -> None:
    near = np.eye(120, copied.vectors().dim, dtype=np.float16)[[9]]
    near[0, 100] = 0.1
    copied.vectors().replace([50], near)
    near_duplicates.find_groups(copied)
    app = open_page(copied, "duplicates")
    assert [option.content for option in app.button_group(key="duplicates-level").proto.options] == [
        "Exact (1)",
        "Exact and near (2)",
    ]
    assert "distance 0." in text_of(app)
    app.button_group(key="duplicates-level").set_value("exact").run()
    assert keys(app, "keep-all-") == ["keep-all-3"]


def test_groups_come_in_pages_and_a_decision_stays_on_the_page(workspace: Workspace, open_page: Open) -> None:
    copy(workspace, originals=15)
    near_duplicates.find_groups(workspace)
    app = open_page(workspace, "duplicates")
    assert len(keys(app, "keep-all-")) == 10
    app.session_state["duplicates-page"] = 2
    app.run()
    on_second = keys(app, "keep-all-")
    assert len(on_second) == 5
    app.button(key=on_second[0]).click().run()
    assert keys(app, "keep-all-") == on_second[1:]


def test_whoever_was_first_is_told_and_nothing_is_lost(copied: Workspace, open_page: Open) -> None:
    app = open_page(copied, "duplicates")
    rows = next(rows for rows in map(duplicates.duplicate_groups(copied, "exact").__getitem__, range(2)) if 9 in rows)
    duplicates.keep_one(copied, rows, 50)
    app.button(key="keep-9-9").click().run()
    assert copied.removals.removed().rows.tolist() == [9]


def test_owners_alone_decide_and_the_log_says_what(team: Team) -> None:
    copy(team.workspace)
    near_duplicates.find_groups(team.workspace)
    app = team.open("duplicates", Role.REVIEWER)
    assert keys(app, "keep-") == []
    app = team.open("duplicates", Role.OWNER)
    app.button(key="keep-3-40").click().run()
    app.button(key="keep-all-9").click().run()
    app.button(key="undo").click().run()
    log = [(one.by, one.action, one.subject) for one in recent_activity(team.workspace.engine, most=3)]
    name = team.workspace.catalogue.image(40).name
    assert log == [
        ("Owner", "opened duplicates again", "2 images"),
        ("Owner", "kept duplicates", "2 images"),
        ("Owner", "removed images", f"2 images: duplicates of {name}"),
    ]


def test_the_engine_refuses_whoever_is_no_owner(team: Team) -> None:
    from bam_engine.team.permissions import restrict

    copy(team.workspace)
    near_duplicates.find_groups(team.workspace)
    group = duplicates.duplicate_groups(team.workspace, "exact")[0]
    restrict(team.workspace.engine, lambda: Role.REVIEWER)
    with pytest.raises(TeamError, match="This is for owners"):
        duplicates.keep_one(team.workspace, group, int(group[0]))
    with pytest.raises(TeamError, match="This is for owners"):
        kept_duplicates.keep_together(team.workspace, group)
    assert len(team.workspace.removals.removed().rows) == 0
