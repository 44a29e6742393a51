"""What the certifications of an attribute asked and what came of them, for whoever has to trust it.

Wires ``certification`` to lines of a report. Nothing is drawn or asked here.
"""

from dataclasses import dataclass

from bam_engine.annotation import Attribute
from bam_engine.training import certification
from bam_engine.workspace.core import Workspace


@dataclass(frozen=True)
class CertificationSummary:
    """One certification: how it was planned, what it asked, how far it came.

    ``batches`` are how many images each batch asked, the ``pilot`` first, ``labels`` how many are answered by now.
    ``population`` images is what it promises about. ``cuts`` are those that are tested, strict to loose, none before
    the pilot is labelled; ``passed`` of them have passed, the last is ``certified`` and accepts ``accepted`` images.
    """

    made_at: str
    model_id: int
    target: float
    confidence: float
    planned: int
    seed: int
    population: int
    batches: tuple[int, ...]
    labels: int
    cuts: tuple[float, ...]
    passed: int
    certified: float | None
    accepted: int
    evidence: str

    @property
    def pilot(self) -> int:
        return self.batches[0] if self.batches else 0


def history(workspace: Workspace, attribute: Attribute) -> tuple[CertificationSummary, ...]:
    """Return the certifications of ``attribute``, oldest first, those of older models among them."""
    lines = []
    for found in certification.certifications(workspace, attribute):
        now = certification.state(workspace, found)
        lines.append(
            CertificationSummary(
                made_at=found.made_at,
                model_id=found.model_id,
                target=found.target,
                confidence=found.confidence,
                planned=found.planned,
                seed=found.seed,
                population=certification.population_size(workspace, found),
                batches=found.batches,
                labels=now.task.answered,
                cuts=now.certification.cuts,
                passed=0 if now.progress is None else now.progress.n_passed,
                certified=now.certified,
                accepted=0 if now.progress is None else now.progress.accepted,
                evidence=now.evidence,
            )
        )
    return tuple(lines)
