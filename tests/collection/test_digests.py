"""The digests of all images: those of the catalogue, in order, read once and extended."""

import hashlib
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from bam_engine.collection import Catalogue, NewImage
from bam_engine.collection.digests import NONE, fingerprint, parse


def sha(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def some(first: int, count: int) -> list[NewImage]:
    return [NewImage(f"/pile/{number}", 1, 1, sha(number)) for number in range(first, first + count)]


def test_a_row_has_the_digest_of_its_image(database: sa.Engine) -> None:
    catalogue = Catalogue(database)
    assert len(catalogue.digests()) == 0
    catalogue.add(some(0, 5))
    first = catalogue.digests()
    catalogue.add(some(5, 3))
    digests = catalogue.digests()
    assert [digests.text(row) for row in range(9)] == [sha(number)[:32] for number in range(8)] + [""]
    assert (len(first), len(digests), digests.text(-1)) == (5, 8, "")


def test_a_fingerprint_is_that_of_the_first_images(database: sa.Engine) -> None:
    catalogue = Catalogue(database)
    catalogue.add(some(0, 5))
    before = catalogue.digests().fingerprint()
    catalogue.add(some(5, 3))
    digests = catalogue.digests()
    assert digests.fingerprint(5) == before != digests.fingerprint()
    assert digests.fingerprint(9) == "", "there are not so many"
    assert len({digests.fingerprint(n) for n in range(9)}) == 9
    assert digests.fingerprint(4) == fingerprint(parse([sha(number) for number in range(4)]))


def test_texts_that_are_no_digests_are_told_apart() -> None:
    texts = ["a", "b", "", "z" * 64, sha(1), sha(1)[:63], "ä" * 64]
    assert len(np.unique(parse(texts), axis=0)) == len(texts)
    assert parse(texts[4:5])[0].tobytes().hex() == sha(1)[:32]
    assert len(parse([])) == len(NONE)


def test_another_database_in_the_same_place_is_read_anew(tmp_path: Path) -> None:
    """As after a backup was restored: other images, and the same number of changes."""
    from bam_engine.collection.catalogue import table
    from bam_engine.database import open_database

    engine = open_database(f"sqlite:///{tmp_path / 'bam.sqlite'}")
    catalogue = Catalogue(engine)
    catalogue.add(some(0, 5))
    assert catalogue.digests().text(4) == sha(4)[:32]
    with engine.begin() as connection:
        connection.execute(sa.update(table).where(table.c.row == 3).values(digest=sha(13)))
        connection.execute(sa.update(table).where(table.c.row == 4).values(digest=sha(14)))
    assert [catalogue.digests().text(row) for row in (2, 3, 4)] == [sha(number)[:32] for number in (2, 13, 14)]
    engine.dispose()


def test_two_that_follow_the_same_digests_do_not_see_each_other() -> None:
    parts = [parse([sha(number) for number in range(first, first + 10)]) for first in (0, 10, 20)]
    start = NONE.extended(parts[0]).extended(parts[1][:0])
    one, two = start.extended(parts[1]), start.extended(parts[2])
    longer = one.extended(parts[2])
    assert np.array_equal(start.array, parts[0])
    assert np.array_equal(one.array, np.concatenate(parts[:2]))
    assert np.array_equal(two.array, np.concatenate([parts[0], parts[2]]))
    assert np.array_equal(longer.array, np.concatenate(parts))
