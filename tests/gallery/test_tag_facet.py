"""The facet of tags: a gallery lists the images that have a tag, and its counts are the lengths of those listings."""

import numpy as np

from bam_engine.gallery.counts import facet_counts
from bam_engine.gallery.listing import list_images
from bam_engine.gallery.query import Query, from_json
from bam_engine.gallery.tag_facet import tags_at
from bam_engine.workspace import Workspace


def listed(workspace: Workspace, *tags: str) -> list[int]:
    return list_images(workspace, Query(tag=tags, sort="oldest")).rows.tolist()


def counts(workspace: Workspace, query: Query | None = None) -> dict[str, int]:
    return facet_counts(workspace, query or Query(), ["tag"])["tag"]


def test_a_gallery_lists_the_images_that_have_one_of_the_tags(workspace: Workspace) -> None:
    workspace.tags.add([3, 8, 20], "odd")
    workspace.tags.add([8, 30], "to check")
    assert listed(workspace, "odd") == [3, 8, 20]
    assert listed(workspace, "odd", "to check") == [3, 8, 20, 30]
    assert listed(workspace, "never there") == []
    assert counts(workspace) == {tag: len(listed(workspace, tag)) for tag in ("odd", "to check")}
    query = Query(tag=("to check",))
    assert counts(workspace, query) == {"odd": 3, "to check": 2}, "its own condition is not applied"
    assert from_json(query.json()) == query


def test_what_is_listed_and_counted_follows_each_tag(workspace: Workspace) -> None:
    workspace.tags.add([3, 8], "odd")
    assert (listed(workspace, "odd"), counts(workspace)) == ([3, 8], {"odd": 2})
    workspace.tags.add([9], "odd")
    assert (listed(workspace, "odd"), counts(workspace)) == ([3, 8, 9], {"odd": 3})
    workspace.tags.remove([3], "odd")
    assert (listed(workspace, "odd"), counts(workspace)) == ([8, 9], {"odd": 2})
    workspace.removals.remove([8], reason="a test")
    assert (listed(workspace, "odd"), counts(workspace)) == ([9], {"odd": 1})


def test_the_tags_of_some_images_are_found_by_their_place(workspace: Workspace) -> None:
    workspace.tags.add([3, 8], "odd")
    workspace.tags.add([8], "a talk")
    assert tags_at(workspace, np.array([8, 5, 3])) == {0: ["a talk", "odd"], 2: ["odd"]}
