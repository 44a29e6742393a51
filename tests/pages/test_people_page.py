"""People: each role sees its own pages, acts as itself, and manages what is its own; owners manage the team."""

import re
import threading
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from bam_engine.annotation import Attribute
from bam_engine.team import Account, Role, recent_activity
from bam_engine.workspace import Workspace
from tests.labelling.team import vote
from tests.pages.conftest import text_of
from web import engine, layout_form, people
from web.navigation import groups
from web.rules import PAGES

SECRET = "a blue door in June"
Open = Callable[..., AppTest]


class Team:
    """A team's server in the tests of pages: people of each role, one of whom looks."""

    def __init__(self, workspace: Workspace, open_page: Open, patch: pytest.MonkeyPatch) -> None:
        self._open, self._patch = open_page, patch
        patch.setenv("BAM_WORKSPACE", str(workspace.folder))
        patch.setenv("BAM_CACHE", str(workspace.cache.parent))
        patch.setenv(people.TEAM, "1")
        people.forget()
        self.workspace = engine.workspace()
        self.team = self.workspace.team
        self.accounts = {role: self.team.accounts.add(str(role).capitalize(), role, SECRET) for role in Role}
        self.tokens = {role: self.team.sessions.begin(account) for role, account in self.accounts.items()}

    def open(self, page: str, role: Role, **query: str) -> AppTest:
        cookies = {people.cookie_name(): self.tokens[role]}
        self._patch.setattr("web.people.cookies", lambda: cookies)
        return self._open(self.workspace, page, **{"annotator": None, **query})


@pytest.fixture
def team(workspace: Workspace, open_page: Open, monkeypatch: pytest.MonkeyPatch) -> Team:
    return Team(workspace, open_page, monkeypatch)


def account(team: Team, name: str) -> Account | None:
    return team.team.accounts.find(name)


def test_whoever_may_not_take_the_next_step_is_told_who_takes_it(team: Team, watercolor: Attribute) -> None:
    said = "This step is for reviewers and owners."
    for role in Role:
        words = text_of(team.open("overview", role))
        assert "needs a validation sample" in words
        assert (said in words) == (role < Role.REVIEWER), role


@pytest.mark.parametrize("role", list(Role))
def test_every_page_of_a_role_draws_and_the_others_are_not_there(team: Team, role: Role, watercolor: Attribute) -> None:
    for page in (name for names in groups().values() for name in names):
        app = team.open(page, role)
        words = text_of(app)
        assert "defect of the program" not in words, f"{page} for {role}: {words}"
        assert set(app.session_state["pages"]) == {name for name, least in PAGES.items() if name and role >= least}
        if role >= PAGES[page]:
            assert "This is for" not in words, f"{page} for {role}: {words}"


def test_the_annotator_is_whoever_is_signed_in(team: Team, watercolor: Attribute) -> None:
    app = team.open("image", Role.ANNOTATOR, annotator="Owner")  # as a page for one person has it
    assert "Annotator" not in [field.label for field in app.text_input]
    app.button(key="image-answer-yes").click().run()
    assert not app.exception
    (answer,) = team.workspace.annotations.image_annotations(watercolor.id, 0)
    assert answer.annotator == "Annotator"


def test_a_viewer_has_no_buttons_that_answer_or_remove(team: Team, watercolor: Attribute) -> None:
    keys = {button.key for button in team.open("image", Role.VIEWER).button}
    assert not {"image-answer-yes", "image-remove"} & keys
    assert "image-remove" not in {button.key for button in team.open("image", Role.REVIEWER).button}
    assert {"image-answer-yes", "image-remove"} <= {button.key for button in team.open("image", Role.OWNER).button}


def test_a_viewer_reads_tags_and_an_annotator_gives_them(team: Team) -> None:
    team.workspace.tags.add([0], "to check")
    viewed = team.open("image", Role.VIEWER)
    assert "image-tags" not in {field.key for field in viewed.multiselect}
    assert "Tags: “to check”" in text_of(viewed)
    assert team.open("image", Role.ANNOTATOR).multiselect(key="image-tags").value == ["to check"]


def test_a_viewer_does_not_stop_the_work_of_others(team: Team) -> None:
    done = threading.Event()
    team.workspace.jobs.start(layout_form.JOB, "Map", lambda _report: done.wait(60), least=Role.REVIEWER)
    try:
        key = f"stop-{layout_form.JOB}"
        assert key not in {button.key for button in team.open("map", Role.VIEWER).button}
        assert key in {button.key for button in team.open("map", Role.REVIEWER).button}
    finally:
        done.set()


def test_a_run_after_the_end_of_the_session_shows_nothing(team: Team, watercolor: Attribute) -> None:
    app = team.open("image", Role.ANNOTATOR)
    button = app.button(key="image-answer-yes")
    team.team.sessions.end(team.tokens[Role.ANNOTATOR])
    people.forget()
    button.click().run()
    assert team.workspace.annotations.image_annotations(watercolor.id, 0) == []
    app.run()
    assert "You are signed out" in text_of(app)
    assert not app.button


def test_a_session_of_pages_is_of_one_person(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    app = team.open("people", Role.OWNER)
    monkeypatch.setattr("web.people.cookies", lambda: {people.cookie_name(): team.tokens[Role.VIEWER]})
    app.run()
    assert "You are signed out" in text_of(app)


def test_a_widget_of_a_page_does_not_do_what_the_role_may_not(team: Team, watercolor: Attribute) -> None:
    app = team.open("image", Role.OWNER)
    team.team.accounts.add("Otto", Role.OWNER, SECRET)
    token = team.tokens[Role.OWNER]
    with team.workspace.engine.begin() as connection:  # as if a page had been drawn for another role
        from bam_engine.database import accounts

        connection.execute(accounts.update().where(accounts.c.id == team.accounts[Role.OWNER].id).values(role="viewer"))
    people.forget()
    assert team.team.sessions.account(token) is not None
    app.button(key="image-remove").click().run()
    assert len(team.workspace.removals.all()) == 0


def test_owners_change_roles_and_remove_accounts(team: Team) -> None:
    app = team.open("people", Role.OWNER)
    annotator = team.accounts[Role.ANNOTATOR]
    app.selectbox(key=f"role-{annotator.id}-{annotator.role}").set_value("reviewer").run()
    app.button(key=f"change-{annotator.id}").click().run()
    assert "Annotator is now reviewer" in text_of(app)
    app.button(key=f"remove-{annotator.id}").click().run()
    assert account(team, "Annotator") is None
    assert "Their answers are kept" in text_of(app)


def test_the_last_owner_is_told_why_they_stay(team: Team) -> None:
    app = team.open("people", Role.OWNER)
    app.button(key=f"remove-{team.accounts[Role.OWNER].id}").click().run()
    assert "is the only owner" in text_of(app)
    assert account(team, "Owner") is not None


def test_an_invitation_is_shown_once_and_can_be_revoked(team: Team) -> None:
    app = team.open("people", Role.OWNER)
    app.selectbox(key="invite-role").set_value("reviewer")
    next(button for button in app.button if button.label == "Make a link").click().run()
    (link,) = [code.value for code in app.code]
    token = re.fullmatch(r"http://[^/]*/join/([\w-]+)", link)
    assert token is not None
    assert team.team.invitations.role(token[1]) is Role.REVIEWER
    (invitation,) = team.team.invitations.all()
    assert invitation.invited_by == "Owner"
    app.button(key=f"revoke-{invitation.id}").click().run()
    assert not app.code
    assert team.team.invitations.all()[0].revoked


def test_requests_are_approved_with_a_role_or_declined(team: Team) -> None:
    team.team.requests.ask("Bert", SECRET, "**hello**")
    team.team.requests.ask("Owner", SECRET)
    app = team.open("people", Role.OWNER)
    assert "An annotator has this name" in text_of(app)
    app.button(key="decline-2").click().run()
    app.selectbox(key="request-role-1").set_value("viewer").run()
    app.button(key="approve-1").click().run()
    bert = account(team, "Bert")
    assert bert is not None
    assert (bert.role, team.team.requests.all()) == (Role.VIEWER, [])


def test_the_log_is_the_owners(team: Team) -> None:
    assert len(team.open("people", Role.OWNER).dataframe) == 1
    app = team.open("people", Role.REVIEWER)
    assert not app.dataframe
    assert not [button for button in app.button if (button.key or "").startswith(("remove-", "change-"))]


@pytest.mark.parametrize("role", list(Role))
def test_everybody_changes_their_own_password_by_the_one_before(team: Team, role: Role) -> None:
    app = team.open("people", role)
    fields = {field.label: field for field in app.text_input}
    change = next(button for button in app.button if button.label == "Change the password")
    fields["Password"].set_value("a wrong password")
    fields["New password"].set_value(SECRET + "!")
    fields["The same again"].set_value(SECRET + "!")
    change.click().run()
    assert "is another one" in text_of(app)
    for label, value in (("Password", SECRET), ("New password", SECRET + "!"), ("The same again", SECRET + "!")):
        next(field for field in app.text_input if field.label == label).set_value(value)
    next(button for button in app.button if button.label == "Change the password").click().run()
    assert "You are signed out" in text_of(app)
    assert team.team.sessions.sign_in(str(role), SECRET + "!")


def test_whoever_guesses_delays_nobody_elses_change_of_a_password(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    places: list[str] = []
    monkeypatch.setattr(team.team.throttle, "attempt", lambda name, place: places.append(place))
    for role in (Role.VIEWER, Role.OWNER):
        app = team.open("people", role)
        next(button for button in app.button if button.label == "Change the password").click().run()
    assert len(set(places)) == 2


def test_everybody_signs_out_everywhere(team: Team) -> None:
    other = team.team.sessions.begin(team.accounts[Role.VIEWER])
    app = team.open("people", Role.VIEWER)
    assert "signed in to 2 browsers" in text_of(app)
    next(button for button in app.button if button.label == "Sign out everywhere").click().run()
    assert "You are signed out" in text_of(app)
    assert team.team.sessions.account(other) is None
    assert recent_activity(team.workspace.engine)[0].by == "Viewer"


def test_a_team_adds_only_folders_that_the_configuration_names(
    team: Team, monkeypatch: pytest.MonkeyPatch, small_pictures: object
) -> None:
    monkeypatch.delenv("BAM_IMAGE_FOLDERS", raising=False)
    app = team.open("images", Role.OWNER)
    assert "adds no folders in the app" in text_of(app)
    assert not [button for button in app.button if button.label == "Add images"]
    monkeypatch.setenv("BAM_IMAGE_FOLDERS", str(small_pictures))
    app = team.open("images", Role.OWNER)
    app.text_input(key="folder").set_value("/etc")
    next(button for button in app.button if button.label == "Add images").click().run()
    assert "Images may not be added from /etc" in text_of(app)


def test_a_reviewer_sets_answers_aside_and_leaves_names_to_owners(team: Team, watercolor: Attribute) -> None:
    vote(team.workspace, watercolor, "cleo", {0: 1})
    cleo = team.workspace.annotators.get("cleo").id
    app = team.open("annotators", Role.REVIEWER)
    assert not {f"rename-{cleo}", f"archive-{cleo}"} & {button.key for button in app.button}
    app.selectbox(key=f"set-aside-about-{cleo}").select("watercolor (media)").run()
    app.button(key=f"set-aside-{cleo}").click().run()
    assert not app.exception
    assert len(team.workspace.annotations.answers(watercolor.id).rows) == 0
    (done, *_) = recent_activity(team.workspace.engine)
    assert (done.by, done.action, done.subject) == ("Reviewer", "set aside answers", "cleo: media_watercolor")
    assert f"archive-{cleo}" in {button.key for button in team.open("annotators", Role.OWNER).button}
