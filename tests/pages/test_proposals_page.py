"""Proposals: anyone signed in proposes and votes, owners decide, and everybody reads what became of it."""

import pytest
from streamlit.testing.v1 import AppTest

from bam_engine.annotation import Attribute
from bam_engine.team import Role, recent_activity
from tests.pages.conftest import text_of
from tests.pages.test_people_page import Team
from tests.pages.test_people_page import team as team


def buttons(app: AppTest) -> list[str]:
    return [one.label for one in app.button]


def field(app: AppTest, label: str, number: int = -1) -> object:
    return [one for one in app.text_input if one.label == label][number]


def press(app: AppTest, label: str) -> AppTest:
    button = next(one for one in app.button if one.label == label)
    return button.click().run()


def propose(team: Team, role: Role, name: str = "Red kite") -> AppTest:
    app = team.open("proposals", role)
    field(app, "Name").set_value(name)  # type: ignore[attr-defined]
    field(app, "Question").set_value(f"Is there a {name.lower()}?")  # type: ignore[attr-defined]
    return press(app, "Propose")


@pytest.mark.parametrize("role", list(Role))
def test_whoever_is_signed_in_proposes_and_votes(team: Team, role: Role) -> None:
    app = propose(team, role)
    assert "“Red kite” is proposed, with your vote." in text_of(app)
    assert "Withdraw" in buttons(app)
    other = Role.VIEWER if role != Role.VIEWER else Role.ANNOTATOR
    app = press(team.open("proposals", other), "I want this, too")
    assert "2 votes" in text_of(app)
    app = press(app, "Take the vote back")
    assert "1 vote" in text_of(app)
    assert not app.exception


def test_only_owners_decide(team: Team) -> None:
    propose(team, Role.ANNOTATOR)
    decisions = {"Accept: make it an attribute", "Decline"}
    for role in Role:
        assert (decisions <= set(buttons(team.open("proposals", role)))) == (role == Role.OWNER)


def test_an_accepted_proposal_is_an_attribute_and_says_so_to_all(team: Team) -> None:
    propose(team, Role.VIEWER)
    app = team.open("proposals", Role.OWNER)
    field(app, "Question", 0).set_value("Is a red kite in the picture?")  # type: ignore[attr-defined]
    app = press(app, "Accept: make it an attribute")
    assert "is an attribute now" in text_of(app)
    assert team.workspace.attributes.get("red_kite").question == "Is a red kite in the picture?"
    assert "Accepted as “red kite”" in text_of(team.open("proposals", Role.VIEWER))
    assert [one.action for one in recent_activity(team.workspace.engine, most=2)] == [
        "accepted proposal",
        "added attribute",
    ]


def test_a_declined_one_tells_why_and_can_be_opened_again(team: Team) -> None:
    propose(team, Role.VIEWER)
    app = team.open("proposals", Role.OWNER)
    assert "is empty" in text_of(press(app, "Decline")), "without a reason nobody learns why"
    app = team.open("proposals", Role.OWNER)
    field(app, "Why not").set_value("There are <b>none</b>.")  # type: ignore[attr-defined]
    app = press(app, "Decline")
    assert "is declined" in text_of(app)
    press(app, "Undo")
    assert [one.state for one in team.workspace.proposals.all()] == ["open"]
    team.workspace.proposals.decline(1, "There are *none*.")
    assert "Declined" in (words := text_of(team.open("proposals", Role.VIEWER)))
    assert r"There are \*none\*\." in words


def test_what_was_merged_counts_together(team: Team, watercolor: Attribute) -> None:
    propose(team, Role.VIEWER)
    propose(team, Role.ANNOTATOR, "Kite")
    app = team.open("proposals", Role.OWNER)
    second = next(one for one in app.selectbox if one.label == "The same as" and "attribute" in str(one.options))
    second.set_value("proposal “Kite”")
    app = press(app, "Merge")
    assert "is merged into the proposal “Kite”" in text_of(app)
    assert len(team.workspace.proposals.all()[0].voters) == 2
