"""Example pictures of the guidelines: what is stored, in which order, and that none of them is judged blind."""

import numpy as np
import pytest
import sqlalchemy as sa

from bam_engine.annotation import Attribute
from bam_engine.audit import audits
from bam_engine.database import images
from bam_engine.errors import AnnotationError, NotFound
from bam_engine.labelling.guideline_examples import (
    MAX_EXAMPLES,
    GuidelineExample,
    add_examples,
    change_example,
    example_rows,
    examples_of,
    move_example,
    remove_example,
    restore_example,
)
from bam_engine.training import certification_population, thresholds, validation
from bam_engine.training.querying import query_pool
from bam_engine.training.validation import drawable_rows
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.labelling.team import vote


@pytest.fixture
def mood(workspace: Workspace) -> Attribute:
    """An attribute that nobody has worked on."""
    return workspace.attributes.add("mood", "own", "Is it a quiet picture?")


@pytest.fixture
def decided(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> Workspace:
    """An attribute with a validation sample, a trained round and a threshold in use."""
    oracle.play(workspace, watercolor, count=1)
    thresholds.save(workspace, watercolor, thresholds.suggest(workspace, watercolor, target=0.9))
    return workspace


def listed(workspace: Workspace, attribute: Attribute) -> list[tuple[int, str, str]]:
    return [(each.row, each.kind, each.note) for each in examples_of(workspace, attribute)]


def only(workspace: Workspace, attribute: Attribute) -> GuidelineExample:
    (example,) = examples_of(workspace, attribute)
    return example


# What is stored


def test_examples_come_by_kind_in_the_order_in_which_they_were_added(workspace: Workspace, mood: Attribute) -> None:
    add_examples(workspace, mood, [7], "corner", "  a boat,\n but at night ")
    add_examples(workspace, mood, [5, 3], "bad")
    add_examples(workspace, mood, [9], "good")
    expected = [(9, "good", ""), (5, "bad", ""), (3, "bad", ""), (7, "corner", "a boat, but at night")]
    assert listed(workspace, mood) == expected
    assert example_rows(workspace, mood).tolist() == [3, 5, 7, 9]


def test_examples_belong_to_one_attribute(workspace: Workspace, mood: Attribute) -> None:
    other = workspace.attributes.add("light", "own", "Is it bright?")
    add_examples(workspace, mood, [4], "good")
    add_examples(workspace, other, [4], "bad")
    assert listed(workspace, mood) == [(4, "good", "")]
    assert listed(workspace, other) == [(4, "bad", "")]


def test_an_example_that_is_added_again_changes_its_kind_and_keeps_its_note(
    workspace: Workspace, mood: Attribute
) -> None:
    add_examples(workspace, mood, [4, 6], "good", "calm water")
    add_examples(workspace, mood, [8], "bad")
    add_examples(workspace, mood, [4], "bad")
    assert listed(workspace, mood) == [(6, "good", "calm water"), (8, "bad", ""), (4, "bad", "calm water")]
    add_examples(workspace, mood, [4], "bad", "too loud")
    assert listed(workspace, mood)[-1] == (4, "bad", "too loud")


def test_kind_and_note_can_be_changed(workspace: Workspace, mood: Attribute) -> None:
    add_examples(workspace, mood, [4, 6], "good")
    change_example(workspace, mood, 4, note="calm water")
    assert listed(workspace, mood) == [(4, "good", "calm water"), (6, "good", "")]
    change_example(workspace, mood, 4, kind="corner")
    assert listed(workspace, mood) == [(6, "good", ""), (4, "corner", "calm water")]
    change_example(workspace, mood, 4, note="")
    assert listed(workspace, mood)[-1] == (4, "corner", "")


def test_an_example_moves_among_those_of_its_kind(workspace: Workspace, mood: Attribute) -> None:
    add_examples(workspace, mood, [1, 2, 3], "good")
    add_examples(workspace, mood, [9], "bad")
    move_example(workspace, mood, 3, -1)
    assert [row for row, _, _ in listed(workspace, mood)] == [1, 3, 2, 9]
    move_example(workspace, mood, 1, -1)
    move_example(workspace, mood, 2, 1)
    move_example(workspace, mood, 9, -1)
    assert [row for row, _, _ in listed(workspace, mood)] == [1, 3, 2, 9]


def test_a_removed_example_comes_back_where_it_was(workspace: Workspace, mood: Attribute) -> None:
    add_examples(workspace, mood, [1, 2, 3], "good", "calm")
    taken = remove_example(workspace, mood, 2)
    assert [row for row, _, _ in listed(workspace, mood)] == [1, 3]
    restore_example(workspace, mood, taken)
    restore_example(workspace, mood, taken)
    assert listed(workspace, mood) == [(1, "good", "calm"), (2, "good", "calm"), (3, "good", "calm")]


def test_what_cannot_be_an_example_is_refused(workspace: Workspace, mood: Attribute) -> None:
    workspace.removals.remove([11], reason="a test")
    for rows, kind, note, why in (
        ([4], "fine", "", "'fine' is not a kind of example. Choose good, bad or corner"),
        ([11], "good", "", "Image 11 is not in the collection"),
        ([120], "good", "", "Image 120 is not in the collection"),
        ([-1], "good", "", "Image -1 is not in the collection"),
        ([4], "good", "x" * 201, "The note has 201 characters; the most are 200"),
        (
            range(20, 21 + MAX_EXAMPLES),
            "good",
            "",
            f"would have {1 + MAX_EXAMPLES} examples; the most are {MAX_EXAMPLES}",
        ),
    ):
        with pytest.raises(AnnotationError, match=why):
            add_examples(workspace, mood, list(rows), kind, note)
    assert listed(workspace, mood) == []
    for change in (change_example, remove_example, lambda *about: move_example(*about, 1)):
        with pytest.raises(NotFound, match="Image 4 is no example of mood"):
            change(workspace, mood, 4)


def test_as_many_as_there_may_be_are_stored_and_can_be_changed(workspace: Workspace, mood: Attribute) -> None:
    add_examples(workspace, mood, range(MAX_EXAMPLES), "good")
    add_examples(workspace, mood, [0], "bad")
    with pytest.raises(AnnotationError, match=f"would have {MAX_EXAMPLES + 1} examples"):
        add_examples(workspace, mood, [MAX_EXAMPLES], "good")
    assert len(examples_of(workspace, mood)) == MAX_EXAMPLES


# Images that cannot be seen


def test_an_example_whose_image_was_removed_is_kept_and_says_so(workspace: Workspace, mood: Attribute) -> None:
    add_examples(workspace, mood, [4], "good", "calm")
    workspace.removals.remove([4], reason="a test")
    gone = only(workspace, mood)
    assert (gone.removed, gone.shown, gone.note) == (True, False, "calm")
    assert gone.remark.startswith("Removed from the collection")
    change_example(workspace, mood, 4, kind="bad")
    workspace.removals.bring_back([4])
    assert only(workspace, mood).shown


def test_an_example_whose_file_is_missing_says_so(workspace: Workspace, mood: Attribute) -> None:
    add_examples(workspace, mood, [4], "good")
    with workspace.engine.begin() as connection:
        connection.execute(sa.update(images).where(images.c.row == 4).values(status="missing"))
    lost = only(workspace, mood)
    assert (lost.missing, lost.shown) == (True, False)
    assert lost.remark.startswith("Its file cannot be read")


# What judges


def test_no_sample_that_is_drawn_later_holds_an_example(workspace: Workspace, mood: Attribute) -> None:
    examples = [3, 50, 90]
    add_examples(workspace, mood, examples, "good")
    assert not np.isin(examples, drawable_rows(workspace, mood)).any()
    drawn = validation.draw_validation(workspace, mood, 1000, seed=1)
    assert drawn == 120 - len(examples)
    assert not np.isin(examples, validation.validation_images(workspace, mood).rows).any()
    assert [each.drawn for each in examples_of(workspace, mood)] == [False] * 3


def test_an_example_can_be_drawn_once_it_is_none_any_more(workspace: Workspace, mood: Attribute) -> None:
    add_examples(workspace, mood, [3], "good")
    remove_example(workspace, mood, 3)
    assert 3 in drawable_rows(workspace, mood)


def test_no_audit_and_no_certification_is_about_an_example(decided: Workspace) -> None:
    attribute = decided.attributes.get("media_watercolor")
    free = audits.unasked_rows(decided, attribute)
    add_examples(decided, attribute, free[:2], "good")
    assert np.setdiff1d(free, audits.unasked_rows(decided, attribute)).tolist() == free[:2].tolist()
    assert np.isin(free[:2], certification_population.known_rows(decided, attribute)).all()


def test_a_round_may_ask_about_an_example(workspace: Workspace, mood: Attribute) -> None:
    add_examples(workspace, mood, [3], "good")
    assert 3 in query_pool(workspace, mood)


def test_an_example_is_not_shown_while_a_sample_waits_for_blind_answers_about_it(
    workspace: Workspace, mood: Attribute
) -> None:
    validation.draw_validation(workspace, mood, 40, seed=1)
    first, second = validation.validation_images(workspace, mood).rows[:2].tolist()
    add_examples(workspace, mood, [first], "good")
    assert (only(workspace, mood).drawn, only(workspace, mood).waiting, only(workspace, mood).shown) == (1, 1, 0)
    assert "once it is labelled there" in only(workspace, mood).remark

    workspace.judging_redundancy = 2
    vote(workspace, mood, "ada", {first: 1, second: 1})
    assert not only(workspace, mood).shown
    vote(workspace, mood, "ben", {first: 0})
    assert not only(workspace, mood).shown, "the two disagree, so a third is asked"
    vote(workspace, mood, "eve", {first: 0})
    assert only(workspace, mood).shown
    assert only(workspace, mood).remark == "A sample that judges holds it, labelled blind."
    workspace.judging_redundancy = 3
    assert not only(workspace, mood).shown, "a third who agrees is asked"


def test_an_audit_that_asks_more_people_keeps_its_examples_until_all_have_answered(decided: Workspace) -> None:
    attribute = decided.attributes.get("media_watercolor")
    audit = audits.draw(decided, attribute, n_accepted=3, n_rejected=3, people=2, seed=1)
    row = int(audit.task.rows[0])
    add_examples(decided, attribute, [row], "bad")
    vote(decided, attribute, "ada", {row: 0}, "audit")
    assert not only(decided, attribute).shown
    vote(decided, attribute, "ben", {row: 0}, "audit")
    assert only(decided, attribute).shown


def test_an_image_that_only_a_round_asks_about_is_shown(workspace: Workspace, mood: Attribute) -> None:
    add_examples(workspace, mood, [4], "good")
    vote(workspace, mood, "ada", {4: 1}, "round")
    assert (only(workspace, mood).shown, only(workspace, mood).remark) == (True, "")
