"""The certifications of an attribute, summarised for reports."""

from dataclasses import dataclass

from bam_engine.annotation import Attribute
from bam_engine.training import certification, certification_population, certification_store
from bam_engine.workspace.core import Workspace


@dataclass(frozen=True)
class CertificationSummary:
    """A certification as a report shows it: its plan, what it queried, and how far it got.

    ``batches`` are the sizes of the batches, the ``pilot`` first; ``labels`` of these images are labelled. The
    guarantee covers ``population`` images, which had no label and could be looked at; ``left_out`` further ones had no
    readable file (None where nobody counted them). ``absent`` images of the population cannot be looked at any more and
    count as not positive. ``cuts`` are tested strictest first, and unknown until the pilot is
    labelled; ``passed`` of them have passed. The last of these is ``certified`` and accepts ``accepted`` images.
    """

    made_at: str
    model_id: int
    target: float
    confidence: float
    planned: int
    seed: int
    population: int
    left_out: int | None
    absent: int
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
    summaries = []
    for each in certification_store.certifications(workspace, attribute):
        state = certification.state(workspace, each)
        summaries.append(
            CertificationSummary(
                made_at=each.made_at,
                model_id=each.model_id,
                target=each.target,
                confidence=each.confidence,
                planned=each.planned,
                seed=each.seed,
                population=certification_population.population_size(workspace, each),
                left_out=each.left_out,
                absent=state.absent,
                batches=each.batches,
                labels=state.batch.answered,
                cuts=state.certification.cuts,
                passed=0 if state.progress is None else state.progress.n_passed,
                certified=state.certified,
                accepted=0 if state.progress is None else state.progress.accepted,
                evidence=state.summary,
            )
        )
    return tuple(summaries)
