"""Search by name, checked against a scan of every name."""

import re
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from bam_engine.annotation.annotator_store import Annotators
from bam_engine.collection import Catalogue, Names, NewImage
from bam_engine.collection.words import fold, search_terms, stems_of
from bam_engine.database import captions, now, open_database


def new(uri: str, title: str | None = None, project_id: str | None = None) -> NewImage:
    return NewImage(uri, 10, 10, uri, title=title, project_id=project_id)


@pytest.fixture
def catalogue(database: sa.Engine) -> Catalogue:
    return Catalogue(database)


@pytest.fixture
def names(catalogue: Catalogue, tmp_path: Path) -> Names:
    return Names(catalogue, tmp_path / "names")


def search(names: Names, text: str, count: int = 100) -> list[int]:
    return names.find(text, count).tolist()


def test_words_match_titles_projects_and_files_ignoring_case_and_accents(catalogue: Catalogue, names: Names) -> None:
    catalogue.add([
        new("/home/tom/pictures/cat.jpg"),
        new("b", title="A CAT on a mat"),
        new("c", project_id="Cathedral"),
        new("100%_done"),
        new("e", title="Éclair"),
        new("100 done"),
        new("'; drop table images; --"),
        new("/home/tom/Straße/8.jpg"),
        new("Привет"),
    ])  # fmt: skip
    assert search(names, "cat") == [1, 0, 2]
    assert search(names, "cat", 2) == [1, 0]
    assert search(names, "100%") == [3]
    assert search(names, "éclair") == search(names, "E\u0301CLAIR") == search(names, "eclair") == [4]
    assert search(names, "'; drop") == [6]
    assert search(names, "\\") == search(names, "") == search(names, '  "" ') == []
    assert search(names, "strasse") == search(names, "STRASSE 8.jpg") == [7]
    assert search(names, "ПРИВЕТ") == [8]
    assert search(names, "tom") == [], "only the nearest parent folder counts"
    assert search(names, "pictures") == [0]


def test_whole_words_rank_first_then_other_forms_then_prefixes_then_the_rest_and_ties_by_row(
    catalogue: Catalogue, names: Names
) -> None:
    titles = ["concatenate", "category", "a cat", "cat", "catty cats", "scat catalogue", "cats"]
    catalogue.add([new(f"{i}.png", title) for i, title in enumerate(titles)])
    assert search(names, "cat") == [2, 3, 4, 6, 1, 5, 0]
    assert search(names, "cats") == [4, 6, 2, 3], "parts of words match, stems of prefixes do not"


def test_a_word_finds_its_other_forms_in_either_direction(catalogue: Catalogue, names: Names) -> None:
    titles = ["A dog runs", "running dogs", "Ponies", "a PONY", "happiness", "happy", "Runner"]
    catalogue.add([new(f"/x/{i}", title) for i, title in enumerate(titles)])
    assert search(names, "dog") == [0, 1]
    assert search(names, "dog running") == [0, 1]
    assert search(names, "dogs run") == [1, 0]
    assert search(names, "pony") == [3, 2]
    assert search(names, "ponies") == [2, 3]
    assert search(names, "happy") == [5, 4]
    assert search(names, '"ponies"') == [2], "a phrase is meant literally"


def test_matches_in_titles_rank_before_captions_projects_and_files(
    catalogue: Catalogue, database: sa.Engine, names: Names
) -> None:
    catalogue.add([new("/a/dog.jpg"), new("b", project_id="dog"), new("c"), new("d", "dog"), new("dogs", "dog dogs")])
    assert search(names, "dog") == [3, 4, 1, 0]
    caption(database, 2, "It shows a dog.")
    caption(database, 2, "Two, in fact")
    assert search(names, "dog") == [3, 4, 2, 1, 0]
    assert search(names, "fact dog") == [2]


def caption(database: sa.Engine, row: int, text: str) -> None:
    people = Annotators(database)
    who = people.id_of("ada")
    with database.begin() as connection:
        connection.execute(sa.insert(captions).values(row=row, annotator_id=who, caption=text, made_at=now()))


def test_the_kinds_of_names_are_those_that_there_are(catalogue: Catalogue, database: sa.Engine) -> None:
    catalogue.add([new("a")])
    assert catalogue.kinds_of_names() == ("file names",)
    catalogue.update_details({"a": {"title": "apple"}})
    assert catalogue.kinds_of_names() == ("titles", "file names")
    catalogue.update_details({"a": {"project_id": "fruit"}})
    caption(database, 0, "It shows an apple.")
    assert catalogue.kinds_of_names() == ("titles", "captions", "project names", "file names")


def test_what_people_type_around_words_is_not_searched(catalogue: Catalogue, names: Names) -> None:
    catalogue.add([new("0", "The cat, and the dog"), new("1", "catalogue of cats"), new("2", "near (a) dog: red*")])
    for typed in (
        "cat AND dog",
        "(cat) dog!",
        "“cat” „dog”",
        "cat* dog?",
        "a cat with the dog",
        "cat  dog\n",
        "[dog, cat]",
    ):
        assert search(names, typed) == [0], typed
    assert search(names, "NEAR(dog") == search(names, "cat OR dog") == search(names, "cat NOT dog") == []
    assert search(names, '"cat dog') == [0], "a quote that is not closed is punctuation"
    assert search(names, "the and") == [0], "stop words are searched where there are no others"
    for typed in ("", "   ", '"', '" "', "?!", "* . *", "—", "\x00", "\u200b"):
        assert search(names, typed) == [], repr(typed)
    assert search(names, "cat " * 500 + "dog") == [0]


def test_other_scripts_are_found_by_any_part_of_a_name(catalogue: Catalogue, names: Names) -> None:
    titles = ["犬と猫", "猫", "كَلْب أسود", "ไปเที่ยว", "हिन्दी फूल", "강아지", "🐶 dog", "Ångström"]
    catalogue.add([new(f"/x/{i}", title) for i, title in enumerate(titles)])
    for row, typed in [
        (0, "犬"),
        (2, "كلب"),
        (3, "เที่ยว"),
        (4, "फूल"),
        (5, "강아지"),
        (5, "강아"),
        (6, "🐶"),
        (7, "angstrom"),
    ]:
        assert search(names, typed) == [row], typed
    assert search(names, "猫") == [1, 0]


def test_every_word_must_match_and_quoted_ones_as_a_phrase(catalogue: Catalogue, names: Names) -> None:
    catalogue.add([new("1", "a red apple"), new("2", "apple, red"), new("3", "red pear"), new("4", "infrared apples")])
    assert search(names, "apple red") == [0, 1, 3]
    assert search(names, '"red apple"') == [0, 3]
    assert search(names, "red red") == [0, 1, 2, 3]


def test_a_word_does_not_reach_from_the_title_into_the_file(catalogue: Catalogue, names: Names) -> None:
    catalogue.add([new("pear", "apple"), new("b", "one\ntwo\x1fthree")])
    assert search(names, "applepear") == search(names, '"apple pear"') == []
    assert search(names, '"one two three"') == [1]


def test_new_images_and_changed_titles_are_indexed(catalogue: Catalogue, names: Names, tmp_path: Path) -> None:
    catalogue.add([new("a", "apple"), new("b", "pear")])
    assert search(names, "apple") == [0]
    catalogue.add([new("c", "apple tart")])
    assert search(names, "apple") == [0, 2]
    catalogue.update_details({"b": {"title": "pineapple"}})
    assert search(names, "apple") == [0, 2, 1]
    assert search(names, "pear") == []
    assert search(Names(catalogue, tmp_path / "names"), "apple") == [0, 2, 1], "the stored index gives the same result"
    assert len(list((tmp_path / "names").iterdir())) == 1


def test_a_title_that_changes_elsewhere_is_noticed(catalogue: Catalogue, database: sa.Engine, names: Names) -> None:
    catalogue.add([new("a", "apple")])
    assert search(names, "apple") == [0]
    Catalogue(database).update_details({"a": {"title": "pear"}})
    assert search(names, "pear") == [0]


@settings(max_examples=50, deadline=None)
@given(
    titles=st.lists(st.text("absABS éß.0-\n", max_size=12), min_size=1, max_size=12),
    words=st.lists(st.text("absBé0.", min_size=1, max_size=5), min_size=1, max_size=3),
)
def test_the_index_finds_what_a_scan_of_every_name_finds(
    titles: list[str], words: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("names")
    database = open_database(f"sqlite:///{folder / 'bam.sqlite'}")
    catalogue = Catalogue(database)
    catalogue.add([new(f"/x/{i}", title) for i, title in enumerate(titles)])

    def grade(fields: list[str], word: str, stem: str) -> tuple[int, int] | None:
        inside = re.compile(r"[a-z0-9]|[^\x00-\x7f]")
        grades = []
        for number, field in enumerate(fields):
            for place in (m.start() for m in re.finditer(f"(?={re.escape(word)})", field)):
                before, after = field[place - 1 : place] if place else "", field[place + len(word) :][:1]
                grades.append((3 if inside.match(before) else 2 if inside.match(after) else 0, number))
            forms = re.findall(r"[a-z0-9\x80-\uffff]+", field)
            forms = [form for form in forms if re.fullmatch("[a-z]{3,}", form)]
            grades += [(1, number) for form in forms if stem and stem in (form, *stems_of([form]))]
        return min(grades, default=None)

    expected = []
    terms = search_terms(" ".join(words))
    for row, title in enumerate(titles):
        grades = [grade([fold(title), "", "", f"x/{row}"], term.text, term.stem) for term in terms]
        if None not in grades and terms:
            kinds, fields = zip(*(g for g in grades if g is not None), strict=True)
            expected.append((sum(kinds), sum(fields), row))
    found = Names(catalogue, folder / "names").find(" ".join(words), 99).tolist()
    assert found == [row for *_, row in sorted(expected)]
    database.dispose()


def test_many_names_are_scanned_in_parts(catalogue: Catalogue, names: Names) -> None:
    catalogue.add([new(f"/x/{i:06d}.jpg", "pear" if i % 1000 else "apple") for i in range(140_000)])
    assert search(names, "apple", 1000) == list(range(0, 140_000, 1000))
    assert search(names, "139999") == [139_999]
    assert np.array_equal(names.find("jpg", 10**6), np.arange(140_000))


def test_names_are_found_where_the_index_cannot_be_stored(catalogue: Catalogue, tmp_path: Path) -> None:
    catalogue.add([new("a")])
    (tmp_path / "names").write_text("a file where the folder should be")
    assert search(Names(catalogue, tmp_path / "names"), "a") == [0]


@pytest.mark.parametrize("damage", [b"", b"\n", bytes(3000)])
def test_a_damaged_index_is_made_again(catalogue: Catalogue, tmp_path: Path, damage: bytes) -> None:
    catalogue.add([new("apple"), new("pear")])
    assert search(Names(catalogue, tmp_path / "names"), "pear") == [1]
    (file,) = (tmp_path / "names").iterdir()
    content = file.read_bytes()
    file.write_bytes(damage)
    assert search(Names(catalogue, tmp_path / "names"), "pear") == [1]
    assert file.read_bytes() == content


def test_an_index_of_other_images_is_not_used(tmp_path: Path) -> None:
    """As in two copies of a workspace to which different images were added: the numbers of their changes are equal."""
    for home, fruit in (("a", "apple"), ("b", "pear")):
        engine = open_database(f"sqlite:///{tmp_path / home}.sqlite")
        catalogue = Catalogue(engine)
        catalogue.add([new("plum"), new(fruit)])
        names = Names(catalogue, tmp_path / "names")
        assert [search(names, word) for word in ("plum", fruit)] == [[0], [1]]
        assert search(names, "apple") == ([1] if fruit == "apple" else [])
        engine.dispose()


def test_an_empty_collection_has_no_names(names: Names) -> None:
    assert search(names, "apple") == []
    assert names.refresh() == names.behind() == 0
