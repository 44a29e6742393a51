"""How many images are asked about: sizes that follow the collection, and what an attribute costs in answers."""

from dataclasses import dataclass

from bam_engine.audit import audits
from bam_engine.formatting import count
from bam_engine.training import querying, rounds, validation

MOST_ROUNDS = 8
"""Rounds after which none is asked for, though no threshold may reach the target."""

CERTIFICATION = 150
"""Images that a certification plans to ask about, in a large collection."""


@dataclass(frozen=True)
class Sizes:
    """Numbers of images: of the validation sample, of a round, of the certification, of each side of an audit.

    What is certified needs no proof, so its audit is a check: of ``check`` images of each side.
    """

    validation: int
    batch: int
    certification: int
    each: int
    check: int

    def labelled(self, images: int) -> int:
        """Return how many images an attribute asks about at most: all that :meth:`cost` names."""
        judging = self.validation + self.certification + 2 * self.check
        return min(judging + rounds.DEFAULT_ROUNDS * self.batch, images)

    def answers(self, images: int, *, votes: int = 1, judges: int = 1) -> int:
        """Return how many answers that takes, with ``votes`` for an image of a round and ``judges`` for the others."""
        teaching = min(rounds.DEFAULT_ROUNDS * self.batch, images)
        return votes * teaching + judges * (self.labelled(images) - teaching)

    def cost(self, images: int, *, votes: int = 1, judges: int = 1) -> str:
        """Return that in a sentence.

        Examples
        --------
        >>> answers, _, images = sizes(2000).cost(2000).partition(": ")
        >>> answers
        'It takes about 650 answers'
        >>> images  # doctest: +ELLIPSIS
        '60 images for validation, 4 rounds of 100, a certification of 150 and an audit of 40. Fewer rounds may do, ...'
        >>> sizes(60).cost(60, judges=2)
        'It takes about 80 answers: nearly all of the 60 images are labelled.'
        """
        answers = f"It takes about {count(self.answers(images, votes=votes, judges=judges), 'answer')}"
        if self.labelled(images) > 0.9 * images:
            return f"{answers}: nearly all of the {count(images, 'image')} are labelled."
        return (
            f"{answers}: {count(self.validation, 'image')} for validation, {rounds.DEFAULT_ROUNDS} rounds of "
            f"{self.batch:,}, a certification of {self.certification:,} and an audit of {2 * self.check:,}. Fewer "
            f"rounds may do, and up to {MOST_ROUNDS} are asked for where they help."
        )


def sizes(n: int, *, sample: int = validation.SAMPLE_SIZE) -> Sizes:
    """Return the default sizes for a collection of ``n`` images, smaller for a small one; ``sample`` at the most.

    Examples
    --------
    >>> sizes(2000)
    Sizes(validation=60, batch=100, certification=150, each=100, check=20)
    >>> sizes(300)
    Sizes(validation=60, batch=15, certification=75, each=30, check=6)
    """
    each = min(audits.IMAGES_PER_SIDE, max(10, n // 10))
    return Sizes(
        validation=min(sample, max(10, n // 5)),
        batch=min(querying.BATCH_SIZE, max(10, n // 20)),
        certification=min(CERTIFICATION, n // 4),
        each=each,
        check=max(5, each // 5),
    )
