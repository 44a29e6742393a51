"""Who may answer: people in any workspace, simulated annotators in a demo workspace only."""

import sqlalchemy as sa

from bam_engine.collection.generated import DEMO_HINT, is_demo
from bam_engine.database import annotators, snapshot_of
from bam_engine.errors import AnnotationError


def check_may_answer(engine: sa.Engine, name: str) -> None:
    """Refuse a simulated annotator outside a demo workspace."""
    if not is_demo(engine):
        raise AnnotationError(
            f"The simulated annotator {name!r} cannot answer here: this workspace holds real images, and simulated "
            f"labels never mix with those of people. {DEMO_HINT}"
        )


def check_author(engine: sa.Engine, annotator_id: int) -> None:
    """Refuse answers of a simulated annotator outside a demo workspace."""
    for author in snapshot_of(engine).rows_with(annotators.c.id, annotator_id):
        if author.simulated:
            check_may_answer(engine, author.name)
