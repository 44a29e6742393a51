"""The dataset of a snapshot as files: what an export would have written then."""

from pathlib import Path
from typing import Any

from bam_engine import database as db
from bam_engine.errors import BamError
from bam_engine.freezing.contents import contents_of
from bam_engine.freezing.snapshots import get, opened
from bam_engine.progress import Report, silent
from bam_engine.reporting.export import export
from bam_engine.workspace.core import Workspace


def export_snapshot(
    workspace: Workspace, name: str, target: Path, *, form: str, report: Report = silent, **options: Any
) -> list[Path]:
    """Write the dataset of a snapshot to ``target`` and return the files; ``options`` are those of ``export``.

    Its scores come from the vectors that the workspace has, so it is checked first that they decide about every image
    as was decided then.

    Raises
    ------
    BamError
        There is no such snapshot, it is damaged or of a later version, or its vectors are not there.
    ExchangeError
        As for :func:`bam_engine.reporting.export.export`.
    """
    snapshot = get(workspace, name)
    stored = snapshot.contents()
    with opened(workspace, snapshot.tables) as frozen:
        for then, now in zip(stored.attributes, contents_of(frozen, report=report).attributes, strict=True):
            differing = int((then.reasons != now.reasons).sum())
            if differing:
                raise BamError(
                    f"The snapshot {name} cannot be exported: the vectors that there are decide otherwise about "
                    f"{differing:,} images of {then.facts.name} than was decided then. Embed the collection with "
                    f"{then.facts.encoder or 'its encoder'} first."
                )
        paths = export(frozen, target, form=form, report=report, **options)
    db.log_export(workspace.engine, f"the snapshot {name} to {target}")
    return paths
