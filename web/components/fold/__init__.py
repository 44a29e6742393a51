"""The button that folds a panel of the page away, and shows it again, without a rerun of the script.

In:  the name of the panel and how many filters are set in it. Out: nothing; the page's CSS reads the attribute
``data-bam-{name}`` of the document, ``open`` or ``closed``.
"""

from web.modules import component

_component = component("bam_fold", "fold/fold.js", ["fold/fold.css"])


def fold_button(name: str, label: str, count: int) -> None:
    """Draw the button of the panel ``name``, with its ``label`` and the ``count`` of what is set in it.

    The panel is open on a wide window and folded on a narrow one, until somebody chooses otherwise: for good on a wide
    one, for the tab on a narrow one.
    """
    _component(key=f"fold-{name}", data={"name": name, "label": label, "count": count}, width="content")
