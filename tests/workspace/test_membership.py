"""A removed image is asked, shown, counted and exported no more, anywhere, and comes back with all that is known."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bam_engine import Collection
from bam_engine.annotation import Attribute, NewAnswer
from bam_engine.audit import audits
from bam_engine.errors import BamError, NotFound
from bam_engine.gallery import search, selections
from bam_engine.gallery.counts import facet_counts
from bam_engine.gallery.listing import list_images
from bam_engine.gallery.query import Query
from bam_engine.labelling import agreement, assigning, bulk, tasks
from bam_engine.labelling.drawn_images import held_out_rows
from bam_engine.maps import layout_builder, places
from bam_engine.maps.view_cache import current_view
from bam_engine.reporting.export import gather
from bam_engine.reporting.overview import overview
from bam_engine.training import querying, thresholds, validation
from bam_engine.training.delivered import Reason, delivered_of
from bam_engine.training.models import scores_of
from bam_engine.workspace import Workspace
from bam_engine.workspace.membership import count_images, member_rows, missing_member_rows, rows_at
from bam_engine.workspace.vectors import embedded_rows, neighbours
from tests.conftest import Oracle

OUT = np.array([2, 5, 7, 11, 30, 31, 32, 60, 61, 119])


@pytest.fixture
def trained(workspace: Workspace, oracle: Oracle) -> tuple[Workspace, Attribute]:
    """A workspace with a sample, a round, a threshold, a bulk answer and an audit."""
    attribute = workspace.attributes.add("media_watercolor", "media", "Is it a watercolour?")
    oracle.play(workspace, attribute, count=1, batch=20)
    thresholds.save(workspace, attribute, thresholds.suggest(workspace, attribute, target=0.6))
    oracle.answer(workspace, audits.draw(workspace, attribute, n_accepted=8, n_rejected=8, seed=1).task)
    bulk.answer(workspace, attribute, range(120), 0, annotator="Bo")
    return workspace, attribute


def seen(workspace: Workspace, attribute: Attribute) -> dict[str, set[int]]:
    """Return the rows that each part of the product works with."""
    name, n = attribute.name, len(workspace.catalogue)
    exported = {workspace.catalogue.row_of(image.uri) for image in gather(workspace).images}
    reasons = delivered_of(workspace, attribute).reasons
    return {
        "members": set(member_rows(workspace).tolist()),
        "vectors": set(embedded_rows(workspace).tolist()),
        "scores": set(np.flatnonzero(np.isfinite(scores_of(workspace, attribute))).tolist()),
        "decisions": set(np.flatnonzero(reasons != Reason.REMOVED).tolist()),
        "gallery": set(list_images(workspace, Query()).rows.tolist()),
        "unlabelled": set(list_images(workspace, Query(attribute=name, label=("unlabelled",))).rows.tolist()),
        "accepted": set(list_images(workspace, Query(attribute=name, place="accepted")).rows.tolist()),
        "words": set(search.by_words(workspace, "watercolor", n).tolist()),
        "ranking": set(search.ranking(workspace, attribute).tolist()),
        "random": set(search.random_rows(workspace, n)),
        "neighbours": {row for row, _ in neighbours(workspace, 0, n)},
        "selection": set(selections.rows_of(workspace, selections.save(workspace, range(n))).tolist()),
        "labels": set(tasks.labels(workspace, attribute).rows.tolist()),
        "bulk": set(bulk.current_answers(workspace, attribute)[0].tolist()),
        "pool": set(querying.query_pool(workspace, attribute).tolist()),
        "training": set(querying.training_labels(workspace, attribute)[0].tolist()),
        "validation": set(tasks.validation_task(workspace, attribute).rows.tolist()),
        "sample": set(validation.random_sample(workspace, attribute).rows.tolist()),
        "audit": set(audits.results(workspace, attribute)[-1].task.rows.tolist()),
        "exported": {row for row in exported if row is not None},
    }


def test_a_removed_image_is_nowhere_and_comes_back_everywhere(trained: tuple[Workspace, Attribute]) -> None:
    workspace, attribute = trained
    before = seen(workspace, attribute)
    held_out = held_out_rows(workspace, attribute)
    removal = workspace.removals.remove(OUT, reason="a test")
    after, gone = seen(workspace, attribute), set(OUT.tolist())
    for part, rows in before.items():
        if part not in ("pool", "training"):
            assert after[part] == rows - gone, part
        assert not after[part] & gone, part
    assert np.array_equal(held_out_rows(workspace, attribute), held_out)
    workspace.removals.undo(removal.id)
    assert seen(workspace, attribute) == before


def test_counts_are_those_of_the_collection(trained: tuple[Workspace, Attribute]) -> None:
    workspace, attribute = trained
    workspace.removals.remove(OUT, reason="a test")
    state = overview(workspace)
    assert (state.images, state.embedded) == (110, 110)
    assert count_images(workspace, 60) == 60 - int((OUT < 60).sum())
    listing = list_images(workspace, Query(attribute=attribute.name))
    assert (listing.n, listing.matched) == (110, 110)
    counts = facet_counts(workspace, Query(attribute=attribute.name), ["place", "label"])
    assert counts["place"]["all"] == 110
    labels = counts["label"]
    assert sum(number for state, number in labels.items() if state != "disagreed") == 110


def test_every_table_of_an_export_names_images_of_the_collection(trained: tuple[Workspace, Attribute]) -> None:
    workspace, _ = trained
    whole = gather(workspace)
    workspace.removals.remove(OUT, reason="a test")
    dataset = gather(workspace)
    inside = member_rows(workspace)

    def by_uri(data, positions):
        return {data.images[position].uri: value for position, value in positions.items()}

    kept = {image.uri for image in dataset.images}
    (old,), (new,) = whole.attributes, dataset.attributes
    assert by_uri(dataset, new.crowd) == {uri: word for uri, word in by_uri(whole, old.crowd).items() if uri in kept}
    assert np.array_equal(new.scores, old.scores[inside], equal_nan=True)

    def choices(data, record):
        return {(hit.annotator, data.images[one.image].uri, one.answer) for hit in record.hits for one in hit.choices}

    assert choices(dataset, new) == {one for one in choices(whole, old) if one[1] in kept}


def test_an_open_assignment_is_renewed_without_the_removed_image_and_late_answers_are_kept(
    workspace: Workspace,
) -> None:
    attribute = workspace.attributes.add("kite", "own", "Is there a kite?")
    validation.draw_validation(workspace, attribute, 10, seed=1)
    task = tasks.validation_task(workspace, attribute)
    assignment = assigning.open_task(workspace, task, "Anna")
    first = assignment.rows[0]
    workspace.removals.remove([first], reason="one")
    task = tasks.validation_task(workspace, attribute)
    assert assigning.open_task(workspace, task, "Anna").rows == assignment.rows[1:]
    workspace.annotations.record(assignment.id, [NewAnswer("late", first, 1)])
    assert len(tasks.labels(workspace, attribute).rows) == 0
    assert agreement.measure(workspace, attribute).answered == 0
    workspace.removals.bring_back([first])
    assert tasks.labels(workspace, attribute).rows.tolist() == [first]


def test_a_map_shows_the_images_of_the_collection_and_keeps_the_places_of_the_others(workspace: Workspace) -> None:
    record = layout_builder.build(workspace, method="pca", seed=1)
    before = places.places_of(workspace, record.id, OUT)
    density = current_view(workspace, record.id).version_of("density")
    removal = workspace.removals.remove(OUT, reason="a test")
    view = current_view(workspace, record.id, fresh=True)
    assert sorted(view.source.rows.tolist()) == member_rows(workspace).tolist()
    assert view.version_of("density") != density
    assert np.isnan(places.places_of(workspace, record.id, OUT)).all()
    assert layout_builder.count_unplaced(workspace, record) == 0
    layout_builder.extend(workspace, record.id)
    workspace.removals.undo(removal.id)
    assert len(current_view(workspace, record.id, fresh=True)) == 120
    assert np.array_equal(places.places_of(workspace, record.id, OUT), before)


def test_images_are_named_by_their_path_or_folder(workspace: Workspace, tmp_path: Path) -> None:
    uris = workspace.catalogue.uris()
    assert rows_at(workspace, uris[3]).tolist() == [3]
    folder = Path(uris[3]).parent
    below = [row for row, uri in enumerate(uris) if Path(uri).is_relative_to(folder)]
    assert rows_at(workspace, folder).tolist() == below
    (tmp_path / "link").symlink_to(folder)
    assert rows_at(workspace, tmp_path / "link").tolist() == below
    with pytest.raises(NotFound, match="No image"):
        rows_at(workspace, f"{folder}x")
    with pytest.raises(BamError, match="empty"):
        rows_at(workspace, " ")


def test_images_with_missing_files_are_found(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    uris = workspace.catalogue.uris()
    real: Callable[..., object] = os.stat

    def stat(path: str, **options: bool) -> object:
        if str(path) in (uris[4], uris[6]):
            raise FileNotFoundError(2, "No such file")
        return real(path, **options)

    monkeypatch.setattr(os, "stat", stat)
    workspace.removals.remove([6], reason="one")
    assert missing_member_rows(workspace).tolist() == [4]


def test_the_python_interface_counts_and_lists_the_collection(trained: tuple[Workspace, Attribute]) -> None:
    workspace, attribute = trained
    with Collection(workspace.folder, workspace.cache.parent) as bam:
        assert bam.remove_images(OUT.tolist()) == len(OUT)
        assert len(bam) == len(bam.images()) == 110
        assert not set(bam.images().index) & set(OUT.tolist())
        assert len(bam.embeddings()) == 120
        scores = bam.attribute(attribute.name).scores()
        assert list(scores.index) == list(bam.images().index)
        assert list(bam.attribute(attribute.name).decisions().index) == list(bam.images().index)
        assert json.dumps(len(bam.attribute(attribute.name).labels()))
        assert bam.return_images(OUT.tolist()) == len(OUT)
        assert len(bam) == 120
