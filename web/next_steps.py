"""Where each step of the engine's guidance is taken: the label of its button, and the page that it opens."""

from dataclasses import dataclass

from bam_engine.guidance.guidance import Guidance


@dataclass(frozen=True)
class Direction:
    """A step as shown on a page: a sentence, the label of the button, and the page that it opens."""

    text: str
    action: str
    page: str
    attribute: str | None


_WAYS = {
    "add_images": ("Add a folder of images", "images"),
    "embed": ("Compute embeddings", "embed"),
    "add_attribute": ("Define the first attribute", "attributes"),
    "draw_validation": ("Create validation sample", "rounds"),
    "label_validation": ("Label the validation sample", "annotate"),
    "start_round": ("Start the next round", "rounds"),
    "label_round": ("Label the round", "annotate"),
    "train": ("Train the model", "rounds"),
    "diagnose": ("See the likely causes", "rounds"),
    "decide": ("Choose a threshold", "threshold"),
    "certify": ("Certify the threshold", "threshold"),
    "label_certification": ("Label the certification batch", "annotate"),
    "extend": ("Extend the guarantee", "threshold"),
    "label_extension": ("Label the images that came later", "annotate"),
    "audit": ("Start audit", "audit"),
    "label_audit": ("Label the audit", "annotate"),
    "measure_recall": ("Measure the recall", "threshold"),
    "label_recall": ("Label the sample", "annotate"),
    "done": ("View report", "report"),
}
_ALL_DONE = ("Export the dataset", "export")


def direct(guidance: Guidance) -> Direction:
    """Return where a step is taken.

    Examples
    --------
    >>> from bam_engine.guidance.guidance import Guidance
    >>> direct(Guidance("label_round", "4 of 10 images are labelled.", "media_watercolor", round=2)).text
    'Label round 2 of “watercolor (media)”. 4 of 10 images are labelled.'
    """
    everything = guidance.step == "done" and guidance.attribute is None
    action, page = _ALL_DONE if everything else _WAYS[guidance.step]
    return Direction(guidance.summary, action, page, guidance.attribute)


def action(step: str) -> str:
    """Return the label of the button for a step of one attribute.

    Examples
    --------
    >>> action("train")
    'Train the model'
    """
    return _WAYS[step][0]


def page_of(step: str) -> str:
    """Return the page on which a step of one attribute is taken.

    Examples
    --------
    >>> page_of("train")
    'rounds'
    """
    return _WAYS[step][1]
