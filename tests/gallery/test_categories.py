"""Projects, licences and formats: read once, cached, extended, and counted."""

import numpy as np
import pytest

from bam_engine.collection import NewImage
from bam_engine.errors import BamError
from bam_engine.gallery.categories import UNKNOWN, categories, category_counts, category_mask, format_of
from bam_engine.workspace import Workspace


def values_of(workspace: Workspace, kind: str) -> list[str | None]:
    known = categories(workspace, kind)
    return [known.names[code] or None for code in known.codes]


def test_projects_are_cached_and_follow_a_change(workspace: Workspace) -> None:
    names = [workspace.catalogue.image(row).project_id for row in range(120)]
    assert values_of(workspace, "project") == names
    workspace.memory.clear()
    assert values_of(workspace, "project") == names
    more = ["a new one", None, names[0]]
    workspace.catalogue.add([NewImage(f"/{k}.jpg", 9, 9, f"n{k}", project_id=name) for k, name in enumerate(more)])
    assert values_of(workspace, "project") == [*names, *more]
    assert category_mask(workspace, "project", ["a new one"], 123).nonzero()[0].tolist() == [120]
    workspace.catalogue.update_details({workspace.catalogue.image(0).uri: {"project_id": "another one"}})
    assert category_mask(workspace, "project", ["another one"], 120).nonzero()[0].tolist() == [0]
    counts = category_counts(workspace, "project", np.ones(123, bool))
    assert counts["another one"] == 1
    assert sum(counts.values()) == 123


def test_a_licence_is_that_of_the_details_and_unknown_without_one(workspace: Workspace) -> None:
    uris = [workspace.catalogue.image(row).uri for row in (3, 7)]
    workspace.catalogue.update_details({uri: {"license": "CC BY 4.0"} for uri in uris})
    assert category_mask(workspace, "licence", ["CC BY 4.0"], 120).nonzero()[0].tolist() == [3, 7]
    counts = category_counts(workspace, "licence", np.ones(120, bool))
    assert (counts["CC BY 4.0"], sum(counts.values())) == (2, 120)
    workspace.catalogue.add([NewImage("/new.jpg", 9, 9, "new")])
    assert category_mask(workspace, "licence", [UNKNOWN], 121).nonzero()[0].tolist() == [120]


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("/a/pear.jpg", "JPEG"),
        ("/a/pear.JPEG", "JPEG"),
        ("/a/pear.tif", "TIFF"),
        ("/a/pear.png#sha256=0f.jpg", "PNG"),
        ("/a.b/pear", None),
        ("/a/.png", None),
    ],
)
def test_the_format_is_that_of_the_ending_of_the_name(uri: str, name: str | None) -> None:
    assert format_of(uri) == name


def test_a_value_that_no_image_has_is_refused(workspace: Workspace) -> None:
    with pytest.raises(BamError, match="no licence 'CC0'"):
        category_mask(workspace, "licence", ["CC0"], 120)
