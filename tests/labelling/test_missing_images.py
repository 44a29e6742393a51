"""Nobody is asked about an image whose file is gone or holds something else, until it is found again."""

import numpy as np

from bam_engine.annotation import Attribute
from bam_engine.collection.records import Place
from bam_engine.labelling import assigning
from bam_engine.labelling.missing_images import missing_image_problems, missing_images
from bam_engine.training import rounds, validation
from bam_engine.training.querying import query_pool
from bam_engine.workspace import Workspace


def test_images_that_are_replaced_or_missing_are_asked_about_no_more(
    workspace: Workspace, watercolor: Attribute
) -> None:
    catalogue = workspace.catalogue
    task = rounds.start_round(workspace, watercolor, count=8, seed=1).task
    replaced, missing = catalogue.images(task.rows[:2])
    others = query_pool(workspace, watercolor)
    left, right = catalogue.images(others[:2])
    catalogue.displace([replaced, left])
    catalogue.mark_missing({image.row: Place(image.uri) for image in (missing, right)})
    assert missing_images(workspace, task.rows).tolist() == [replaced.row, missing.row]
    problems = missing_image_problems(workspace, task.rows)
    assert [problem.uri for problem in problems] == [replaced.uri, missing.uri], "the paths without a mark"
    assert "holds something else" in problems[0].reason
    assert "was not there" in problems[1].reason
    assert workspace.thumbnails.has(replaced.row), "it could be shown"
    handed_out = assigning.open_task(workspace, task, "ada")
    assert handed_out is not None
    assert set(handed_out.rows) == set(task.rows) - {replaced.row, missing.row}
    pool = query_pool(workspace, watercolor)
    assert set(others) - set(pool) == {left.row, right.row}
    drawn = validation.draw_validation(workspace, watercolor, len(pool), seed=1)
    rows = validation.validation_images(workspace, watercolor).rows
    assert drawn == len(rows)
    assert not np.isin([replaced.row, missing.row, left.row, right.row], rows).any()
    catalogue.confirm({missing.row: Place(missing.uri)})
    catalogue.move({replaced.row: Place(replaced.uri)})
    assert len(missing_images(workspace, task.rows)) == 0
