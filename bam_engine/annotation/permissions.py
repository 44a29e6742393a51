"""Who may answer: people in any workspace, simulated annotators in a demo workspace only."""

from collections.abc import Collection

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
    check_authors(engine, (annotator_id,))


def check_authors(engine: sa.Engine, annotator_ids: Collection[int]) -> None:
    """Refuse answers of several annotators if one of them is simulated, outside a demo workspace."""
    for author in snapshot_of(engine).rows(annotators):
        if author.simulated and author.id in annotator_ids:
            check_may_answer(engine, author.name)
