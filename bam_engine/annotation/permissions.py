"""Who may answer: people anywhere, simulated annotators in a demo workspace alone."""

import sqlalchemy as sa

from bam_engine.collection.generated import MAKE_DEMO, is_demo
from bam_engine.database import annotators
from bam_engine.errors import AnnotationError


def check_may_answer(engine: sa.Engine, name: str) -> None:
    """Refuse a simulated annotator outside a demo workspace."""
    if not is_demo(engine):
        raise AnnotationError(
            f"the simulated annotator {name!r} was to answer, and this workspace is for real images, where people "
            f"alone answer: simulated labels never mix with theirs. {MAKE_DEMO} with a workspace of its own."
        )


def check_author(engine: sa.Engine, annotator_id: int) -> None:
    """Refuse answers of a simulated annotator outside a demo workspace."""
    query = sa.select(annotators.c.name, annotators.c.simulated).where(annotators.c.id == annotator_id)
    with engine.connect() as connection:
        found = connection.execute(query).one_or_none()
    if found is not None and found.simulated:
        check_may_answer(engine, found.name)
