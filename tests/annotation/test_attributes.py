"""Valid attribute names, the attribute store, and the templates."""

import re

import pytest
import sqlalchemy as sa

from bam_engine.annotation import BAM_ATTRIBUTES, KINDS, check_name
from bam_engine.annotation.attribute_store import Attributes
from bam_engine.errors import AnnotationError, NotFound

BAM_NAMES = [
    *(f"content_{n}" for n in ("bicycle", "bird", "building", "cars", "cat", "dog", "flower", "people", "tree")),
    *(f"emotion_{n}" for n in ("gloomy", "happy", "peaceful", "scary")),
    *(f"media_{n}" for n in ("3d_graphics", "comic", "graphite", "oilpaint", "pen_ink", "vectorart", "watercolor")),
]


def test_an_attribute_is_found_by_name_and_by_id(database: sa.Engine) -> None:
    attributes = Attributes(database)
    added = attributes.add("content_kite", "content", " Is there a kite? ", "Yes: toys.\nNo: birds. ")
    assert (added.name, added.kind, added.question) == ("content_kite", "content", "Is there a kite?")
    assert added.instructions == "Yes: toys.\nNo: birds."
    assert attributes.get("content_kite") == attributes.by_id(added.id) == added
    assert Attributes(database).all() == [added]


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Cat", "cat"),
        ("_cat", "cat"),
        ("big cat", "big_cat"),
        ("Is it a sketch?", "is_it_a_sketch"),
        ("Kätzchen", "katzchen"),
        ("Straße", "strasse"),
        ('x"; drop table images; --', "x_drop_table_images"),
        ("cat\n", "cat"),
        ("3D graphics", "media_3d_graphics"),
        ("Select", "media_select"),
    ],
)
def test_a_title_is_made_a_safe_column(title: str, name: str, database: sa.Engine) -> None:
    attributes = Attributes(database)
    added = attributes.add(title, "media", "Is it?")
    assert (added.name, check_name(name)) == (name, name)
    assert attributes.rename(added.id, f"{title} ") == added


@pytest.mark.parametrize(
    ("title", "words"), [("", "''"), ("?!", "cannot be"), ("猫", "cannot be"), ("a" * 61, "has 61")]
)
def test_a_title_that_makes_no_column_is_refused(title: str, words: str, database: sa.Engine) -> None:
    with pytest.raises(AnnotationError, match=words):
        Attributes(database).add(title, "own", "Is it?")
    assert Attributes(database).all() == []


@pytest.mark.parametrize("name", ["select", "group", "table", "user", "mid"])
def test_a_reserved_word_gets_the_kind_before_it(name: str) -> None:
    assert check_name(name) == f"own_{name}"


def test_every_allowed_name_is_a_column_without_quotes(database: sa.Engine) -> None:
    with database.begin() as connection:
        for number, name in enumerate([*BAM_NAMES, "a", "z9_", "a" * 60]):
            connection.exec_driver_sql(f"CREATE TABLE t{number} (mid INTEGER, {check_name(name)} REAL)")


def test_a_name_is_unique(database: sa.Engine) -> None:
    attributes = Attributes(database)
    first = attributes.add("content_kite", "content", "Is there a kite?")
    with pytest.raises(AnnotationError, match="already an attribute 'content_kite'"):
        attributes.add("Content kite", "own", "Another question?")
    assert attributes.all() == [first]


def test_kind_and_question_are_needed(database: sa.Engine) -> None:
    with pytest.raises(AnnotationError, match="Choose one of content, emotion, media, own"):
        Attributes(database).add("kite", "style", "Is it?")
    with pytest.raises(AnnotationError, match="The question is empty"):
        Attributes(database).add("kite", "own", "  ")


def test_an_update_changes_what_is_given_and_nothing_else(database: sa.Engine) -> None:
    attributes = Attributes(database)
    added = attributes.add("kite", "own", "Is there a kite?", "Toys count.")
    changed = attributes.update(added.id, question="Is a kite in it?")
    assert changed == attributes.get("kite")
    assert (changed.kind, changed.question, changed.instructions) == ("own", "Is a kite in it?", "Toys count.")
    assert attributes.update(added.id, instructions="", kind="content").instructions == ""
    with pytest.raises(AnnotationError):
        attributes.update(added.id, question=" ")
    with pytest.raises(NotFound):
        attributes.update(added.id + 1, question="Is it?")


def test_an_unknown_name_lists_the_existing_ones(database: sa.Engine) -> None:
    attributes = Attributes(database)
    attributes.add("kite", "own", "Is there a kite?")
    with pytest.raises(NotFound, match=r"The attributes are: kite\."):
        attributes.get("cat")


def test_all_templates_of_bam_can_be_added(database: sa.Engine) -> None:
    attributes = Attributes(database)
    for template in BAM_ATTRIBUTES:
        attributes.add(template.name, template.kind, template.question, template.instructions)
    assert [attribute.name for attribute in attributes.all()] == BAM_NAMES
    assert all(attribute.kind in KINDS for attribute in attributes.all())


@pytest.mark.parametrize("template", BAM_ATTRIBUTES, ids=lambda template: template.name)
def test_each_template_has_a_question_and_instructions(template) -> None:
    assert template.question.endswith("?")
    assert re.fullmatch(r"Yes: .+\.\nNo: .+\.\nIn doubt: .+\.", template.instructions)


def test_a_renamed_attribute_is_found_by_both_names(database: sa.Engine) -> None:
    attributes = Attributes(database)
    kite = attributes.add("kite", "own", "Is there a kite?")
    renamed = attributes.rename(kite.id, "content_kite")
    assert (renamed.id, renamed.name, attributes.get("kite")) == (kite.id, "content_kite", renamed)
    assert attributes.rename(kite.id, "kite") == kite == attributes.get("content_kite")


def test_an_attribute_that_has_a_name_comes_before_one_that_had_it(database: sa.Engine) -> None:
    attributes = Attributes(database)
    first = attributes.rename(attributes.add("kite", "own", "Is there a kite?").id, "content_kite")
    second = attributes.add("kite", "own", "Is it called Kite?")
    assert attributes.get("kite") == second
    attributes.rename(second.id, "title_kite")
    assert attributes.get("kite").id == second.id, "who had the name last"
    attributes.rename(second.id, "kite")
    assert (attributes.get("kite").id, attributes.get("title_kite").id) == (second.id, second.id)
    assert attributes.get("content_kite") == first


def test_an_attribute_is_not_renamed_to_an_invalid_or_a_used_name(database: sa.Engine) -> None:
    attributes = Attributes(database)
    kite, cat = (attributes.add(name, "own", "Is there one?") for name in ("kite", "cat"))
    for name in ("Cat", "?!", "cat"):
        with pytest.raises(AnnotationError):
            attributes.rename(kite.id, name)
    attributes.archive(cat.id)
    with pytest.raises(AnnotationError, match="archived"):
        attributes.rename(kite.id, "cat")
    assert attributes.get("kite") == kite


def test_an_archived_attribute_is_out_of_the_way_and_comes_back(database: sa.Engine) -> None:
    attributes = Attributes(database)
    kite = attributes.add("kite", "own", "Is there a kite?")
    archived = attributes.archive(kite.id)
    assert (attributes.all(), attributes.archived()) == ([], [archived])
    for find in (attributes.get, lambda name: attributes.add(name, "own", "Is there one?")):
        with pytest.raises((NotFound, AnnotationError), match="Bring it back"):
            find("kite")
    assert attributes.restore(attributes.get_archived("kite").id) == kite == attributes.get("kite")
    with pytest.raises(NotFound, match="None is archived"):
        attributes.get_archived("kite")
