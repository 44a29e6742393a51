"""The Annotators page: who answered, two spellings are said to be one name, and every action can be undone at once."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from bam_engine import database as db
from bam_engine.annotation import Attribute, NewAnswer
from bam_engine.annotation.mixing import Schedule
from bam_engine.labelling import gold, pausing
from bam_engine.labelling.pausing import PauseRule
from bam_engine.labelling.with_others import compared
from bam_engine.training import setting_aside
from bam_engine.workspace import Workspace
from tests.labelling.team import vote
from tests.pages.conftest import text_of


@pytest.fixture
def spelled(workspace: Workspace) -> Workspace:
    """A workspace in which an early version stored two spellings as two people, who answered one image each."""
    workspace.attributes.add("kite", "own", "Is there a kite?")
    with workspace.engine.begin() as connection:
        rows = [{"name": name, "simulated": False, "made_at": db.now()} for name in ("Anna", "anna")]
        connection.execute(sa.insert(db.annotators), rows)
    for key in (1, 2):
        assignment = workspace.annotations.assign(1, key, [0], purpose="round", source_id=1)
        workspace.annotations.record(assignment.id, [NewAnswer(assignment.id, 0, 1)])
    return workspace


def votes(workspace: Workspace) -> int:
    return len(workspace.annotations.answers(1).rows)


def test_two_spellings_are_named_merged_and_separated(spelled: Workspace, open_page: Callable[..., AppTest]) -> None:
    app = open_page(spelled, "annotators")
    assert "“Anna” and “anna” are spellings of one name" in text_of(app)
    app.button(key="merge-spelling-2").click().run()
    assert "spellings" not in text_of(app)
    assert "anna counts as Anna" in text_of(app)
    assert votes(spelled) == 1
    app.button(key="undo").click().run()
    assert "spellings" in text_of(app)
    assert votes(spelled) == 2


def test_a_merge_is_undone_from_the_list_too(spelled: Workspace, open_page: Callable[..., AppTest]) -> None:
    spelled.annotators.merge(2, 1)
    app = open_page(spelled, "annotators")
    app.button(key="separate-2").click().run()
    assert votes(spelled) == 2
    app.button(key="undo").click().run()
    assert votes(spelled) == 1


def test_an_annotator_is_renamed_and_named_back(workspace: Workspace, open_page: Callable[..., AppTest]) -> None:
    workspace.annotators.id_of("Bo")
    app = open_page(workspace, "annotators")
    app.text_input(key="name-1-Bo").set_value("Bodil")
    app.button(key="rename-1").click().run()
    assert "Bo is called Bodil" in text_of(app)
    app.button(key="undo").click().run()
    assert [one.name for one in workspace.annotators.all()] == ["Bo"]


def test_whoever_is_renamed_goes_on_under_the_new_name(workspace: Workspace, open_page: Callable[..., AppTest]) -> None:
    workspace.annotators.id_of("Bo")
    app = open_page(workspace, "annotators", annotator="bo")
    app.text_input(key="name-1-Bo").set_value("Bodil")
    app.button(key="rename-1").click().run()
    assert app.text_input(key="annotator").value == "Bodil"
    app.button(key="undo").click().run()
    assert app.text_input(key="annotator").value == "Bo"


def test_a_name_that_exists_is_refused_beside_its_field(
    workspace: Workspace, open_page: Callable[..., AppTest]
) -> None:
    for name in ("Anna", "Bo"):
        workspace.annotators.id_of(name)
    app = open_page(workspace, "annotators", annotator="Cy")
    app.text_input(key="name-1-Anna").set_value("bo")
    app.button(key="rename-1").click().run()
    assert "There is already an annotator 'Bo'" in app.error[0].value
    assert app.button(key="archive-2")  # the rest of the page is there
    assert app.text_input(key="annotator").value == "Cy"


def test_an_archived_annotator_is_listed_and_brought_back(
    workspace: Workspace, open_page: Callable[..., AppTest]
) -> None:
    workspace.annotators.id_of("Bo")
    app = open_page(workspace, "annotators")
    app.button(key="archive-1").click().run()
    assert "Bo is archived" in text_of(app)
    app.button(key="restore-1").click().run()
    assert not workspace.annotators.get("Bo").archived


def test_the_overview_names_two_spellings(spelled: Workspace, open_page: Callable[..., AppTest]) -> None:
    assert "“Anna” and “anna”: spellings of one name" in text_of(open_page(spelled, "overview"))


def test_answers_that_do_not_depend_on_the_image_are_flagged(
    workspace: Workspace, watercolor: Attribute, open_page: Callable[..., AppTest]
) -> None:
    workspace.redundancy = 3
    for name in ("ada", "ben"):
        vote(workspace, watercolor, name, {row: row % 2 for row in range(80)})
    assert "worth a look" not in text_of(open_page(workspace, "annotators"))
    vote(workspace, watercolor, "cleo", dict.fromkeys(range(80), 0))
    app = open_page(workspace, "annotators")
    (flag,) = [one.label for one in app.expander if "worth a look" in one.label]
    assert "cleo" in flag
    assert "yes to 0% of 40 images where others say yes" in text_of(app)


def test_answers_are_set_aside_after_their_effect_is_shown_and_undone_at_once(
    team: Workspace, watercolor: Attribute, open_page: Callable[..., AppTest]
) -> None:
    app = open_page(team, "annotators", annotator="Cy")
    app.selectbox(key="set-aside-about-2").select("watercolor (media)").run()
    assert "5 answers; of 2 labels, 2 lost" in text_of(app)
    assert votes_of(team, watercolor) == 11, "nothing has changed yet"
    app.button(key="set-aside-2").click().run()
    assert "5 answers of ben are set aside" in text_of(app)
    assert team.annotators.find("Cy") is None, "whoever looks after answers has answered nothing"
    assert any("5 set aside" in one.label for one in app.expander)
    assert votes_of(team, watercolor) == 6
    app.button(key="undo").click().run()
    assert votes_of(team, watercolor) == 11


def test_an_undo_that_would_take_back_what_another_did_since_says_so_and_does_nothing(
    team: Workspace, watercolor: Attribute, open_page: Callable[..., AppTest]
) -> None:
    app = open_page(team, "annotators", annotator="Cy")
    app.selectbox(key="set-aside-about-2").select("watercolor (media)").run()
    app.button(key="set-aside-2").click().run()
    setting_aside.set_aside(team, team.annotators.get("ben"))
    app.button(key="undo").click().run()
    (error,) = app.error
    assert "This cannot be undone any more" in error.value
    assert "undo" not in [one.key for one in app.button], "it would be refused again"
    assert "set aside" not in "".join(str(one.value) for one in app.success)
    assert votes_of(team, watercolor) == 6


def test_what_is_set_aside_is_brought_back_from_its_card(
    team: Workspace, watercolor: Attribute, open_page: Callable[..., AppTest]
) -> None:
    setting_aside.set_aside(team, team.annotators.get("ben"))
    app = open_page(team, "annotators")
    assert not [one for one in app.selectbox if one.key == "set-aside-about-2"], "nothing is left to set aside"
    app.selectbox(key="bring-back-about-2").select("watercolor (media)").run()
    assert "5 answers; of 0 labels, 2 gained" in text_of(app)
    app.button(key="bring-back-2").click().run()
    assert "5 answers of ben count again" in text_of(app)
    assert votes_of(team, watercolor) == 11


def votes_of(workspace: Workspace, attribute: Attribute) -> int:
    return len(workspace.annotations.answers(attribute.id).rows)


def test_a_card_says_how_the_answers_compare_with_those_of_others(
    team: Workspace, watercolor: Attribute, open_page: Callable[..., AppTest]
) -> None:
    words = text_of(open_page(team, "annotators"))
    ada = compared(team, watercolor)[team.annotators.get("ada").id]
    assert ada.agreement.n == 4, "of five shared images, ben is unsure about one"
    assert "agrees with most others on 50%" in words
    assert "yes to 50% of them, most others to 50%" in words


def test_gold_is_switched_on_and_off_with_what_is_known(
    team: Workspace, watercolor: Attribute, open_page: Callable[..., AppTest]
) -> None:
    app = open_page(team, "annotators")
    assert not app.toggle(key="gold-mixes").value
    app.toggle(key="gold-mixes").set_value(True).run()
    assert "the answer to 0 of 20 images is known: none are mixed in yet." in text_of(app)
    app.number_input(key="gold-later").set_value(10.0).run()
    assert gold.schedule(team) is None, "nothing has changed yet"
    app.button(key="gold-change").click().run()
    assert gold.schedule(team) == Schedule(later=0.1)
    assert "50% of the first 10 images, 20% of the next 40, 10% of all later ones" in text_of(app)
    app.button(key="undo").click().run()
    assert gold.schedule(team) is None


def test_a_card_says_how_somebody_answers_gold(
    team: Workspace, watercolor: Attribute, open_page: Callable[..., AppTest]
) -> None:
    answer_gold(team, watercolor)
    words = text_of(open_page(team, "annotators")).replace("\\", "")
    assert "right on 75% (50.8–91.4%) of 20 gold images: 75% (42.8–94.6%) of 12 that are yes, 75%" in words
    assert "Checked: right on 75% (50.8–91.4%) of 20 images" in text_of(open_page(team, "work", annotator="dan"))
    assert "Checked" not in text_of(open_page(team, "work", annotator="ada"))


def answer_gold(workspace: Workspace, attribute: Attribute) -> None:
    """Let dan answer 20 gold images, of which three of 12 that are yes and two of 8 that are no are missed."""
    labels = {row: int(row < 32) for row in range(20, 40)}
    for name in ("ada", "ben", "cleo"):
        vote(workspace, attribute, name, labels, purpose="round")
    missed = {20, 21, 22, 38, 39}
    vote(workspace, attribute, "dan", {row: label ^ (row in missed) for row, label in labels.items()}, purpose="gold")


def test_a_rule_says_whom_it_would_pause_and_who_is_paused_reads_what_to_do(
    team: Workspace, watercolor: Attribute, open_page: Callable[..., AppTest]
) -> None:
    answer_gold(team, watercolor)
    app = open_page(team, "annotators")
    app.toggle(key="rule-applies").set_value(True).run()
    assert "It pauses nobody just now." in text_of(app)
    app.number_input(key="rule-below").set_value(95.0).run()
    words = text_of(app).replace("\\", "")
    assert "Paused when they next ask for images: dan is right on 75% (50.8–91.4%) of 20 gold images" in words
    assert pausing.rule(team) is None, "nothing has changed yet"
    app.button(key="rule-change").click().run()
    assert pausing.rule(team) == PauseRule(20, 0.95)
    assert "Falls below the rule, and is paused when they next ask for images" in text_of(app)
    for page in ("annotate", "work"):
        told = text_of(open_page(team, page, annotator="dan"))
        assert "Your work is paused" in told
        assert "ask an owner to let you go on" in told
        assert "paused" not in text_of(open_page(team, page, annotator="ada"))
    dan = team.annotators.get("dan").id
    app = open_page(team, "annotators")
    assert "by the rule: right on 75%" in text_of(app).replace("\\", "")
    assert [one.label for one in app.expander if "paused" in one.label]
    app.button(key=f"resume-{dan}").click().run()
    assert team.pauses.now() == {}
    app.button(key="undo").click().run()
    assert team.pauses.now()[dan].by_rule
    app = open_page(team, "annotators")
    app.toggle(key="rule-applies").set_value(False).run()
    app.button(key="rule-change").click().run()
    assert pausing.rule(team) is None
    app.button(key="undo").click().run()
    assert pausing.rule(team) == PauseRule(20, 0.95)


def test_an_owner_pauses_somebody_who_reads_why(team: Workspace, open_page: Callable[..., AppTest]) -> None:
    ben = team.annotators.get("ben").id
    app = open_page(team, "annotators")
    app.text_input(key=f"pause-reason-{ben}").set_value("Let us talk about <b>sketches</b>.")
    app.button(key=f"pause-{ben}").click().run()
    assert "ben is paused" in text_of(app)
    told = text_of(open_page(team, "annotate", annotator="ben"))
    assert "<b>" not in told, "it is text"
    assert "An owner has paused your work: Let us talk about <b>sketches</b>. Nothing is lost" in told.replace("\\", "")
    app.button(key="undo").click().run()
    assert team.pauses.now() == {}
