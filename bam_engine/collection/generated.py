"""Which workspace holds generated pictures, and the wall between those and real ones.

In:  the database, the head of a file. Out: the mark of a demo workspace, set once and for good, and whether a file is a
picture that this program drew. A demo workspace holds generated pictures alone, any other none; ``Catalogue.add`` asks
here in the transaction that adds.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from bam_engine.database import images, lock, now, read_setting, settings
from bam_engine.errors import CollectionError

KEY = "demo"  # the setting that marks a workspace
MARK = b'"is": "generated: '  # in the comment at the head of every picture that the demo draws
HEAD = 4096  # bytes of a file in which the mark is looked for

MAKE_DEMO = 'Press "Try the demo" on the first page of an empty workspace, or run `python -m bam_engine demo`'
OTHER_WORKSPACE = "name another workspace with BAM_WORKSPACE"


@dataclass(frozen=True)
class Demo:
    """The mark of a demo workspace: what was asked for, and where its pictures are drawn to."""

    count: int
    seed: int
    folder: Path
    made_at: str


def demo_of(engine: sa.Engine) -> Demo | None:
    """Return the mark of a demo workspace, or None for one of real images."""
    return _read(read_setting(engine, KEY))


def is_demo(engine: sa.Engine) -> bool:
    """Return whether the workspace holds generated pictures."""
    return demo_of(engine) is not None


def mark_demo(engine: sa.Engine, *, count: int, seed: int, folder: Path) -> Demo:
    """Mark the workspace as a demo, or ask for more works of the one that it is; return the mark.

    Raises
    ------
    CollectionError
        It holds real images, or the demo of another seed.
    """
    with engine.begin() as connection:
        lock(connection, images)
        before = _marked(connection)
        there = int(connection.scalar(sa.select(sa.func.count()).select_from(images)) or 0)
        if before is None and there:
            raise CollectionError(
                f"a demo was asked for in a workspace that holds {there:,} real images; generated ones never mix with "
                f"them. For the demo, {OTHER_WORKSPACE}."
            )
        if before is not None and before.seed != seed:
            raise CollectionError(
                f"a demo with seed {seed} was asked for, and this workspace holds the one with seed {before.seed}. Ask "
                f"for that one, or {OTHER_WORKSPACE}."
            )
        made = Demo(max(count, before.count if before else 0), seed, folder, before.made_at if before else now())
        value = {"count": made.count, "seed": seed, "folder": str(folder), "made_at": made.made_at}
        connection.execute(sa.delete(settings).where(settings.c.key == KEY))
        connection.execute(sa.insert(settings).values(key=KEY, value=json.dumps(value)))
    return made


def check_kind(connection: sa.Connection, generated: list[str], real: list[str]) -> None:
    """Refuse generated pictures (their paths) outside a demo workspace, and real ones within.

    Raises
    ------
    CollectionError
        Says which file, what the workspace holds, and what to do.
    """
    demo = _marked(connection)
    if demo is None and generated:
        raise CollectionError(
            f"{generated[0]} is generated, drawn by this program for its demo, and this workspace is for real images: "
            f"they never mix. Leave it out. {MAKE_DEMO} with a workspace of its own."
        )
    if demo is not None and real:
        raise CollectionError(
            f"{real[0]} is a real image, and this workspace holds a demo of {demo.count:,} generated ones: they never "
            f"mix. For your images, {OTHER_WORKSPACE}."
        )


def is_generated(head: bytes) -> bool:
    """Return whether the first bytes of a file say that this program drew it."""
    return MARK in head[:HEAD]


def _marked(connection: sa.Connection) -> Demo | None:
    text = connection.scalar(sa.select(settings.c.value).where(settings.c.key == KEY))
    return None if text is None else _read(json.loads(text))


def _read(stored: dict[str, object] | None) -> Demo | None:
    if stored is None:
        return None
    return Demo(
        int(str(stored["count"])), int(str(stored["seed"])), Path(str(stored["folder"])), str(stored["made_at"])
    )
