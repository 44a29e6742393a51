"""Answers that are set aside count nowhere, nothing is lost, and what is shown before is what happens."""

import threading

import numpy as np
import pytest

from bam_engine.annotation import IMPORT, Annotator, Attribute, NewAnswer
from bam_engine.annotation.answer_log import answer_log
from bam_engine.database import reading
from bam_engine.errors import AnnotationError
from bam_engine.labelling import agreement, assigning, direct_answers, tasks
from bam_engine.labelling.flags import flags
from bam_engine.labelling.label_states import label_version
from bam_engine.reporting.export import gather
from bam_engine.reporting.image_facts import describe
from bam_engine.training import querying, rounds, setting_aside, thresholds, validation
from bam_engine.workspace import Workspace
from tests.labelling.team import decide, vote


def labels(workspace: Workspace, attribute: Attribute) -> dict[int, int]:
    agreed = tasks.labels(workspace, attribute)
    return dict(zip(agreed.rows[agreed.settled].tolist(), agreed.labels[agreed.settled].tolist(), strict=True))


def who(workspace: Workspace, name: str) -> Annotator:
    return workspace.annotators.get(name)


def test_set_aside_answers_are_no_votes_and_count_again_when_they_are_brought_back(
    team: Workspace, watercolor: Attribute
) -> None:
    before, version = labels(team, watercolor), label_version(team, watercolor)
    vote(team, watercolor, "cleo", {2: 1, 3: 0, 5: 1})
    with_cleo, then = labels(team, watercolor), label_version(team, watercolor)
    setting_aside.set_aside(team, who(team, "cleo"))
    assert labels(team, watercolor) == before
    assert label_version(team, watercolor) not in (version, then)
    assert set(team.annotations.answers(watercolor.id).annotators) == {who(team, each).id for each in ("ada", "ben")}
    setting_aside.bring_back(team, who(team, "cleo"))
    assert labels(team, watercolor) == with_cleo
    assert label_version(team, watercolor) == then, "what was computed before holds again"


def test_one_attribute_alone_can_be_meant(team: Workspace, watercolor: Attribute) -> None:
    kite = team.attributes.add("kite", "own", "Is there a kite?")
    vote(team, kite, "ada", {0: 1})
    setting_aside.set_aside(team, who(team, "ada"), kite)
    assert labels(team, watercolor) == {0: 1, 1: 0}
    assert len(team.annotations.answers(kite.id).rows) == 0
    assert setting_aside.set_aside_by_annotator(team) == {who(team, "ada").id: 1}


def test_answers_that_come_later_count(team: Workspace, watercolor: Attribute) -> None:
    setting_aside.set_aside(team, who(team, "ben"))
    assert labels(team, watercolor) == {}
    vote(team, watercolor, "ben", {0: 1})
    vote(team, watercolor, "cleo", {1: 0})
    assert labels(team, watercolor) == {0: 1, 1: 0}


def test_setting_aside_again_takes_what_has_come_since_and_undo_goes_back_one_step(
    team: Workspace, watercolor: Attribute
) -> None:
    ben = who(team, "ben")
    assert setting_aside.set_aside(team, ben).before == ()
    vote(team, watercolor, "ben", {0: 1})
    once = labels(team, watercolor)
    act = setting_aside.set_aside(team, ben)
    assert labels(team, watercolor) == {}
    setting_aside.undo(team, act)
    assert labels(team, watercolor) == once


def test_an_undo_is_refused_where_another_act_came_since(team: Workspace, watercolor: Attribute) -> None:
    """Two reviewers: the first sets one attribute aside, the second all; the first's undo must not undo both."""
    ben = who(team, "ben")
    kite = team.attributes.add("kite", "own", "Is there a kite?")
    vote(team, kite, "ben", {0: 1})
    first = setting_aside.set_aside(team, ben, watercolor)
    second = setting_aside.set_aside(team, ben)
    with pytest.raises(AnnotationError, match=r"cannot be undone any more \(ben: media_watercolor\).* again since"):
        setting_aside.undo(team, first)
    assert setting_aside.set_aside_by_annotator(team) == {ben.id: 6}, "nothing counts again"
    setting_aside.undo(team, second)
    assert setting_aside.set_aside_by_annotator(team) == {ben.id: 5}, "as the first left it"
    setting_aside.undo(team, first)
    assert not setting_aside.set_aside_by_annotator(team)
    with pytest.raises(AnnotationError, match="cannot be undone any more"):
        setting_aside.undo(team, first)


def test_an_act_about_another_attribute_is_in_nobodys_way(team: Workspace, watercolor: Attribute) -> None:
    ben = who(team, "ben")
    kite = team.attributes.add("kite", "own", "Is there a kite?")
    vote(team, kite, "ben", {0: 1})
    act = setting_aside.set_aside(team, ben, watercolor)
    setting_aside.set_aside(team, ben, kite)
    setting_aside.undo(team, act)
    assert setting_aside.set_aside_by_annotator(team) == {ben.id: 1}


def test_an_undo_is_of_what_was_there_when_the_act_was_done(team: Workspace, watercolor: Attribute) -> None:
    """Whoever acts within a flow has read the tables before; another act since is not taken back with theirs."""
    ben = who(team, "ben")
    with reading(team.engine):
        assert team.set_aside_answers.of(ben.id) == []
        other = threading.Thread(target=setting_aside.set_aside, args=(team, ben))
        other.start()
        other.join()
        setting_aside.undo(team, setting_aside.set_aside(team, ben))
    assert setting_aside.set_aside_by_annotator(team) == {ben.id: 5}


def test_looking_at_what_would_change_leaves_the_answers_that_count_as_they_are(
    team: Workspace, watercolor: Attribute
) -> None:
    """What is computed from them belongs to this very object: another one would have it computed again."""
    vote(team, watercolor, "cleo", {2: 1})
    setting_aside.set_aside(team, who(team, "cleo"))
    counted = answer_log(team.engine, watercolor.id)
    assert setting_aside.effects(team, who(team, "ada"))
    assert answer_log(team.engine, watercolor.id) is counted


def test_decisions_direct_answers_and_imports_of_the_person_are_set_aside_too(
    team: Workspace, watercolor: Attribute
) -> None:
    team.redundancy = 1
    decide(team, watercolor, "eve", {2: 1})
    direct_answers.answer(team, watercolor, 50, 1, annotator="eve")
    vote(team, watercolor, "eve", {60: 1}, purpose=IMPORT)
    assert {2, 50, 60} <= labels(team, watercolor).keys()
    setting_aside.set_aside(team, who(team, "eve"))
    assert not {2, 50, 60} & labels(team, watercolor).keys()


@pytest.mark.parametrize("name", ["ada", "ben", "cleo", "eve"])
def test_what_is_shown_is_what_happens_both_ways(team: Workspace, watercolor: Attribute, name: str) -> None:
    decide(team, watercolor, "eve", {2: 0, 3: 1})
    vote(team, watercolor, "cleo", {2: 1, 3: 0, 5: 1, 0: 0, 1: 1})
    vote(team, watercolor, "dan", {0: 0, 1: 1, 2: 1})
    one = who(team, name)
    for counted, act in ((False, setting_aside.set_aside), (True, setting_aside.bring_back)):
        before = labels(team, watercolor)
        (shown,) = setting_aside.effects(team, one, counted=counted)
        assert labels(team, watercolor) == before, "nothing has changed yet"
        act(team, one)
        after = labels(team, watercolor)
        assert (shown.labelled, shown.lost, shown.gained) == (
            len(before),
            len(before.keys() - after.keys()),
            len(after.keys() - before.keys()),
        )
        assert shown.changed == sum(before[row] != after[row] for row in before.keys() & after.keys())
        assert not setting_aside.effects(team, one, counted=counted), "nothing is left to change"


def test_a_guarantee_that_rests_on_the_answers_does_not_hold_without_them(
    played: Workspace, watercolor: Attribute
) -> None:
    oracle = who(played, "oracle")
    saved = thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.5))
    assert saved.evidence.certified
    (shown,) = setting_aside.effects(played, oracle)
    assert shown.guarantee_lost
    assert "the guarantee would not hold any more" in shown.text
    assert thresholds.current_threshold(played, watercolor) == saved, "looking changes nothing"
    setting_aside.set_aside(played, oracle)
    now = thresholds.current_threshold(played, watercolor)
    assert now is not None
    assert now.taken_back
    (back,) = setting_aside.effects(played, oracle, counted=True)
    assert (back.guaranteed, back.then_guaranteed) == (False, True)
    setting_aside.bring_back(played, oracle)
    assert thresholds.current_threshold(played, watercolor) == saved


def test_whoever_is_set_aside_is_not_asked_about_an_image_twice_and_others_are_asked_again(
    workspace: Workspace, watercolor: Attribute
) -> None:
    validation.draw_validation(workspace, watercolor, 10, seed=0)
    task = tasks.validation_task(workspace, watercolor)
    rows = task.rows.tolist()
    vote(workspace, watercolor, "ada", dict.fromkeys(rows[:4], 1))
    setting_aside.set_aside(workspace, who(workspace, "ada"))
    assert assigning.rows_for(workspace, task, who(workspace, "ada").id).tolist() == rows[4:]
    share = assigning.open_share(workspace, task, "ben")
    assert share is not None
    assert list(share.current.rows) == rows


def test_an_answer_to_an_image_whose_votes_are_set_aside_is_no_extra_vote(
    workspace: Workspace, watercolor: Attribute
) -> None:
    validation.draw_validation(workspace, watercolor, 10, seed=0)
    task = tasks.validation_task(workspace, watercolor)
    share = assigning.open_share(workspace, task, "ben")
    assert share is not None
    row = share.current.rows[0]
    vote(workspace, watercolor, "ada", {row: 1})
    setting_aside.set_aside(workspace, who(workspace, "ada"))
    terms = assigning.terms_of(workspace, share.current)
    saved = workspace.annotations.record(share.current.id, [NewAnswer("one", row, 0)], terms_of=lambda _: terms)
    assert saved.extra == 0
    assert labels(workspace, watercolor)[row] == 0


def test_merged_annotators_are_set_aside_together_and_separating_them_changes_nothing_of_it(
    team: Workspace, watercolor: Attribute
) -> None:
    team.redundancy = 1
    vote(team, watercolor, "cleo", {70: 1})
    cleo, ben = who(team, "cleo"), who(team, "ben")
    team.annotators.merge(cleo.id, ben.id)
    setting_aside.set_aside(team, ben)
    assert set(team.annotations.answers(watercolor.id).annotators) == {who(team, "ada").id}
    team.annotators.separate(cleo.id)
    assert set(team.annotations.answers(watercolor.id).annotators) == {who(team, "ada").id}
    setting_aside.bring_back(team, cleo)
    assert 70 in labels(team, watercolor)


def test_agreement_and_flags_leave_them_out(workspace: Workspace, watercolor: Attribute) -> None:
    workspace.redundancy = 3
    for name in ("ada", "ben"):
        vote(workspace, watercolor, name, {row: row % 2 for row in range(80)})
    without = agreement.measure(workspace, watercolor)
    vote(workspace, watercolor, "cleo", dict.fromkeys(range(80), 1))
    assert set(flags(workspace)) == {who(workspace, "cleo").id}
    setting_aside.set_aside(workspace, who(workspace, "cleo"))
    now = agreement.measure(workspace, watercolor)
    assert (now.raw, now.alpha, now.shared) == (without.raw, without.alpha, without.shared)
    assert not flags(workspace)


def test_whoever_was_asked_since_a_set_aside_answer_differed_is_not_counted_as_agreement(
    workspace: Workspace, watercolor: Attribute
) -> None:
    """Cleo saw images on which ada and ben differ: with ada's answers gone, they still say nothing of agreement."""
    workspace.redundancy = 2
    vote(workspace, watercolor, "ada", {0: 1, 1: 1})
    vote(workspace, watercolor, "ben", {0: 1, 1: 0})
    vote(workspace, watercolor, "cleo", {1: 0})
    setting_aside.set_aside(workspace, who(workspace, "ada"))
    assert agreement.measure(workspace, watercolor).shared == 0
    vote(workspace, watercolor, "dan", {0: 1})  # asked because ada's answer does not count any more
    assert agreement.measure(workspace, watercolor).shared == 1
    planned = agreement.planned_answers(workspace, watercolor)
    assert list(zip(planned.rows.tolist(), planned.annotators.tolist(), strict=True)) == [
        (0, who(workspace, "ben").id),
        (0, who(workspace, "dan").id),
        (1, who(workspace, "ben").id),
    ]


def test_a_model_that_learned_from_them_is_not_current_until_they_are_back(
    played: Workspace, watercolor: Attribute
) -> None:
    row = int(querying.query_pool(played, watercolor)[0])
    vote(played, watercolor, "ada", {row: 1}, purpose=IMPORT)
    model = rounds.train(played, watercolor)
    assert rounds.is_current(played, watercolor, model)
    setting_aside.set_aside(played, who(played, "ada"))
    assert not rounds.is_current(played, watercolor, model)
    assert row in querying.query_pool(played, watercolor), "a round may ask about the image"
    setting_aside.bring_back(played, who(played, "ada"))
    assert rounds.is_current(played, watercolor, model)


def test_exports_and_the_page_of_an_image_tell_of_them(team: Workspace, watercolor: Attribute) -> None:
    setting_aside.set_aside(team, who(team, "ben"))
    (attribute,) = gather(team).attributes
    assert {(hit.annotator, hit.set_aside, len(hit.choices)) for hit in attribute.hits} == {
        ("ada", False, 6),
        ("ben", True, 5),
    }
    assert attribute.crowd == {}
    assert ("media_watercolor", "ben", "yes (set aside)") in describe(team, 0).annotations
    assert ("media_watercolor", "ada", "yes") in describe(team, 0).annotations


def test_no_stored_answer_changes(team: Workspace, watercolor: Attribute) -> None:
    before = answer_log(team.engine, watercolor.id, set_aside=True)
    setting_aside.set_aside(team, who(team, "ben"))
    after = answer_log(team.engine, watercolor.id, set_aside=True)
    assert np.array_equal(before.ids, after.ids)
    assert np.array_equal(before.answers, after.answers)
    assert team.annotations.count(watercolor.id, who(team, "ben").id) == 5
