"""Proposals: who may change what, how votes add up, and that decisions are kept whole."""

import threading

import pytest

from bam_engine.annotation.proposals import MAX_EXAMPLES, MAX_OPEN, Proposal
from bam_engine.errors import AnnotationError, BamError, NotFound, TooLate
from bam_engine.labelling.guideline_examples import examples_of
from bam_engine.labelling.proposed_attributes import accept_proposal
from bam_engine.training.querying import used_rows
from bam_engine.workspace import Workspace


def people(workspace: Workspace, *names: str) -> list[int]:
    return [workspace.annotators.actor(name) for name in names]


def proposed(workspace: Workspace, name: str = "Kites", by: str = "ada") -> Proposal:
    return workspace.proposals.propose(*people(workspace, by), name, f"Is it about {name}?")


def test_a_proposal_keeps_its_words_its_examples_and_whoever_made_it(workspace: Workspace) -> None:
    (ada,) = people(workspace, "ada")
    one = workspace.proposals.propose(ada, "Kites", "Is there  a kite?", "They fly.", [5, 2, 5])
    assert (one.name, one.question, one.reason, one.rows) == ("Kites", "Is there a kite?", "They fly.", (5, 2))
    assert (one.annotator_id, one.voters, one.state) == (ada, (ada,), "open")
    assert workspace.proposals.all() == [one]


def test_a_person_has_one_vote_also_under_two_names(workspace: Workspace) -> None:
    ada, ben, benny = people(workspace, "ada", "ben", "benny")
    one = proposed(workspace)
    for person in (ben, ben, benny, ada):
        workspace.proposals.vote(one.id, person)
    assert workspace.proposals.get(one.id).voters == (ada, ben, benny)
    workspace.annotators.merge(benny, ben)
    assert workspace.proposals.get(one.id).voters == (ada, ben)
    assert workspace.proposals.take_back(one.id, ben).voters == (ada,), "both votes were the same person's"


def test_open_ones_come_first_with_the_most_votes_then_the_oldest(workspace: Workspace) -> None:
    (ben,) = people(workspace, "ben")
    kites, boats, trees = (proposed(workspace, name) for name in ("Kites", "Boats", "Trees"))
    workspace.proposals.vote(trees.id, ben)
    assert [one.name for one in workspace.proposals.all()] == ["Trees", "Kites", "Boats"]
    workspace.proposals.decline(trees.id, "Too many of them.")
    assert [one.name for one in workspace.proposals.all()] == ["Kites", "Boats", "Trees"]
    assert workspace.proposals.get(kites.id).state == workspace.proposals.get(boats.id).state == "open"


def test_the_votes_of_what_is_merged_count_for_what_it_was_merged_into(workspace: Workspace) -> None:
    ada, ben, cleo, dan = people(workspace, "ada", "ben", "cleo", "dan")
    kites, dragons, toys = (
        proposed(workspace, "Kites"),
        proposed(workspace, "Dragons", "ben"),
        proposed(workspace, "Toys"),
    )
    workspace.proposals.vote(dragons.id, cleo)
    workspace.proposals.vote(kites.id, ben)
    workspace.proposals.merge(dragons.id, workspace.proposals.get(kites.id), "The same thing.")
    assert workspace.proposals.get(kites.id).voters == (ada, ben, cleo)
    workspace.proposals.vote(toys.id, dan)
    workspace.proposals.merge(kites.id, workspace.proposals.get(toys.id))
    assert workspace.proposals.get(toys.id).voters == (ada, ben, cleo, dan), "step by step"
    assert workspace.proposals.take_back(toys.id, cleo).voters == (ada, ben, dan)
    with pytest.raises(AnnotationError, match="proposed"):
        workspace.proposals.take_back(toys.id, ben)
    workspace.proposals.reopen(kites.id)
    assert workspace.proposals.get(toys.id).voters == (ada, dan)


def test_a_proposer_is_for_it_and_may_withdraw_it_alone(workspace: Workspace) -> None:
    ada, ben = people(workspace, "ada", "ben")
    one = proposed(workspace)
    with pytest.raises(AnnotationError, match="You proposed"):
        workspace.proposals.take_back(one.id, ada)
    with pytest.raises(AnnotationError, match="somebody else"):
        workspace.proposals.withdraw(one.id, ben)
    assert workspace.proposals.withdraw(one.id, ada).state == "withdrawn"
    with pytest.raises(AnnotationError, match="was withdrawn"):
        workspace.proposals.vote(one.id, ben)
    with pytest.raises(AnnotationError, match="was withdrawn"):
        workspace.proposals.reopen(one.id)
    assert proposed(workspace).state == "open", "the name is free again"


def test_an_accepted_proposal_is_an_attribute_with_its_examples(workspace: Workspace) -> None:
    (ada,) = people(workspace, "ada")
    one = workspace.proposals.propose(ada, "Red kites", "Is there a red kite?", rows=[4, 7, 1])
    workspace.removals.remove([7], reason="a test")
    attribute = accept_proposal(workspace, one.id, question="Is there a kite that is red?")
    assert (attribute.name, attribute.question) == ("red_kites", "Is there a kite that is red?")
    assert [(each.row, each.kind) for each in examples_of(workspace, attribute)] == [(4, "good"), (1, "good")]
    after = workspace.proposals.get(one.id)
    assert (after.state, after.attribute_id) == ("accepted", attribute.id)
    with pytest.raises(AnnotationError, match="was accepted"):
        accept_proposal(workspace, one.id)
    with pytest.raises(AnnotationError, match="was accepted"):
        workspace.proposals.reopen(one.id)


def test_what_cannot_become_an_attribute_stays_open(workspace: Workspace) -> None:
    one = proposed(workspace)
    workspace.attributes.add("kites", "own", "Is there a kite?")
    with pytest.raises(AnnotationError, match="already an attribute"):
        accept_proposal(workspace, one.id)
    assert workspace.proposals.get(one.id).state == "open"
    merged = workspace.proposals.merge(one.id, workspace.attributes.get("kites"))
    assert (merged.state, merged.attribute_id) == ("merged", workspace.attributes.get("kites").id)


def test_names_that_are_taken_are_refused_however_they_are_spelt(workspace: Workspace) -> None:
    workspace.attributes.add("media_watercolor", "media", "Is it a watercolor?")
    with pytest.raises(AnnotationError, match="There is an attribute “watercolor"):
        proposed(workspace, "Watercolor")
    workspace.attributes.archive(workspace.attributes.get("media_watercolor").id)
    with pytest.raises(AnnotationError, match=r"There was an attribute “watercolor.*archived"):
        proposed(workspace, "Watercolor")
    declined = proposed(workspace, "Kites")
    with pytest.raises(AnnotationError, match="“Kites” is proposed already"):
        proposed(workspace, "  KITES!", "ben")
    workspace.proposals.decline(declined.id, "Not now.")
    proposed(workspace, "kites", "ben")
    with pytest.raises(AnnotationError, match="proposed already"):
        workspace.proposals.reopen(declined.id)


@pytest.mark.parametrize(
    ("name", "question", "reason"),
    [
        ("", "Is it?", ""),
        ("!!!", "Is it?", ""),
        ("k" * 61, "Is it?", ""),
        ("kites", " ", ""),
        ("kites", "q" * 201, ""),
        ("kites", "Is it?", "r" * 1_000_001),
        ("kites", "Is\x00it?", ""),
    ],
)
def test_texts_that_are_none_are_refused_and_nothing_is_stored(
    workspace: Workspace, name: str, question: str, reason: str
) -> None:
    with pytest.raises(AnnotationError):
        workspace.proposals.propose(*people(workspace, "ada"), name, question, reason)
    assert workspace.proposals.all() == []


def test_a_text_of_markup_and_sql_is_kept_as_text(workspace: Workspace) -> None:
    words = "<script>alert(1)</script>'); DROP TABLE proposals; --"
    one = workspace.proposals.propose(*people(workspace, "ada"), "Kites", words, words)
    assert (one.question, one.reason) == (words, words)


def test_examples_are_images_of_the_collection_and_not_many(workspace: Workspace) -> None:
    (ada,) = people(workspace, "ada")
    for rows, error in (([-1], NotFound), ([len(workspace.catalogue)], NotFound), (range(MAX_EXAMPLES + 1), BamError)):
        with pytest.raises(error):
            workspace.proposals.propose(ada, "Kites", "Is there a kite?", rows=rows)
    assert workspace.proposals.all() == []


def test_one_person_cannot_fill_the_list(workspace: Workspace) -> None:
    for number in range(MAX_OPEN):
        proposed(workspace, f"Kite {number}")
    with pytest.raises(AnnotationError, match="Withdraw one first"):
        proposed(workspace, "Boats")
    assert proposed(workspace, "Boats", "ben").state == "open"


def test_of_two_owners_who_decide_at_once_one_is_told(workspace: Workspace) -> None:
    one, results, start = proposed(workspace), [], threading.Barrier(2)

    def decide(accepts: bool) -> None:
        start.wait()
        try:
            if accepts:
                accept_proposal(workspace, one.id)
            else:
                workspace.proposals.decline(one.id, "No.")
            results.append("done")
        except AnnotationError as error:
            results.append(str(error))

    threads = [threading.Thread(target=decide, args=(accepts,)) for accepts in (True, False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (told,) = (words for words in results if words != "done")
    state = workspace.proposals.get(one.id).state
    assert f"“Kites” was {state} in the meantime" in told
    assert len(workspace.attributes.all()) == (state == "accepted")


def test_whoever_is_another_person_now_still_owns_what_they_proposed(workspace: Workspace) -> None:
    ada, adah, ben = people(workspace, "ada", "adah", "ben")
    one = proposed(workspace, by="adah")
    workspace.proposals.vote(one.id, ben)
    workspace.annotators.merge(adah, ada)
    after = workspace.proposals.get(one.id)
    assert (after.annotator_id, after.proposers, after.voters) == (ada, (ada,), (ada, ben))
    workspace.proposals.vote(one.id, adah)
    workspace.proposals.vote(one.id, adah)
    assert workspace.proposals.get(one.id).voters == (ada, ben)
    assert workspace.proposals.withdraw(one.id, ada).state == "withdrawn"


def test_what_others_were_merged_into_is_not_the_proposers_alone(workspace: Workspace) -> None:
    (ada,) = people(workspace, "ada")
    kites, dragons = proposed(workspace, "Kites"), proposed(workspace, "Dragons", "ben")
    workspace.proposals.merge(dragons.id, kites)
    with pytest.raises(AnnotationError, match="not yours alone"):
        workspace.proposals.withdraw(kites.id, ada)
    assert workspace.proposals.get(kites.id).state == "open"


def test_an_undo_takes_back_its_own_act_alone(workspace: Workspace) -> None:
    (ada,) = people(workspace, "ada")
    one = proposed(workspace)
    withdrawn = workspace.proposals.withdraw(one.id, ada)
    assert workspace.proposals.undo(withdrawn).state == "open"
    with pytest.raises(TooLate):
        workspace.proposals.undo(withdrawn)
    declined = workspace.proposals.decline(one.id, "No.")
    workspace.proposals.reopen(one.id)
    workspace.proposals.decline(one.id, "Still no.")
    with pytest.raises(TooLate, match="decided again"):
        workspace.proposals.undo(declined)
    assert workspace.proposals.get(one.id).note == "Still no."


def test_what_was_shown_as_an_example_is_never_judged_blind(workspace: Workspace) -> None:
    ada, ben = people(workspace, "ada", "ben")
    kites = workspace.proposals.propose(ada, "Kites", "Is there a kite?", rows=[4])
    dragons = workspace.proposals.propose(ben, "Dragons", "Is there a dragon?", rows=[9, 4])
    toys = workspace.proposals.propose(ben, "Toys", "Is there a toy?", rows=[11])
    workspace.proposals.merge(dragons.id, kites)
    attribute = accept_proposal(workspace, kites.id)
    workspace.proposals.merge(toys.id, attribute)
    assert [each.row for each in examples_of(workspace, attribute)] == [4, 9]
    assert set(used_rows(workspace, attribute)) == {4, 9, 11}


def test_an_archived_attribute_takes_no_proposal(workspace: Workspace) -> None:
    one = proposed(workspace)
    attribute = workspace.attributes.add("kite", "own", "Is there a kite?")
    with pytest.raises(AnnotationError, match="is archived"):
        workspace.proposals.merge(one.id, workspace.attributes.archive(attribute.id))


@pytest.mark.parametrize(("kind", "name"), [("media", "3D graphics"), ("content", "Order"), ("own", "Order")])
def test_a_name_that_only_begins_with_its_kind_is_taken_too(workspace: Workspace, kind: str, name: str) -> None:
    workspace.attributes.add(name, kind, "Is it?")
    with pytest.raises(AnnotationError, match="There is an attribute"):
        proposed(workspace, name)
