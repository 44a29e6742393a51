"""Fifty annotators at once, in two processes: no image gets a vote too many, nobody an image twice, nothing is lost."""

from pathlib import Path

import pytest

from benchmarks import annotating


@pytest.mark.slow
def test_fifty_annotators_answer_every_image_as_often_as_it_needs(database_url: str, tmp_path: Path) -> None:
    place = annotating.Place(tmp_path, database_url)
    annotating.prepare(place, 300)
    work, _ = annotating.annotate_together(place)
    assert annotating.faults(place, work.uids) == {"lost": 0, "doubled": 0, "beyond": 0, "unanswered": 0}
    assert len(set(work.uids)) == len(work.uids)
