"""How far a certification is: its progress in numbers, and in sentences."""

from dataclasses import dataclass

from bam_engine.formatting import count, decimal, percent, percent_at_least
from bam_engine.labelling import tasks
from bam_engine.learning import CertificationProgress
from bam_engine.training.certification_store import Certification


@dataclass(frozen=True)
class CertificationState:
    """The state of a certification: its progress is None until the pilot is labelled, and without scores.

    ``task`` is the progress of all that people are asked, and ``batch`` of the images that it has asked about, of which
    the next batch awaits the labels. ``in_rounds`` of the images that the next cut needs have meanwhile been queried by
    a round, and are left to it where as many people teach as judge. ``absent`` images of the population cannot be
    looked at any more and count as not positive. ``others`` are the risks of the other certifications of the attribute.
    ``unconfirmed`` images that fewer people than judge have labelled yes are delivered and do not count yet.
    """

    certification: Certification
    task: tasks.TaskState
    batch: tasks.TaskState
    progress: CertificationProgress | None
    in_rounds: int = 0
    absent: int = 0
    others: tuple[float, ...] = ()
    unconfirmed: int = 0

    @property
    def together(self) -> float:
        """The confidence with which all certifications of the attribute hold: the risks of their tests add up."""
        return max(0.0, 1 - self.certification.risk - sum(self.others))

    @property
    def certified(self) -> float | None:
        return None if self.progress is None else self.progress.certified

    @property
    def next_batch(self) -> int:
        """The number of images that :func:`extend` would query now; 0 while some are unlabelled, or at the end."""
        return 0 if self.progress is None or not self.batch.complete else len(self.progress.to_label)

    @property
    def may_pass(self) -> bool:
        """Whether its next cut may pass: labels are awaited, or a further batch is not unlikely to do."""
        progress = self.progress
        if progress is None or progress.next_cut is None:
            return progress is None
        if self.in_rounds or not self.batch.complete:
            return True
        return self.next_batch > 0 and progress.labels_needed is not None

    @property
    def summary(self) -> str:
        """What is certified so far, and what the next cut lacks."""
        target, confidence = percent(self.certification.target), percent_at_least(self.certification.confidence)
        progress = self.progress
        if progress is None and self.certification.cuts:
            return (
                "The encoder of its model has no vectors of these images, so nothing can be tested: embed them with it "
                "again. All labels are kept."
            )
        if progress is None:
            return "The pilot shows where the precision falls. Nothing is certified by it."
        if self.certification.since is not None and progress.certified is None:
            so_far = f"The later images are not covered by the certified precision of {target} yet."
        elif self.certification.since is not None:
            images = count(progress.accepted, "accepted image")
            so_far = f"The certified precision of {target} covers {images} that came later, too."
        elif progress.certified is None:
            so_far = f"No threshold is certified for {target} precision yet."
        else:
            so_far = (
                f"Certified for {target} precision with {confidence} confidence: scores of "
                f"{decimal(progress.certified, 3)} or more. This covers {count(progress.accepted, 'accepted image')} "
                "not labelled or queried when the certification started"
            )
            known = progress.known_positives
            so_far += f", and with them {count(known, 'image')} labelled yes before." if known else "."
        if self.others or self.certification.risk_share < 1:
            so_far += f" It is tested at {percent_at_least(self.certification.tested_at)}."
        if self.others:
            every = "Both" if len(self.others) == 1 else f"All {1 + len(self.others)}"
            so_far += (
                f" {every} certifications of this attribute together hold with "
                f"{percent_at_least(self.together)} confidence."
            )
        if self.absent:
            verb = "counts" if self.absent == 1 else "count"
            so_far += f" {count(self.absent, 'image')} that cannot be looked at any more {verb} as not positive."
        if self.unconfirmed:
            verb, it = ("does", "it") if self.unconfirmed == 1 else ("do", "them")
            so_far += (
                f" {count(self.unconfirmed, 'image')} that fewer people than judge have labelled yes {verb} not count "
                f"before others have confirmed {it}."
            )
        await_ = count(self.in_rounds, "image of these awaits its label", "images of these await their labels")
        waiting = f" {await_} in a round." if self.in_rounds else ""
        return f"{so_far} {self._next}{waiting}".rstrip()

    @property
    def _next(self) -> str:
        progress = self.progress
        if progress is None or progress.next_cut is None:
            return "" if self.certification.since is not None else "All images may be accepted."
        if self.certification.since is not None:
            return self._next_of_later(progress)
        cut = decimal(progress.next_cut, 3)
        verb = "is" if progress.false_positives == 1 else "are"
        labels = f"{progress.false_positives:,} of {count(progress.n, 'label')} there {verb} not positive"
        if progress.labels_needed is None:
            return f"The next threshold, {cut}, is unlikely ever to pass: {labels}."
        more = f"about {count(progress.labels_needed, 'more label')} should suffice at this rate"
        return f"The next threshold, {cut}, is undecided: {labels}; {more}."

    def _next_of_later(self, progress: CertificationProgress) -> str:
        """Say what the test of the later images lacks: its one cut is the threshold in use."""
        verb = "is" if progress.false_positives == 1 else "are"
        labels = f"{progress.false_positives:,} of {count(progress.n, 'label')} among them {verb} not positive"
        if progress.labels_needed is None:
            return f"They are unlikely ever to be: {labels}."
        if not progress.n:
            return f"About {count(progress.labels_needed, 'label')} among them should suffice."
        return f"{labels}; about {count(progress.labels_needed, 'more label')} should suffice."
