"""Annotators: the spellings of a name are one person, and merging, renaming and archiving can all be undone."""

import unicodedata
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from bam_engine.annotation import NEGATIVE, POSITIVE, WITHDRAWN, NewAnswer, consensus
from bam_engine.annotation.annotator_store import Annotators
from bam_engine.annotation.answer_store import Annotations
from bam_engine.annotation.attribute_store import Attributes
from bam_engine.annotation.names import MAX_LENGTH, spelling_key
from bam_engine.database import annotations, annotators, now
from bam_engine.errors import AnnotationError, NotFound

SPELLINGS = (
    "Anna",
    "anna",
    " ANNA ",
    "anna\u00a0",
    "Ａｎｎａ",
    "Anna\u200b",
    "\u202eAnna",
    "An\u00adna",
    "Anna\x00",
    "An\u200dna",
)


@pytest.fixture
def people(database: sa.Engine) -> Annotators:
    return Annotators(database)


@pytest.fixture
def store(database: sa.Engine) -> Annotations:
    Attributes(database).add("kite", "own", "Is there a kite?")
    return Annotations(database)


def add_spellings(database: sa.Engine, *names: str) -> None:
    """Store annotators as early versions did, which took every spelling for another person."""
    with database.begin() as connection:
        rows = [{"name": name, "simulated": False, "made_at": now()} for name in names]
        connection.execute(sa.insert(annotators), rows)


def answer(store: Annotations, annotator_id: int, answers: dict[int, int]) -> None:
    assignment = store.assign(1, annotator_id, list(answers), purpose="round", source_id=1)
    uids = [f"{assignment.id}:{row}" for row in answers]
    store.record(assignment.id, [NewAnswer(uid, *pair) for uid, pair in zip(uids, answers.items(), strict=True)])


def latest(store: Annotations) -> dict[tuple[int, int], int]:
    found = store.answers(1)
    pairs = zip(found.rows.tolist(), found.annotators.tolist(), strict=True)
    return dict(zip(pairs, found.answers.tolist(), strict=True))


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_of_a_name_is_one_annotator(people: Annotators, spelling: str) -> None:
    assert people.id_of("Anna") == people.id_of(spelling)
    assert [one.name for one in people.all()] == ["Anna"]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("\u202eAnna\u202c", "Anna"),
        ("An\x00na\x1b[31m", "An na [31m"),
        ("Zoë\ud83d", "Zoë"),
        ("👩\u200d💻", "👩\u200d💻"),
    ],
)
def test_a_name_is_what_is_seen_of_it(people: Annotators, typed: str, kept: str) -> None:
    assert people.rename(people.id_of("Ben"), typed).name == kept


@pytest.mark.parametrize("typed", ["", " ", "\u200b", "\u200d", "\x00", "\ud83d"])
def test_a_name_of_which_nothing_is_seen_is_refused(people: Annotators, typed: str) -> None:
    with pytest.raises(AnnotationError, match="The annotator's name is empty"):
        people.id_of(typed)


def test_a_name_is_short_enough_for_every_database(people: Annotators) -> None:
    longest = "𒀀" * MAX_LENGTH
    assert people.rename(people.id_of("Ben"), longest).name == longest
    with pytest.raises(AnnotationError, match="has 201 characters"):
        people.id_of(f"{longest}.")


@given(st.text(st.characters(categories=["L", "N", "Zs"]), min_size=1))
def test_composition_case_and_blanks_never_change_the_key(name: str) -> None:
    key = spelling_key(name)
    assert {spelling_key(unicodedata.normalize(form, name)) for form in ("NFC", "NFD", "NFKC")} == {key}
    assert spelling_key(f" {name.casefold()}\t") == key


def test_names_of_other_people_stay_apart(people: Annotators) -> None:
    names = ["Anna", "Anne", "Ana", "Añna", "Anna B", "AnnaB"]
    assert len({people.id_of(name) for name in names}) == len(names)


def test_two_spellings_are_one_person_to_the_consensus(people: Annotators, store: Annotations) -> None:
    for name in ("Anna", "anna"):
        answer(store, people.id_of(name), {0: POSITIVE, 1: NEGATIVE})
    assert not consensus(store.answers(1), redundancy=2).settled.any()


def test_simultaneous_spellings_become_one_annotator(people: Annotators) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(people.id_of, ["Anna", "anna", "ANNA", "aNNa"] * 4))) == 1


def test_an_annotator_is_found_by_the_exact_spelling_first(people: Annotators, database: sa.Engine) -> None:
    add_spellings(database, "Anna", "anna")
    assert [people.id_of(name) for name in ("Anna", "anna", "ANNA")] == [1, 2, 1]


def test_spellings_that_were_stored_as_several_people_are_listed(people: Annotators, database: sa.Engine) -> None:
    add_spellings(database, "Anna", "Bo", "anna", "Jose\u0301", "José")
    assert [[one.name for one in group] for group in people.spellings()] == [["Anna", "anna"], ["Jose\u0301", "José"]]
    people.merge(3, 1)
    assert [[one.name for one in group] for group in people.spellings()] == [["Jose\u0301", "José"]]


def test_of_merged_annotators_the_newest_answer_to_an_image_counts(
    people: Annotators, store: Annotations, database: sa.Engine
) -> None:
    add_spellings(database, "Anna", "anna", "Bo")
    answer(store, 1, {0: POSITIVE, 1: POSITIVE, 2: POSITIVE})
    answer(store, 2, {0: NEGATIVE, 1: POSITIVE, 3: NEGATIVE})
    answer(store, 3, {0: POSITIVE})
    answer(store, 2, {2: WITHDRAWN})
    before = latest(store)
    people.merge(2, 1)
    assert latest(store) == {(0, 1): NEGATIVE, (0, 3): POSITIVE, (1, 1): POSITIVE, (3, 1): NEGATIVE}
    assert [one.annotator for one in store.image_annotations(1, 0)] == ["Anna", "Anna", "Bo"]
    assert store.count(1, 1) == 7
    people.separate(2)
    assert latest(store) == before


def test_merging_changes_no_stored_answer(people: Annotators, store: Annotations, database: sa.Engine) -> None:
    add_spellings(database, "Anna", "anna")
    answer(store, 2, {0: NEGATIVE})

    def stored() -> list[sa.Row]:
        with database.connect() as connection:
            return list(connection.execute(sa.select(annotations)))

    before = stored()
    people.merge(2, 1)
    assert stored() == before


def test_answers_to_an_open_assignment_of_a_merged_annotator_count_for_the_other(
    people: Annotators, store: Annotations, database: sa.Engine
) -> None:
    add_spellings(database, "Anna", "anna")
    assignment = store.assign(1, 2, [5], purpose="round", source_id=1)
    people.merge(2, 1)
    store.record(assignment.id, [NewAnswer("late", 5, POSITIVE)])
    assert latest(store) == {(5, 1): POSITIVE}


def test_chains_of_merges_are_undone_link_by_link(people: Annotators) -> None:
    first, second, third = (people.id_of(name) for name in ("Anna", "Annie", "Ann"))
    people.merge(first, second)
    people.merge(second, third)
    assert [one.name for one in people.all()] == ["Ann"]
    assert people.id_of("Anna") == third
    people.separate(second)
    assert people.id_of("Anna") == second
    assert set(people.names().values()) == {"Annie", "Ann"}


def test_a_merge_in_a_circle_of_two_kinds_or_of_nobody_is_refused(people: Annotators, database: sa.Engine) -> None:
    first, second = people.id_of("Anna"), people.id_of("Annie")
    with database.begin() as connection:
        connection.execute(sa.insert(annotators).values(name="Robot", simulated=True, made_at=now()))
    people.merge(first, second)
    for one, other in ((second, first), (first, second), (second, second)):
        with pytest.raises(AnnotationError, match="one already"):
            people.merge(one, other)
    with pytest.raises(AnnotationError, match="simulated"):
        people.merge(second, people.get("robot").id)
    with pytest.raises(NotFound):
        people.merge(second, 99)


def test_a_renamed_annotator_keeps_their_answers(people: Annotators, store: Annotations) -> None:
    answer(store, people.id_of("me"), {0: POSITIVE})
    people.rename(1, "Anna")
    assert [one.annotator for one in store.image_annotations(1, 0)] == ["Anna"]
    assert people.id_of("anna") == 1
    assert people.id_of("me") == 2


def test_a_name_in_use_is_refused_in_every_spelling(people: Annotators) -> None:
    people.id_of("Anna")
    people.id_of("Bo")
    with pytest.raises(AnnotationError, match="merge"):
        people.rename(2, "ANNA")
    assert people.rename(1, " ANNA ").name == "ANNA"
    with pytest.raises(AnnotationError, match="empty"):
        people.rename(1, " ")


def test_an_archived_annotator_cannot_answer_until_they_are_brought_back(
    people: Annotators, store: Annotations
) -> None:
    answer(store, people.id_of("Anna"), {0: POSITIVE})
    people.archive(1)
    with pytest.raises(AnnotationError, match="archived"):
        people.id_of("anna")
    assert [(one.name, one.archived) for one in people.all()] == [("Anna", True)]
    assert np.array_equal(store.answers(1).annotators, [1])
    people.restore(1)
    assert people.id_of("anna") == 1


def test_the_ids_of_many_names_are_those_of_each(people: Annotators) -> None:
    """Spellings are one person, also of one who is new; who cannot answer hides none of the others."""
    ben, carl = people.id_of("Ben"), people.id_of("Carl")
    people.archive(carl)
    people.merge(people.id_of("Benjamin"), ben)
    names = ["Dora", " dora", "BEN", "Benjamin", "carl", "", "x" * (MAX_LENGTH + 1)]
    found = people.ids_of(names)
    assert (found["BEN"], found["Benjamin"]) == (ben, ben)
    assert found["Dora"] == found[" dora"] == people.id_of("Dora")
    assert {name: str(found[name]) for name in names[4:]} == {
        "carl": "The annotator 'Carl' is archived and cannot answer. Bring them back, or answer under another name.",
        "": "The annotator's name is empty. Enter a name.",
        names[-1]: f"The annotator's name has {MAX_LENGTH + 1} characters. Enter {MAX_LENGTH} at most.",
    }
    assert [one.name for one in people.all()] == ["Ben", "Carl", "Dora"]
    assert people.ids_of([]) == {}
