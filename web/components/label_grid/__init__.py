"""The labelling grid: pages of pictures, marked by key or click and saved without a rerun of the script.

In:  a question and the pictures in hand, of one assignment or several, with earlier answers. Out: answers POSTed to
``/api/assignments/{id}/answers`` (see ``web/routes/labels.py``), an event when further pictures are needed soon, and
one when all answers are stored. Thumbnails come from ``/thumbs/{row}.webp?v=``, large pictures from
``/large/{row}.webp?v=``; with the current version of the pictures the browser keeps them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from web.modules import component

PER_PAGE = 24

_component = component(
    "bam_label_grid",
    "label_grid/mount.js",
    ["keys/keys.css", "label_grid/label_grid.css", "label_grid/guidelines.css", "label_grid/pictures.css"],
)


def label_grid(
    assignment: str,
    question: str,
    instructions: str = "",
    *,
    images: Sequence[Mapping[str, Any]],
    version: str,
    examples: Sequence[Mapping[str, Any]] = (),
    per_page: int = PER_PAGE,
    review: bool = False,
    skips: bool = True,
    before: int = 0,
    left: int = 0,
    key: str | None = None,
    on_finished: Callable[[], None] | None = None,
) -> dict[str, Any] | None:
    """Show the grid of a task; return the payload of the finished event, in the one run that it causes.

    The grid keeps its page through reruns as long as ``assignment`` stays the same, and further pictures may be added
    at the end; it starts at the first page with an unanswered picture. A page before the pictures in hand run out, it
    causes a run, which may hand in more of those that are ``left``.

    Parameters
    ----------
    assignment
        The id of the first assignment, which names the grid.
    question, instructions
        Plain text; line breaks in the instructions are preserved.
    images
        In display order, each ``{"row": int, "answer": 1 | 0 | -1 | -3 | None, "title": str | None, "assignment": str,
        "remark": dict | None}``; only ``row`` is required. With the answer -3 it was skipped. By default they belong
        to ``assignment``.
    version
        The version of the workspace's pictures.
    examples
        The pictures of the guidelines in display order, each ``{"row": int, "kind": str, "note": str}``.
    per_page
        Pictures per page, at least 1.
    review
        Start at the last page where all pictures are answered, to correct answers.
    skips
        Whether pictures may be skipped.
    before, left
        How many pictures of the task were answered before these, and how many come after them.
    key
        The widget's key; by default derived from the assignment.
    on_finished
        Called before the script runs again, once all pages are submitted and every answer is stored.

    Returns
    -------
    dict or None
        ``{"assignment": str, "answered": int, "unanswered": int}`` in the run that follows the last acknowledgement,
        None in all others. Pictures that could not be loaded stay unanswered.
    """
    if per_page < 1:
        raise ValueError(f"A page must have at least 1 picture, not {per_page}.")
    shown = [
        {
            "row": int(image["row"]),
            "answer": image.get("answer"),
            "title": image.get("title") or "",
            "assignment": image.get("assignment", assignment),
            "remark": image.get("remark"),
        }
        for image in images
    ]
    data = {
        "assignment": assignment,
        "question": question,
        "instructions": instructions,
        "examples": [dict(example) for example in examples],
        "images": shown,
        "version": version,
        "per_page": per_page,
        "review": review,
        "skips": skips,
        "before": before,
        "left": left,
    }
    state = _component(
        key=key or f"label_grid_{assignment}",
        data=data,
        on_finished_change=on_finished or _nothing,
        on_ahead_change=_nothing,
        height="content",
    )
    finished = state.get("finished")
    return dict(finished) if finished else None


def _nothing() -> None:
    """Do nothing: the event causes a rerun."""
