"""Permissions: whatever a page forgets, no role writes what is not its own."""

import pytest
import sqlalchemy as sa

from bam_engine.annotation import ForeignAssignment, NewAnswer
from bam_engine.annotation.annotator_store import Annotators
from bam_engine.annotation.answer_store import Annotations
from bam_engine.annotation.attribute_store import Attributes
from bam_engine.database import metadata
from bam_engine.errors import TeamError
from bam_engine.team import Role, Team
from bam_engine.team.permissions import MAY_WRITE, check_may_write, plural, restrict, with_article

OWNERS_ALONE = {
    *("accounts", "identities", "sessions", "invitations", "join_requests", "merged_annotators"),
    *("images", "kept_duplicates", "problems", "proposal_decisions", "removals", "removed_images", "returns"),
}
COMPUTED = {"activity", "calibrations", "measured_thresholds", "measurements", "revisions"}
VIEWERS_TOO = COMPUTED | {"proposals", "proposal_images", "proposal_votes"}


def may(table: str, role: Role) -> bool:
    try:
        check_may_write(metadata.tables[table], role)
    except TeamError:
        return False
    return True


def test_what_is_not_named_is_the_owners() -> None:
    assert set(metadata.tables) - set(MAY_WRITE) == OWNERS_ALONE
    assert {table for table in metadata.tables if not may(table, Role.REVIEWER)} == OWNERS_ALONE
    assert all(may(table, Role.OWNER) for table in metadata.tables)


def test_viewers_write_their_proposals_and_what_the_program_computes_for_whoever_looks() -> None:
    assert {table for table in metadata.tables if may(table, Role.VIEWER)} == VIEWERS_TOO


def test_annotators_answer_and_change_nothing_that_others_rely_on() -> None:
    written = {table for table in metadata.tables if may(table, Role.ANNOTATOR)} - VIEWERS_TOO
    answers = {"annotations", "annotators", "assignment_images", "assignments", "captions", "leases", "remarks"}
    assert written == answers | {"gold_images", "image_tags", "pauses", "saved_views"}


def test_a_refused_write_changes_nothing_and_says_who_may(database: sa.Engine) -> None:
    acts: list[Role | None] = [None]
    restrict(database, lambda: acts[-1])
    attributes = Attributes(database)
    attribute = attributes.add("kite", "own", "Is there a kite?")
    acts.append(Role.ANNOTATOR)
    with pytest.raises(TeamError, match="This is for reviewers and owners, and you are an annotator"):
        attributes.rename(attribute.id, "bird")
    with pytest.raises(TeamError):
        Team(database).accounts.add("Eve", Role.OWNER, "a blue door in June")
    acts.append(Role.REVIEWER)
    assert attributes.rename(attribute.id, "bird").name == "bird"
    assert not Team(database).accounts.exist()


def test_an_assignment_is_answered_by_the_person_to_whom_it_was_given(database: sa.Engine) -> None:
    Attributes(database).add("kite", "own", "Is there a kite?")
    store, people = Annotations(database), Annotators(database)
    anna, ben, also_anna = (people.id_of(name) for name in ("Anna", "Ben", "Anna Maria"))
    assignment = store.assign(1, anna, [0, 1], purpose="round", source_id=1)
    answer = [NewAnswer("one", 0, 1)]
    for other in (ben, also_anna):
        with pytest.raises(ForeignAssignment, match="another person"):
            store.record(assignment.id, answer, by=other)
    assert store.answered_rows(assignment.id) == {}
    people.merge(anna, also_anna)
    assert store.record(assignment.id, answer, by=also_anna).new == 1


def test_roles_are_named_in_sentences() -> None:
    assert (plural(Role.REVIEWER), plural(Role.OWNER)) == ("reviewers and owners", "owners")
    assert [with_article(role) for role in Role] == ["a viewer", "an annotator", "a reviewer", "an owner"]
