"""Search by meaning, by words, by images of the collection and uploaded ones, against the definition."""

import io
import os
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bam_engine.annotation import Attribute
from bam_engine.collection import NewImage
from bam_engine.errors import BamError, EmbeddingError, NotFound
from bam_engine.gallery import search, uploads
from bam_engine.gallery.listing import list_images
from bam_engine.gallery.query import Query
from bam_engine.training.models import scores_of
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import embed_collection, vectors_of


def cosines(workspace: Workspace, wanted: np.ndarray) -> np.ndarray:
    """The cosine of every image with each of ``wanted`` (m, d), (m, n)."""
    return np.atleast_2d(wanted).astype(np.float64) @ vectors_of(workspace).astype(np.float64).T


def best(likeness: np.ndarray, count: int, without: tuple[int, ...] = ()) -> list[int]:
    order = sorted(set(range(len(likeness))) - set(without), key=lambda row: (-np.float32(likeness[row]), row))
    return order[:count]


def file_of(image: Image.Image, kind: str = "PNG") -> bytes:
    content = io.BytesIO()
    image.save(content, kind)
    return content.getvalue()


@pytest.fixture
def reading(workspace: Workspace, clip_checkpoint: Path) -> Workspace:
    """The small pictures, embedded by an encoder that reads text."""
    workspace.choose_encoder("openclip:small-test", clip_checkpoint)
    embed_collection(workspace)
    return workspace


def test_a_text_finds_the_largest_cosines(reading: Workspace) -> None:
    wanted = reading.encoder().encode_text(["a ripe pear"])[0]  # type: ignore[attr-defined]
    assert search.by_text(reading, "a ripe pear", 15).tolist() == best(cosines(reading, wanted)[0], 15)


def test_with_an_encoder_that_reads_text_a_search_is_by_meaning_unless_words_are_asked_for(reading: Workspace) -> None:
    found = search.find(reading, "a ripe pear", 15)
    likeness = cosines(reading, reading.encoder().encode_text(["a ripe pear"]))[0]  # type: ignore[attr-defined]
    assert (found.rows.tolist(), found.by) == (best(likeness, 15), "meaning")
    assert found.similarities == pytest.approx(likeness[found.rows], abs=1e-6)
    assert (found.matches, found.searched) == (120, "120 images by meaning, with OpenCLIP small-test, small.pt")
    by_words = search.find(reading, "apple", by="words")
    assert by_words.rows.tolist() == search.by_words(reading, "apple").tolist() != []
    reading.removals.remove([int(found.rows[0])], reason="too ripe")
    assert search.find(reading, "a ripe pear", 14).rows.tolist() == found.rows[1:].tolist()


@pytest.mark.parametrize(
    ("text", "by", "words"),
    [
        ("", None, "The search text is empty"),
        (" \n\t", "meaning", "The search text is empty"),
        ("?! …", None, "“\\?! …” has no word to look for"),
        ("dog", "meaning", "embeds images only"),
    ],
)
def test_a_text_that_cannot_be_searched_is_rejected_with_the_reason(workspace: Workspace, text, by, words) -> None:
    with pytest.raises(BamError, match=words):
        search.find(workspace, text, by=by)


def test_an_empty_collection_cannot_be_searched(tmp_path: Path) -> None:
    with closing(Workspace(tmp_path / "empty", tmp_path / "cache")) as empty:
        for by in (None, "words", "meaning"):
            with pytest.raises(BamError, match="There are no images to search"):
                search.find(empty, "dog", by=by)


def test_words_of_any_script_are_found_and_bytes_that_are_no_text_match_nothing(workspace: Workspace) -> None:
    titles = ["Собака на пляже", "海辺の犬", "כֶּלֶב", "كلب", "Σκύλος", "İt"]
    workspace.catalogue.add([NewImage(f"/{n}.jpg", 9, 9, f"n{n}", title=title) for n, title in enumerate(titles)])
    for row, text in enumerate(("собака", "犬", "כלב", "كَلْب", "ΣΚΎΛΟΣ", "it"), 120):
        assert row in search.find(workspace, text).rows, text
    assert search.find(workspace, os.fsdecode(b"caf\xe9")).rows.tolist() == []


@pytest.mark.parametrize("look", [search.by_text, search.by_words, search.find])
def test_a_text_that_is_too_long_is_rejected_at_once(workspace: Workspace, look) -> None:
    with pytest.raises(BamError, match=r"100,000 characters; the limit is 1,000"):
        look(workspace, "pear " * 20_000)


def test_by_words_every_word_is_in_the_name_and_whole_words_come_first(workspace: Workspace) -> None:
    titles = ["Red pear", "pears, red", "Réd PEAR tree", "unpeared redness", "a green pear", "red"]
    workspace.catalogue.add(
        [NewImage(f"/names/{number}.jpg", 9, 9, f"n{number}", title=title) for number, title in enumerate(titles)]
    )
    assert search.by_words(workspace, "red pear", 200).tolist() == [120, 122, 121, 123]
    assert search.by_words(workspace, '"red pear"').tolist() == [120, 122]
    assert search.by_words(workspace, "red pear", 2).tolist() == [120, 122]
    assert search.by_words(workspace, "  ").tolist() == []
    assert search.by_words(workspace, "tree pears").tolist() == [122]
    found = search.find(workspace, "the tree pear", 1)
    assert (found.rows.tolist(), found.matches, found.by, found.similarities) == ([122], 1, "words", None)
    found = search.find(workspace, "red pear", 2)
    assert (found.rows.tolist(), found.matches, found.searched) == ([120, 122], 4, search.searched_by_words(workspace))


def test_removed_images_are_not_found_by_words(workspace: Workspace) -> None:
    workspace.catalogue.add([NewImage(f"/{row}.jpg", 9, 9, f"n{row}", title="a quince") for row in range(4)])
    assert search.by_words(workspace, "quinces").tolist() == [120, 121, 122, 123]
    removal = workspace.removals.remove([120, 122], reason="two quinces")
    assert search.by_words(workspace, "quinces", 2).tolist() == [121, 123]
    assert search.searched_by_words(workspace).endswith(" of 122 images")
    workspace.removals.undo(removal.id)
    assert search.by_words(workspace, "quinces").tolist() == [120, 121, 122, 123]


def test_what_a_search_by_words_looks_at(workspace: Workspace, tmp_path: Path) -> None:
    empty = Workspace(tmp_path / "empty", tmp_path / "cache")
    assert search.searched_by_words(empty) == "file names of 0 images"
    empty.catalogue.add([NewImage("/a.jpg", 9, 9, "a", title="apple")])
    assert search.searched_by_words(empty) == "titles and file names of 1 image"
    empty.catalogue.add([NewImage("/b.jpg", 9, 9, "b", project_id="fruit")])
    assert search.searched_by_words(empty) == "titles, project names and file names of 2 images"
    empty.close()


def test_a_listing_by_words_follows_the_names(workspace: Workspace) -> None:
    query = Query(words="quinces", sort="found")
    assert list_images(workspace, query).rows.tolist() == []
    image = workspace.catalogue.image(17)
    workspace.catalogue.update_details({image.uri: {"title": "Quince"}})
    assert list_images(workspace, query).rows.tolist() == [17]
    assert list_images(workspace, Query(words="?!")).notes == ("“?!” has no word to look for. Type letters or digits.",)


def test_a_search_by_image_finds_similar_images_and_not_itself(workspace: Workspace) -> None:
    expected = best(cosines(workspace, vectors_of(workspace)[17])[0], 9, (17,))
    assert search.by_image(workspace, 17, 9).tolist() == expected


def test_an_uploaded_copy_finds_its_original(workspace: Workspace) -> None:
    content = workspace.catalogue.image(17).path.read_bytes()
    assert search.by_image(workspace, content, 3)[0] == 17


@pytest.mark.parametrize("how", ["mean", "max"])
def test_several_examples_find_images_similar_to_all_or_to_any(workspace: Workspace, how) -> None:
    likeness = cosines(workspace, vectors_of(workspace)[[2, 60, 90]])
    together = likeness.mean(axis=0) if how == "mean" else likeness.max(axis=0)
    assert search.by_images(workspace, [60, 2, 90, 2], 12, how=how).tolist() == best(together, 12, (2, 60, 90))


def test_an_impossible_search_is_rejected_with_the_reason(workspace: Workspace, tmp_path: Path) -> None:
    for rows, kind, words in (
        ([], BamError, "between 1 and 64"),
        (range(65), BamError, "between 1 and 64"),
        ([120], NotFound, "no row"),
        ([-1], NotFound, "no row"),
    ):
        with pytest.raises(kind, match=words):
            search.by_images(workspace, rows)
    workspace.vectors().replace([5], np.zeros((1, vectors_of(workspace).shape[1]), np.float16))
    with pytest.raises(EmbeddingError, match="no vector"):
        search.by_images(workspace, [5])
    empty = Workspace(tmp_path / "empty", tmp_path / "cache")
    empty.catalogue.add([NewImage("/a.jpg", 9, 9, "a")])
    with pytest.raises(EmbeddingError, match="Embed the collection first"):
        search.by_images(empty, [0])
    empty.close()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"no picture at all", "cannot be used for a search"),
        (file_of(Image.effect_noise((80, 60), 60))[:900], "cannot be used for a search"),
        (b"\0" * (search.MAX_BYTES + 1), "the limit is 67"),
    ],
)
def test_an_unreadable_image_file_is_rejected(workspace: Workspace, content: bytes, words: str) -> None:
    with pytest.raises(EmbeddingError, match=words):
        search.image_vector(workspace, content)
    with pytest.raises(EmbeddingError, match=words):
        uploads.save(workspace, content)


def test_an_uploaded_image_is_stored_and_similar_ones_are_listed(workspace: Workspace) -> None:
    content = workspace.catalogue.image(17).path.read_bytes()
    stored = uploads.save(workspace, content)
    assert uploads.save(workspace, content) == stored
    result = uploads.upload_of(workspace, stored)
    assert np.array_equal(result.vector, search.image_vector(workspace, content))
    assert max(Image.open(io.BytesIO(result.picture)).size) <= workspace.thumbnails.size
    rows = list_images(workspace, Query(upload=stored, sort="found")).rows
    assert rows.tolist() == search.by_image(workspace, content, 1000).tolist()


def test_another_encoder_or_a_damaged_file_asks_for_the_picture_again(
    workspace: Workspace, clip_checkpoint: Path
) -> None:
    stored = uploads.save(workspace, file_of(Image.effect_noise((80, 60), 60)))
    (file,) = workspace.cache.glob("uploads/*/*.npz")
    whole = file.read_bytes()
    file.write_bytes(whole[:100])
    with pytest.raises(NotFound, match="Upload it again"):
        uploads.upload_of(workspace, stored)
    file.write_bytes(whole)
    assert len(uploads.upload_of(workspace, stored).picture)
    workspace.choose_encoder("openclip:small-test", clip_checkpoint)
    with pytest.raises(NotFound, match="Upload it again"):
        uploads.upload_of(workspace, stored)


def test_only_the_last_uploads_are_stored(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_UPLOADS", 2)
    ids = [uploads.save(workspace, file_of(Image.new("RGB", (40, 30), colour))) for colour in ("red", "tan", "navy")]
    with pytest.raises(NotFound):
        uploads.upload_of(workspace, ids[0])
    for stored in ids[1:]:
        uploads.upload_of(workspace, stored)


def test_the_ranking_is_by_score_and_search_finds_names(played: Workspace, watercolor: Attribute) -> None:
    scores = scores_of(played, watercolor)
    order = search.ranking(played, watercolor)
    assert sorted(order) == list(range(len(scores)))
    assert (np.diff(scores[order]) <= 0).all()
    image = played.catalogue.image(7)
    assert 7 in search.find(played, Path(image.uri).stem).rows
