"""The keys that answer about one image: the annotator's preset, as in the labelling grid and the gallery.

In:  the key of the buttons. Out: nothing; a key presses its button.
"""

from web.modules import component

_component = component("bam_answer_keys", "keys/answer_keys.js", ["keys/keys.css"])


def answer_keys(key: str) -> None:
    """Have keys press the buttons ``{key}-answer-yes``, ``-no``, ``-unsure`` and ``-undo``, and draw which do."""
    _component(key=f"{key}-answer-keys", data={"key": key})
