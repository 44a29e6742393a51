"""How many images are asked about: sizes that follow the collection, and what an attribute costs in answers."""

from dataclasses import dataclass

from bam_engine.audit import audits
from bam_engine.formatting import count
from bam_engine.training import querying, rounds, validation


@dataclass(frozen=True)
class Sizes:
    """Numbers of images: of the validation sample, of a round, of each side of the audit."""

    validation: int
    batch: int
    each: int

    def labelled(self, images: int) -> int:
        """Return how many images an attribute asks about at most: a sample, four rounds and an audit of both sides."""
        return min(self.validation + rounds.DEFAULT_ROUNDS * self.batch + 2 * self.each, images)

    def answers(self, images: int, *, votes: int = 1, judges: int = 1) -> int:
        """Return how many answers that takes, with ``votes`` for an image of a round and ``judges`` for the others."""
        teaching = min(rounds.DEFAULT_ROUNDS * self.batch, images)
        return votes * teaching + judges * (self.labelled(images) - teaching)

    def cost(self, images: int, *, votes: int = 1, judges: int = 1) -> str:
        """Return that in a sentence.

        Examples
        --------
        >>> sizes(2000).cost(2000)
        'It takes about 660 answers: 60 images for validation, up to 4 rounds of 100, and 200 for the audit.'
        >>> sizes(60).cost(60, judges=2)
        'It takes about 80 answers: nearly all of the 60 images are labelled.'
        """
        answers = f"It takes about {count(self.answers(images, votes=votes, judges=judges), 'answer')}"
        if self.labelled(images) > 0.9 * images:
            return f"{answers}: nearly all of the {count(images, 'image')} are labelled."
        return (
            f"{answers}: {count(self.validation, 'image')} for validation, up to {rounds.DEFAULT_ROUNDS} rounds of "
            f"{self.batch:,}, and {2 * self.each:,} for the audit."
        )


def sizes(n: int, *, sample: int = validation.SAMPLE_SIZE) -> Sizes:
    """Return the default sizes for a collection of ``n`` images, smaller for a small one; ``sample`` at the most.

    Examples
    --------
    >>> sizes(2000)
    Sizes(validation=60, batch=100, each=100)
    >>> sizes(300)
    Sizes(validation=60, batch=15, each=30)
    """
    return Sizes(
        min(sample, max(10, n // 5)),
        min(querying.BATCH_SIZE, max(10, n // 20)),
        min(audits.IMAGES_PER_SIDE, max(10, n // 10)),
    )
