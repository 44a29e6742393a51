"""Every page tells one story of an attribute: the same next step, the same figures, and no two sentences that differ.

The states are those that a person goes through, and those in which pages have said two things.
"""

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from bam_engine.annotation import Attribute
from bam_engine.audit import audits
from bam_engine.formatting import count, percent
from bam_engine.guidance.guidance import Guidance, guidance_of
from bam_engine.labelling import tasks
from bam_engine.reporting.decided import decide
from bam_engine.reporting.overview import overview
from bam_engine.training import certification, extension, rounds, thresholds, validation
from bam_engine.training.delivered import delivered_of
from bam_engine.training.models import newest_model, scores_of
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.labelling.team import vote
from tests.pages.conftest import text_of
from tests.training.certifying import save_certified, train_once
from tests.training.test_extension import finish as finish_extension
from tests.training.test_promises import grow
from tests.two_encoders import add_vectors, blind_vectors, use
from web.next_steps import direct
from web.set_threshold import by_hand_key

PAGES = ("overview", "rounds", "threshold", "audit", "report", "annotate")
Play = Callable[[Workspace, Attribute, Oracle], None]


def nothing(workspace: Workspace, attribute: Attribute, oracle: Oracle) -> None:
    pass


def sampled(workspace: Workspace, attribute: Attribute, oracle: Oracle) -> None:
    validation.draw_validation(workspace, attribute, 20, seed=1)


def one_round(workspace: Workspace, attribute: Attribute, oracle: Oracle) -> None:
    oracle.play(workspace, attribute, count=1)


def four_rounds(workspace: Workspace, attribute: Attribute, oracle: Oracle) -> None:
    oracle.play(workspace, attribute)


def saved(workspace: Workspace, attribute: Attribute, oracle: Oracle) -> None:
    one_round(workspace, attribute, oracle)
    thresholds.save(workspace, attribute, thresholds.suggest(workspace, attribute, target=0.9))


def certified(workspace: Workspace, attribute: Attribute, oracle: Oracle) -> None:
    one_round(workspace, attribute, oracle)
    started = certification.start(workspace, attribute, target=0.8, planned=60, seed=3)
    while started.task.answered < started.task.total or started.next_batch:
        oracle.answer(workspace, started.certification.task)
        started = certification.extend(workspace, started.certification)


def certified_and_saved(workspace: Workspace, attribute: Attribute, oracle: Oracle) -> None:
    certified(workspace, attribute, oracle)
    thresholds.save(workspace, attribute, thresholds.suggest(workspace, attribute, target=0.8))


def certifying(workspace: Workspace, attribute: Attribute, oracle: Oracle) -> None:
    saved(workspace, attribute, oracle)
    certification.start(workspace, attribute, target=0.9, planned=60, seed=3)


def auditing(workspace: Workspace, attribute: Attribute, oracle: Oracle) -> None:
    saved(workspace, attribute, oracle)
    audits.draw(workspace, attribute, n_accepted=6, n_rejected=6, seed=1)


def audited(workspace: Workspace, attribute: Attribute, oracle: Oracle) -> None:
    auditing(workspace, attribute, oracle)
    oracle.answer(workspace, audits.results(workspace, attribute)[-1].task)


def all_by_people(workspace: Workspace, attribute: Attribute, oracle: Oracle) -> None:
    saved(workspace, attribute, oracle)
    rows = np.flatnonzero(delivered_of(workspace, attribute).by_classifier).tolist()
    vote(workspace, attribute, "ada", {row: int(oracle.knows(workspace, row)) for row in rows})


def more_votes(workspace: Workspace, attribute: Attribute, oracle: Oracle) -> None:
    one_round(workspace, attribute, oracle)
    workspace.redundancy = 2


def another_encoder(workspace: Workspace, attribute: Attribute, oracle: Oracle) -> None:
    saved(workspace, attribute, oracle)
    add_vectors(workspace, blind_vectors(workspace))
    use(workspace, "network")


def grown(workspace: Workspace, attribute: Attribute, oracle: Oracle) -> None:
    train_once(workspace, attribute, oracle)
    save_certified(workspace, attribute, oracle)
    later = grow(workspace, workspace.folder.parent / "late")
    asked = audits.draw(workspace, attribute, n_accepted=2, n_rejected=2, seed=1).task.rows.tolist()
    answers = {row: int(row in later or oracle.knows(workspace, row)) for row in asked}
    vote(workspace, attribute, "oracle", answers, purpose="audit")


def extending(workspace: Workspace, attribute: Attribute, oracle: Oracle) -> None:
    grown(workspace, attribute, oracle)
    extension.extend(workspace, attribute)


def extended(workspace: Workspace, attribute: Attribute, oracle: Oracle) -> None:
    grown(workspace, attribute, oracle)
    assert finish_extension(workspace, attribute, 1).certified is not None


STATES: tuple[Play, ...] = (
    nothing,
    sampled,
    one_round,
    four_rounds,
    saved,
    certified,
    certified_and_saved,
    certifying,
    auditing,
    audited,
    all_by_people,
    more_votes,
    another_encoder,
    grown,
    extending,
    extended,
)


def words_of(app: AppTest) -> str:
    """Return all sentences of a page, without the escapes of Markdown."""
    parts = [text_of(app), *(str(one.value) for one in app.subheader), *(one.label for one in app.button)]
    parts += [one.proto.body for one in app.get("html")]
    parts += [f"{one.label}: {one.value}, {one.delta}" for one in app.metric]
    return "\n".join(parts).replace("\\", "")


def check_page(app: AppTest, page: str, expected: Guidance, guidance: Guidance) -> str:
    """Check that a page says what is next, and the figures, as the guidance does; return its sentences."""
    words = words_of(app)
    titles = [line for line in words.splitlines() if line.startswith("**Next:**")]
    assert all(line == f"**Next:** {expected.summary}" for line in titles), (page, titles, expected.summary)
    prominent = [one.label for one in app.button if one.proto.type == "primary"]
    assert len(prominent) <= 1, (page, prominent)
    if expected.step == "done":
        assert set(prominent) <= {direct(expected).action}, (page, prominent)
    shown = {one.label: one for one in app.metric}
    for name in ("Precision", "Recall"):
        figure = guidance.figure(name.lower())
        if page == "rounds" and name in shown and figure is not None:
            assert shown[name].value == percent(figure.value)
    return words


@pytest.mark.parametrize("play", STATES, ids=lambda play: play.__name__)
def test_no_page_contradicts_another(
    open_page: Callable[..., AppTest],
    workspace: Workspace,
    watercolor: Attribute,
    oracle: Oracle,
    monkeypatch: pytest.MonkeyPatch,
    play: Play,
) -> None:
    monkeypatch.setattr("bam_engine.learning.PILOT_SIZE", 8)
    play(workspace, watercolor, oracle)
    guidance = guidance_of(workspace, watercolor)
    facts = guidance.facts
    assert facts is not None
    said = {}
    for page in PAGES:
        expected = overview(workspace).next if page == "overview" else guidance
        said[page] = check_page(open_page(workspace, page), page, expected, guidance)
        if guidance.step == "train":
            break  # the page trains
    everything = "\n".join(said.values())
    if play is another_encoder:
        assert "this encoder has not learned from them yet" in said["overview"]
        return
    if guidance.step == "decide":
        assert "is likely to help" not in everything
        assert "No threshold reaches" not in said["rounds"]
    if facts.certified and facts.saved:
        assert f"for a precision of {percent(facts.target)}, at 95% confidence" in said["threshold"]
    if guidance.step == "done":
        assert "Start audit" not in everything or facts.auditable
    if play is all_by_people:
        assert "not certified" not in said["threshold"].partition("<table")[0]
        assert "Audit it" not in everything
    if play is more_votes:
        assert "Each image needs 2 votes" in said["overview"]
    line = overview(workspace).attributes[0]
    assert line.guidance == guidance or not line.started


@pytest.mark.parametrize("play", [grown, extending, extended], ids=lambda play: play.__name__)
def test_every_page_says_alike_which_images_a_guarantee_covers(
    open_page: Callable[..., AppTest],
    workspace: Workspace,
    watercolor: Attribute,
    oracle: Oracle,
    monkeypatch: pytest.MonkeyPatch,
    play: Play,
) -> None:
    monkeypatch.setattr("bam_engine.learning.PILOT_SIZE", 8)
    play(workspace, watercolor, oracle)
    delivered = overview(workspace).attributes[0].delivered
    assert delivered is not None
    uncovered, passed = delivered.not_covered, play is extended
    assert (uncovered == 0) == passed
    pages = ("overview", "threshold", "report", "gallery", "audit", "export")
    said = {page: words_of(open_page(workspace, page)) for page in pages}
    for page in ("overview", "threshold", "report", "gallery"):
        assert f"{uncovered} of them not covered" in said[page] or passed, page
    assert f"{count(uncovered, 'accepted image')} not covered" in said["export"] or passed
    assert not passed or not [page for page in pages if "not covered" in said[page]]
    evidence = decide(workspace, watercolor, np.arange(120)).decision.evidence
    for words in (said["report"], evidence):
        assert ("It was extended to" in words) == passed
    assert ("that came later, too." in said["threshold"]) == passed


def test_a_certified_cut_set_by_hand_is_still_certified(
    open_page: Callable[..., AppTest],
    workspace: Workspace,
    watercolor: Attribute,
    oracle: Oracle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bam_engine.learning.PILOT_SIZE", 8)
    certified(workspace, watercolor, oracle)
    assert thresholds.suggest(workspace, watercolor, target=0.8).certified
    app = open_page(workspace, "threshold")
    app.number_input[0].set_value(0.8).run()
    assert "Start certifying" not in words_of(app)
    model, scores = newest_model(workspace, watercolor), scores_of(workspace, watercolor)
    suggested = thresholds.suggest(workspace, watercolor, target=0.8).value
    next_lower = float(scores[scores < np.float32(suggested)].max())
    app.session_state[by_hand_key(model)] = (suggested + next_lower) / 2  # accepts the same images
    words = words_of(app.run())
    assert "Set manually" in words
    assert "Not certified" not in words


def test_answers_by_people_are_those_that_stand(
    open_page: Callable[..., AppTest], workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    from bam_engine.annotation import NewAnswer

    validation.draw_validation(workspace, watercolor, 20, seed=1)
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor))
    assert overview(workspace).by_people == 20
    assignment = workspace.annotations.last_assignment(
        watercolor.id, workspace.annotations.annotator("oracle"), "validation", 0
    )
    assert assignment is not None
    rows = list(assignment.rows)[:3]
    workspace.annotations.record(assignment.id, [NewAnswer(f"back-{row}", row, -2) for row in rows])
    assert overview(workspace).by_people == 17
    workspace.annotations.record(assignment.id, [NewAnswer(f"again-{row}", row, 1) for row in rows[:1]])
    assert overview(workspace).by_people == 18
    app = open_page(workspace, "overview")
    shown = next(one for one in app.metric if one.label == "Answers by people")
    assert shown.value == "18"


def test_labels_are_counted_alike_on_the_overview_and_the_rounds(
    open_page: Callable[..., AppTest], workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    one_round(workspace, watercolor, oracle)
    state = rounds.state(workspace, watercolor)
    row = int(state.rounds[0].task.rows[0])
    vote(workspace, watercolor, "oracle", {row: -1}, purpose="round")
    labels = overview(workspace).attributes[0].labels
    app = open_page(workspace, "rounds")
    shown = next(one for one in app.metric if one.label == "Labels")
    assert shown.value == str(labels) == "11"
    assert "12 taught the model" in str(shown.delta)


def test_where_one_person_judges_the_start_of_a_certification_says_what_that_means(
    open_page: Callable[..., AppTest], workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    one_round(workspace, watercolor, oracle)
    words = "One person judges, whose mistakes nothing shows"
    app = open_page(workspace, "threshold")
    assert "Start certifying" in words_of(app)
    assert words in words_of(app)
    workspace.judging_redundancy = 2
    assert words not in words_of(open_page(workspace, "threshold"))
