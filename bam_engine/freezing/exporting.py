"""The dataset of a snapshot as files: what an export would have written then."""

from pathlib import Path
from typing import Any

import numpy as np

from bam_engine import database as db
from bam_engine.errors import BamError
from bam_engine.formatting import count
from bam_engine.freezing.contents import AttributeContents, contents_of
from bam_engine.freezing.snapshots import get, opened
from bam_engine.progress import Report, silent
from bam_engine.reporting.export import export
from bam_engine.workspace.core import Workspace

_TOLERANCE = 1e-3
"""How far scores may differ that processors of two kinds work out from the same vectors."""


def export_snapshot(
    workspace: Workspace, name: str, target: Path, *, form: str, report: Report = silent, **options: Any
) -> list[Path]:
    """Write the dataset of a snapshot to ``target`` and return the files; ``options`` are those of ``export``.

    Its scores come from the vectors that the workspace has, so it is checked first that they decide about every image
    as was decided then, and score a sample of the images as they did.

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
            found = _differing(then, now)
            if found:
                raise BamError(
                    f"The snapshot {name} cannot be exported: {found} of {then.facts.name} than then. Embed the "
                    f"collection with {then.facts.encoder or 'its encoder'} first."
                )
        paths = export(frozen, target, form=form, report=report, **options)
    db.log_export(workspace.engine, f"the snapshot {name} to {target}")
    return paths


def _differing(then: AttributeContents, now: AttributeContents) -> str:
    """Say what the vectors that there are tell otherwise; "" where it is the same."""
    decided = int((then.reasons != now.reasons).sum())
    if decided:
        return f"the vectors that there are decide otherwise about {count(decided, 'image')}"
    if not len(then.sampled_scores):  # no classifier, or a snapshot that keeps no scores
        return ""
    same = np.isclose(then.sampled_scores, now.sampled_scores, rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True)
    scored = int((~same).sum())
    return f"the vectors that there are give other scores to {scored:,} of {len(same):,} images" if scored else ""
