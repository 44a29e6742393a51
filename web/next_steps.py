"""The next step in words: for each step of the engine a sentence, a button label, and the page it leads to."""

from dataclasses import dataclass

from bam_engine.annotation import readable
from bam_engine.formatting import count
from bam_engine.reporting.overview import NextStep


@dataclass(frozen=True)
class Direction:
    """A step as shown on a page: a sentence, the label of the button, and the page that it opens."""

    text: str
    action: str
    page: str
    attribute: str | None


_WORDS = {
    "add_images": ("The collection is empty.", "Add a folder of images", "images"),
    "embed": ("{images} no vectors yet.", "Embed the images", "embed"),
    "add_attribute": ("There are no attributes yet.", "Define the first attribute", "attributes"),
    "draw_validation": ("{name} needs a validation sample.", "Draw a validation sample", "rounds"),
    "label_validation": ("Label the validation sample for {name}.", "Label the validation sample", "annotate"),
    "start_round": ("{name} is ready for its next round.", "Start the next round", "rounds"),
    "label_round": ("Label round {round} of {name}.", "Label the round", "annotate"),
    "train": ("Round {round} of {name} is fully labelled. Train the model.", "Train", "rounds"),
    "diagnose": ("{name} does not learn yet.", "See the likely causes", "rounds"),
    "decide": ("{name} is trained. Choose a threshold.", "Choose the threshold", "threshold"),
    "audit": ("{name} has a threshold. Audit it on a fresh sample.", "Audit", "audit"),
    "done": ("{name} is finished and audited. Its report holds the evidence.", "Read its report", "report"),
}
_ALL_DONE = ("Every attribute has a threshold and an audit.", "Export the dataset", "export")


def direct(step: NextStep) -> Direction:
    """Put a step into words.

    Examples
    --------
    >>> direct(NextStep("label_round", "media_watercolor", round=2)).text
    'Label round 2 of “watercolor (media)”.'
    """
    everything = step.step == "done" and step.attribute is None
    text, action, page = _ALL_DONE if everything else _WORDS[step.step]
    name = "" if step.attribute is None else f"“{readable(step.attribute)}”"
    images = count(step.images, "image has", "images have") if step.images else "The images have"
    return Direction(text.format(name=name, round=step.round, images=images), action, page, step.attribute)


def action(step: str) -> str:
    """Return the label of the button for a step of one attribute.

    Examples
    --------
    >>> action("train")
    'Train'
    """
    return _WORDS[step][1]
