"""What a query finds in BAM's file: every condition against its definition, the order, and the address that says it."""

from pathlib import Path

import numpy as np
import pytest

from bam_engine.download import best_of
from bam_engine.errors import BamError, NotFound
from bam_engine.published import Arrays, Query, find, from_json, from_url, lines_of, make_arrays
from bam_engine.workspace import Workspace
from benchmarks.bam_tables import Size, write_bam_file
from tests.published.conftest import CAT, INK, LINES, WriteFile


@pytest.fixture
def found(empty_workspace: Workspace, arrays: Arrays):  # type: ignore[no-untyped-def]
    """Give a function that returns the numbers of the images that a query finds, in order."""

    def numbers(**query: object) -> list[int]:
        result = find(empty_workspace, arrays, Query(**query))  # type: ignore[arg-type]
        return [int(mid) for mid in arrays.mids[result.positions]]

    return numbers


def test_each_condition_finds_what_it_says(found) -> None:  # type: ignore[no-untyped-def]
    assert found() == [10, 20, 30, 40]
    assert found(yes=(CAT,)) == [10, 20, 30, 40]
    assert found(no=(CAT,)) == [40, 30, 20, 10]
    assert found(yes=(CAT,), sort="worst") == [40, 30, 20, 10]
    assert found(no=(CAT,), sort="number") == [10, 20, 30, 40]
    assert found(yes=(INK,)) == [30, 20, 10]  # 40 has no score
    assert found(yes=(CAT,), place_from=0.5) == [10, 20]
    assert found(yes=(CAT,), place_from=0.25, place_to=0.5) == [20, 30]
    assert found(yes=(CAT,), by="automatic") == [10]
    assert found(no=(CAT,), by="automatic") == [30]
    assert found(yes=(INK,), no=(CAT,), by="automatic") == [30]
    assert found(crowd_yes=(CAT,)) == [10]
    assert found(crowd_no=(CAT,)) == [20]
    assert found(crowd_yes=(CAT, INK)) == []
    assert found(words="OLD cat") == [10]  # of two captions of 20, one is old and the other a cat
    assert found(words="old") == [10, 20]
    assert found(words="dog") == []


def test_images_without_a_score_that_is_asked_about_are_counted(empty_workspace: Workspace, arrays: Arrays) -> None:
    assert find(empty_workspace, arrays, Query(yes=(INK,))).unscored == 1
    assert find(empty_workspace, arrays, Query(yes=(CAT,))).unscored == 0
    assert find(empty_workspace, arrays, Query()).unscored == 0


@pytest.mark.parametrize("seed", range(3))
def test_the_order_is_that_of_bam_urls_best_and_of_its_definition(
    empty_workspace: Workspace, tmp_path: Path, seed: int
) -> None:
    file = tmp_path / "generated.sqlite"
    write_bam_file(file, Size(200, 40, 80, 20, 20), seed=seed)
    arrays = make_arrays(empty_workspace, file)
    yes, no = ("content_cat", "media_watercolor"), ("content_people",)
    result = find(empty_workspace, arrays, Query(yes=yes, no=no))
    urls = [line["url"] for line in lines_of(arrays, result.positions, ())]
    assert urls == [line[0] for line in best_of(file, yes, without=no, count=200).lines]
    columns = {name: arrays.places[:, arrays.scored.index(name)] for name in (*yes, *no)}
    shares = [columns[name] for name in yes]
    shares += [np.array([(columns[name] > one).mean() for one in columns[name]]) for name in no]
    lowest = np.min(shares, axis=0)
    np.testing.assert_allclose(result.lowest, lowest[result.positions], rtol=1e-5)
    assert (np.diff(result.lowest) <= 0).all()


def test_images_that_tie_are_in_the_order_of_their_sums_then_numbers(
    empty_workspace: Workspace, write_bam: WriteFile
) -> None:
    scores = [(10, 1, 5), (20, 1, 7), (30, 1, 5), (40, 2, 0)]
    arrays = make_arrays(empty_workspace, write_bam(scores=scores))
    result = find(empty_workspace, arrays, Query(yes=(CAT, INK)))
    assert arrays.mids[result.positions].tolist() == [20, 40, 10, 30]


def test_an_attribute_that_the_file_does_not_have_is_a_sentence(
    empty_workspace: Workspace, arrays: Arrays, write_bam: WriteFile
) -> None:
    with pytest.raises(NotFound, match=f"bam.sqlite has no scores of 'content_dog'. It has those of {CAT}, {INK}."):
        find(empty_workspace, arrays, Query(yes=("content_dog",)))
    with pytest.raises(NotFound, match="no automatic labels of 'content_dog'"):
        find(empty_workspace, arrays, Query(no=("content_dog",), by="automatic"))
    with pytest.raises(NotFound, match="no crowd labels of 'content_dog'"):
        find(empty_workspace, arrays, Query(crowd_no=("content_dog",)))
    bare = make_arrays(empty_workspace, write_bam("bare.sqlite", tables={"scores": None}))
    with pytest.raises(NotFound, match=f"bare.sqlite has no scores of '{CAT}'. It has none at all."):
        find(empty_workspace, bare, Query(yes=(CAT,)))


def test_images_without_a_score_are_last_in_either_order(empty_workspace: Workspace, write_bam: WriteFile) -> None:
    labels = [(mid, "positive", "positive") for mid in (10, 20, 30, 40)]
    arrays = make_arrays(empty_workspace, write_bam(automatic_labels=labels))
    for sort, expected in (("best", [30, 20, 10, 40]), ("worst", [10, 20, 30, 40])):
        result = find(empty_workspace, arrays, Query(yes=(INK,), by="automatic", sort=sort))
        assert arrays.mids[result.positions].tolist() == expected


def test_queries_that_differ_by_little_are_two(empty_workspace: Workspace, arrays: Arrays) -> None:
    just_below, just_above = (Query(yes=(CAT,), place_from=share) for share in (0.7499999, 0.7500001))
    assert just_below.json() != just_above.json()
    assert (len(find(empty_workspace, arrays, just_below)), len(find(empty_workspace, arrays, just_above))) == (1, 0)


def test_attributes_are_a_sequence_of_names() -> None:
    assert Query(yes=[CAT]) == Query(yes=(CAT,))  # type: ignore[arg-type]
    with pytest.raises(BamError, match="not the text 'content_cat'"):
        Query(yes=CAT)  # type: ignore[arg-type]


def test_a_query_is_its_address_and_its_json() -> None:
    query = Query(yes=(CAT,), no=(INK,), by="automatic", place_from=0.25, crowd_yes=(INK,), words="a cat", sort="worst")
    assert from_url(query.url()) == query
    assert from_json(query.json()) == query
    assert Query().url() == {}
    assert from_url({"page": ["3"], "yes": [CAT, CAT, ""]}) == Query(yes=(CAT,))


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"by": ["luck"]}, "'by' cannot be 'luck'. It must be one of place, automatic"),
        ({"sort": ["luck"]}, "'sort' cannot be 'luck'"),
        ({"place_from": ["high"]}, "must be a number from 0 to 1, not 'high'"),
        ({"place_from": ["nan"]}, "must be a number from 0 to 1"),
        ({"place_from": ["0.9"], "place_to": ["0.1"]}, "the lower limit first"),
        ({"place_from": ["0.9"], "place_to": ["1"]}, "Name an attribute"),
        ({"place_to": ["7"]}, "shares from 0 to 1"),
        ({"yes": [CAT], "no": [CAT]}, f"with and without {CAT}"),
        ({"crowd_yes": [CAT], "crowd_no": [CAT]}, f"with and without {CAT}"),
        ({"yes": [str(number) for number in range(65)]}, "names 65 attributes"),
    ],
)
def test_an_address_that_makes_no_sense_is_refused_in_words(parameters: dict[str, list[str]], words: str) -> None:
    with pytest.raises(BamError, match=words):
        from_url(parameters)


@pytest.mark.parametrize("text", ["", "[]", '{"yes": "cat"}', "[" * 5000, "x" * 9000])
def test_json_that_is_no_query_is_refused_in_words(text: str) -> None:
    with pytest.raises(BamError, match="query"):
        from_json(text)


def test_lines_have_what_the_file_says_of_each_image(arrays: Arrays) -> None:
    first, last = lines_of(arrays, np.array([1, 3]), [CAT])
    assert first == {
        "mid": 20,
        "url": "https://images.example/20.jpg",
        "project": 1,
        "license": None,
        "mature": 1,
        f"{CAT}_place": 0.5,
        f"{CAT}_automatic": "unsure",
        f"{CAT}_crowd": "negative",
    }
    assert (last["url"], last[f"{CAT}_place"], last[f"{CAT}_automatic"], last[f"{CAT}_crowd"]) == (None, 0, None, None)
    assert [line["mid"] for line in lines_of(arrays, np.arange(len(LINES["modules"])), ())] == [10, 20, 30, 40]
