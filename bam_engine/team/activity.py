"""The activity log of a team, for its owners."""

from dataclasses import dataclass

import sqlalchemy as sa

from bam_engine.annotation.annotator_store import Annotators
from bam_engine.database import activity


@dataclass(frozen=True)
class Activity:
    """What somebody did; ``by`` is their name, "" on the command line."""

    by: str
    action: str
    subject: str
    made_at: str


def recent_activity(engine: sa.Engine, *, most: int = 200) -> list[Activity]:
    """Return the last ``most`` entries of the log, the newest first."""
    names = Annotators(engine).names()
    with engine.connect() as connection:
        rows = connection.execute(sa.select(activity).order_by(activity.c.id.desc()).limit(most)).all()
    return [Activity(names.get(row.annotator_id, ""), row.action, row.subject, row.made_at) for row in rows]
