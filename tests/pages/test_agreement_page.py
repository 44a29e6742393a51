"""The Agreement page: what it says in every state, and the way from a dispute to a decision and back."""

import uuid
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from bam_engine.annotation import SKIPPED, Attribute, NewAnswer
from bam_engine.labelling import adjudication, assigning, tasks
from bam_engine.training import rounds, validation
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.labelling.team import vote
from tests.pages.conftest import text_of
from tests.pages.test_pages import button, check

Open = Callable[..., AppTest]


@pytest.fixture
def disputed(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> Workspace:
    """Ada and ben contradict each other on all of a round's eight images."""
    workspace.redundancy = 2
    validation.draw_validation(workspace, watercolor, 10, seed=1)
    for name in ("ada", "ben"):
        oracle.answer(workspace, tasks.validation_task(workspace, watercolor), name=name)
    task = rounds.start_round(workspace, watercolor, count=8, seed=1).task
    oracle.answer(workspace, task, name="ada")
    oracle.answer(workspace, task, name="ben", wrong=True)
    return workspace


def decide_all(workspace: Workspace, attribute: Attribute, name: str) -> list[int]:
    assignment = assigning.open_task(workspace, tasks.adjudication_task(workspace, attribute), name)
    assert assignment is not None
    answers = [NewAnswer(uuid.uuid4().hex, row, 1) for row in assignment.rows]
    workspace.annotations.record(assignment.id, answers)
    return list(assignment.rows)


def test_nobody_has_answered(open_page: Open, workspace: Workspace, watercolor: Attribute) -> None:
    app = open_page(workspace, "agreement")
    check(app)
    assert "Nobody has answered" in text_of(app)
    assert button(app, "Go to its rounds")


def test_one_person_alone_is_told_how_to_get_a_second(
    open_page: Open, workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    validation.draw_validation(workspace, watercolor, 10, seed=1)
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor), name="me")
    app = open_page(workspace, "agreement")
    check(app)
    assert "Only one person has answered" in text_of(app)
    assert button(app, "Require two votes")
    assert not app.metric
    assert app.dataframe[0].value["annotator"].tolist() == ["me"]


def test_numbers_come_with_intervals_and_meanings(open_page: Open, disputed: Workspace) -> None:
    app = open_page(disputed, "agreement")
    check(app)
    raw, alpha, model = app.metric
    assert raw.value == "55.6%"
    assert "18 images" in raw.delta
    assert "to" in alpha.delta
    assert model.value == "–"
    text = text_of(app)
    assert "how much of that is chance" in text
    assert "people answer the same images" in text
    pairs, people = (table.value for table in app.dataframe)
    assert pairs["annotators"].tolist() == ["ada and ben"]
    assert pairs["shared images"].tolist() == [18]
    assert people["annotator"].tolist() == ["ada", "ben"]
    assert people["sensitivity"].tolist() == ["–", "–"]


def test_a_dispute_leads_to_the_grid_and_the_grid_says_that_the_answer_is_final(
    open_page: Open, disputed: Workspace, watercolor: Attribute
) -> None:
    app = open_page(disputed, "agreement")
    assert "**8 images**" in text_of(app)
    assert button(app, "Adjudicate these")
    app = open_page(disputed, "annotate", task="adjudication", annotator="ada")
    check(app)
    assert "You decide these for everybody" in text_of(app)
    assert app.segmented_control[0].value == "Adjudication"
    app = open_page(disputed, "annotate", task="adjudication", annotator="eve")  # the round waits for her, too
    assert app.segmented_control[0].options == ["Adjudication", "Round 1"]
    assert app.segmented_control[0].value == "Adjudication"
    app = open_page(disputed, "annotate", annotator="eve")
    check(app)
    assert app.segmented_control[0].value == "Round 1"
    assert "You decide these" not in text_of(app)


def test_a_round_of_disputes_trains_nothing_and_the_page_says_why(
    open_page: Open, disputed: Workspace, watercolor: Attribute
) -> None:
    app = open_page(disputed, "annotate", annotator="ada")  # who has answered all
    assert "People disagree about 8 images of round 1" in text_of(app)
    assert "You decide these" not in text_of(app)
    assert not rounds.state(disputed, watercolor).model


def test_who_has_answered_before_is_told_so(open_page: Open, disputed: Workspace) -> None:
    assert "ada has answered 8 of them before" in text_of(open_page(disputed, "agreement", annotator="ada"))
    assert "before" not in text_of(open_page(disputed, "agreement", annotator="eve"))


def test_decided_images_are_shown_and_one_is_taken_back(
    open_page: Open, disputed: Workspace, watercolor: Attribute
) -> None:
    first = decide_all(disputed, watercolor, "eve")[0]
    app = open_page(disputed, "agreement", annotator="eve")
    check(app)
    assert "No image waits for a decision" in text_of(app)
    app.session_state[f"decided-{watercolor.id}-chosen"] = first
    app.run()
    button(app, f"Take back the decision on image {first}").click().run()
    check(app)
    assert [one.row for one in adjudication.disputes(disputed, watercolor, "eve")] == [first]
    assert "**1 image**" in text_of(app)


def test_another_persons_decision_is_not_taken_back(
    open_page: Open, disputed: Workspace, watercolor: Attribute
) -> None:
    first = decide_all(disputed, watercolor, "eve")[0]
    app = open_page(disputed, "agreement", annotator="ada")
    app.session_state[f"decided-{watercolor.id}-chosen"] = first
    app.run()
    button(app, f"Take back the decision on image {first}").click().run()
    assert not app.exception
    assert "only under the name of the person who made it" in app.error[0].value


def test_an_adjudicator_with_nothing_left_is_led_back(
    open_page: Open, disputed: Workspace, watercolor: Attribute
) -> None:
    decide_all(disputed, watercolor, "eve")
    app = open_page(disputed, "annotate", task="adjudication", annotator="eve")
    check(app)
    assert "No disputed image waits" in text_of(app)


def test_unsure_can_be_left_out(open_page: Open, workspace: Workspace, watercolor: Attribute) -> None:
    workspace.redundancy = 2
    for name, answers in (("ada", {0: 1, 1: 0, 2: -1}), ("ben", {0: 1, 1: 0, 2: 1})):
        who = workspace.annotations.annotator(name)
        assignment = workspace.annotations.assign(watercolor.id, who, list(answers), purpose="round", source_id=1)
        workspace.annotations.record(
            assignment.id, [NewAnswer(uuid.uuid4().hex, row, one) for row, one in answers.items()]
        )
    app = open_page(workspace, "agreement")
    assert app.metric[0].value == "66.7%"
    app.toggle[0].set_value(True).run()
    check(app)
    assert app.metric[0].value == "100%"


def test_what_two_people_skipped_is_listed_for_the_reviewer_with_their_names(
    open_page: Open, disputed: Workspace, watercolor: Attribute
) -> None:
    row = int(rounds.state(disputed, watercolor).rounds[-1].task.rows[0])
    for name in ("cleo", "<b>dan</b>"):
        vote(disputed, watercolor, name, {row: SKIPPED}, purpose="round")
    app = open_page(disputed, "agreement", annotator="eve")
    app.session_state[f"told-{watercolor.id}-chosen"] = row
    app.run()
    check(app)
    text = text_of(app)
    assert "**cleo**, skipped" in text
    assert "<b>dan</b>" not in text.replace("\\<b\\>", ""), "a name is shown as text"
    assert not [one for one in app.button if one.label == "Close"], "a skip is dealt with by a decision"
