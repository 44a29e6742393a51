"""One generated artwork: its pixels, its title, and the truth about it.

In:  a seed and an index. Out: an :class:`Artwork`, the same whenever and wherever it is drawn.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bam_engine.demo.art.canvas import Rendering
from bam_engine.demo.art.composition import SEEN, compose
from bam_engine.demo.art.media import line_style, render
from bam_engine.demo.art.studio import CONTENTS, TRUTHS, Plan, generator, plan
from bam_engine.demo.art.titles import title


@dataclass(frozen=True)
class Artwork:
    """A picture (h, w, 3) uint8, and what is true of it: ``truth`` holds the attributes that apply."""

    pixels: npt.NDArray[np.uint8]
    plan: Plan
    title: str
    truth: frozenset[str]
    areas: dict[str, float]


def draw(seed: int, index: int) -> Artwork:
    """Draw work ``index`` of the collection ``seed``.

    Examples
    --------
    >>> draw(0, 5).pixels.dtype
    dtype('uint8')
    """
    what = plan(seed, index)
    line = line_style(what.medium, what.studio.hand, float(min(what.studio.shape)))
    scene = compose(what, line)
    areas = {name: scene.area(name) for name in CONTENTS}
    truth = {f"content_{name}" for name, area in areas.items() if area >= SEEN}
    truth |= {f"emotion_{mood}" for mood in what.moods}
    truth |= {f"media_{what.medium}"} & set(TRUTHS)
    pixels = render(scene, what.medium, what.studio.hand, generator(seed, 5, index))
    return Artwork(pixels, what, title(what, _shown(scene)), frozenset(truth), areas)


def _shown(scene: Rendering) -> dict[str, int]:
    """Count what the picture shows by its words."""
    counts: dict[str, int] = {}
    for drawn in scene.subjects:
        counts[drawn.word] = counts.get(drawn.word, 0) + drawn.count
    return counts
