"""The slices of an attribute as a DataFrame."""

import pandas as pd

from bam_engine.annotation import Attribute
from bam_engine.learning.slices import Figures
from bam_engine.reporting.slices import Slice, by_facet, slices_of
from bam_engine.workspace import Workspace

WHOLE = "all images"


def slice_table(workspace: Workspace, attribute: Attribute, by: str | None) -> pd.DataFrame:
    """Return the whole and a line for each slice, as :meth:`AttributeHandle.slices` describes them."""
    found = slices_of(workspace, attribute, None if by is None else by_facet(workspace, by))
    lines = [{"slice": WHOLE, **_figures(found.whole), "differs": False, "problem": ""}]
    lines += [_line(each) for each in found.slices]
    return pd.DataFrame(lines).set_index("slice")


def _line(one: Slice) -> dict[str, object]:
    figures = {} if one.figures is None else _figures(one.figures)
    apart = _limits("difference", one.apart) if one.apart is not None else {}
    return {"slice": one.name, **figures, **apart, "differs": one.differs, "problem": one.problem}


def _figures(found: Figures) -> dict[str, object]:
    return {
        "images": found.images,
        "accepted": found.accepted,
        **_limits("precision", found.precision),
        "labels": found.labels,
        "more": found.more,
        **_limits("prevalence", found.prevalence),
        "random_labels": found.random_labels,
        "more_random": found.more_random,
        **_limits("recall", found.recall),
    }


def _limits(name: str, figure: tuple[float, float, float]) -> dict[str, object]:
    return dict(zip((name, f"{name}_low", f"{name}_high"), figure, strict=True))
