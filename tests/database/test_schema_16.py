"""Schema 16: a pause ended at a time; from 17 on, it ends after an answer."""

from typing import Any

import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.database import open_database
from bam_engine.database.migrating import migrate
from bam_engine.database.migrations import revision_0001

AT = "2026-11-01T{:02}:00:00.000000+00:00"


def test_a_pause_that_has_ended_ends_after_the_last_answer_before_by_the_clock(database_url: str) -> None:
    """Dan could go on after the second of three answers, eve before the first; fay is paused."""
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        revision_0001.metadata.create_all(connection)
        connection.execute(sa.insert(revision_0001.metadata.tables["settings"]).values(key="schema", value="1"))
        migrate(connection, 1, to=16)
        tables = sa.MetaData()
        tables.reflect(connection)

        def add(table: str, /, **values: Any) -> None:
            connection.execute(sa.insert(tables.tables[table]).values(**values))

        for number, name in enumerate(("dan", "eve", "fay"), 1):
            add("annotators", id=number, name=name, simulated=False, made_at=AT.format(0))
        add("attributes", id=1, name="kite", kind="own", question="?", instructions="", made_at=AT.format(0))
        of = {"attribute_id": 1, "annotator_id": 1}
        add("assignments", id="a", **of, purpose="round", source_id=1, made_at=AT.format(0))
        for hour in (1, 2, 3):
            said = {"uid": str(hour), "assignment_id": "a", "row": hour, "answer": "positive"}
            add("annotations", id=hour, **of, **said, made_at=AT.format(hour))
        for who, ended in ((1, "2026-11-01T02:30:00.000000+00:00"), (2, AT.format(0)), (3, None)):
            add("pauses", annotator_id=who, by_rule=who == 1, reason="why", made_at=AT.format(0), resumed_at=ended)
        connection.execute(sa.update(tables.tables["settings"]).values(value="16"))
    engine.dispose()
    migrated = open_database(database_url)
    with migrated.connect() as connection:
        found = connection.execute(sa.select(db.pauses).order_by(db.pauses.c.annotator_id)).all()
    assert [(one.annotator_id, one.by_rule, one.reason, one.resumed_after) for one in found] == [
        (1, True, "why", 2),
        (2, False, "why", 0),
        (3, False, "why", None),
    ]
    migrated.dispose()
