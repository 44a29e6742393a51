"""Names of regions: the trait that is common among a region's images and rare elsewhere.

In:  the regions of a map; which of its images have which trait. Out: names, each with the numbers that support it.
Knows nothing of what traits are: accepted attributes, words of titles, projects.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bam_engine.formatting import count, percent_interval
from bam_engine.learning import exact_bounds, proportions
from bam_engine.projection.density_regions import Codes, DensityRegion, RegionTree

PRIOR = 50.0
"""Weight of the prior in images; it has each trait as often as all images together."""

MIN_ODDS_RATIO = 3.0
"""The lower confidence limit of the odds ratio, inside against outside, that a trait needs."""

_Z = 1.959964
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Traits:
    """Traits of one kind: point ``owners[i]`` has trait ``codes[i]``, each pair once.

    Attributes
    ----------
    names : tuple of str
    template : str
        A trait in words, with ``{}`` for its name.
    min_share : float
        The fraction of a region's images that a trait needs to name it.
    owners, codes : (k,) int
    grouped : bool
        Whether images of one project count as one observation, as far as they agree.
    """

    names: tuple[str, ...]
    template: str
    min_share: float
    owners: Counts
    codes: Counts
    grouped: bool = True


@dataclass(frozen=True)
class NamedRegion:
    """A region with its name and the reason; ``superseded``: finer named regions contain most of its images."""

    region: DensityRegion
    name: str
    why: str
    superseded: bool


@dataclass(frozen=True)
class TraitEvidence:
    """The index of a trait, its strength, and its fractions inside and outside, each as (value, low, high)."""

    trait: int
    strength: float
    inside: tuple[float, float, float]
    outside: tuple[float, float, float]


def distinctive_trait(
    inside: Counts, outside: Counts, n_inside: int, n_outside: int, *, min_share: float
) -> TraitEvidence | None:
    """Return the trait that best distinguishes the images inside a region from those outside, or None.

    Parameters
    ----------
    inside, outside : (t,) int
        Number of images with each trait, inside and outside of the region.
    n_inside, n_outside : int
        Number of all images inside and outside.
    min_share : float
        The fraction inside that a trait needs.

    Returns
    -------
    TraitEvidence or None
        A trait qualifies if it has the fraction ``min_share`` inside, an interval (Clopper-Pearson, 95%) wholly above
        the one outside, and a lower limit of the odds ratio of at least ``MIN_ODDS_RATIO``. The strongest is returned,
        ties by index. The strength is the lower limit of the fraction inside times the lower limit of the log-odds
        ratio with an informative Dirichlet prior [1]_: it favours traits that are common inside and rare outside.

    References
    ----------
    .. [1] Monroe, Colaresi, Quinn: Fightin' Words. Political Analysis 16(4), 2008.
    """
    if not len(inside) or n_inside < 1 or n_outside < 1:
        return None
    low, high = exact_bounds(inside, n_inside)
    low_outside, high_outside = exact_bounds(outside, n_outside)
    ratio = log_odds_ratio(inside, outside, n_inside, n_outside)
    qualifies = (inside >= min_share * n_inside) & (low > high_outside) & (ratio >= np.log(MIN_ODDS_RATIO))
    if not qualifies.any():
        return None
    strength = np.where(qualifies, low * ratio, -np.inf)
    best = int(np.argmax(strength))
    return TraitEvidence(
        best,
        float(strength[best]),
        inside=(float(inside[best] / n_inside), float(low[best]), float(high[best])),
        outside=(float(outside[best] / n_outside), float(low_outside[best]), float(high_outside[best])),
    )


def log_odds_ratio(inside: Counts, outside: Counts, n_inside: int, n_outside: int) -> NDArray[np.float64]:
    """Return the lower 95% limit of each trait's log-odds ratio, with the prior; 0 means no difference."""
    prior = PRIOR * (inside + outside + 1) / (n_inside + n_outside + 2)
    a, b = inside + prior, outside + prior
    ratio = np.log(a / (n_inside + PRIOR - a)) - np.log(b / (n_outside + PRIOR - b))
    lower: NDArray[np.float64] = ratio - _Z * np.sqrt(1 / a + 1 / b)
    return lower


def name_regions(tree: RegionTree, kinds: Sequence[Traits], projects: Counts) -> list[NamedRegion]:
    """Return the regions that have a name, in the order of ``tree``: by level and size.

    Parameters
    ----------
    kinds
        The traits that may name a region; of equally strong traits, the earlier kind wins.
    projects : (n,) int
        The project of each image: near-copies by one author must not narrow an interval.

    Notes
    -----
    A region is compared with the rest of its nearest named ancestor, or with the whole map, and does not repeat the
    name of an ancestor. The lower limit by project must also exceed half of ``min_share``: a few images of one author
    name nothing.
    """
    names = _Names(tree, kinds, projects)
    for level, membership in enumerate(tree.membership):
        names.add_level(level, membership)
    covered = _covered_by_finer(tree.regions, names.by_region)
    return [
        NamedRegion(region, name, why, 2 * covered[number] >= region.count)
        for number, region in enumerate(tree.regions)
        if number in names.by_region
        for name, why in [names.by_region[number]]
    ]


class _Names:
    """The names given so far, level by level, and how many images of each named region have each trait."""

    def __init__(self, tree: RegionTree, kinds: Sequence[Traits], projects: Counts) -> None:
        self.regions, self.kinds, self.projects = tree.regions, kinds, projects
        self.by_region: dict[int, tuple[str, str]] = {}
        totals = [np.bincount(kind.codes, minlength=len(kind.names)) for kind in kinds]
        self._counts: dict[int, list[Counts]] = {-1: totals}  # -1: the whole map
        self._sizes = {-1: len(projects)}

    def add_level(self, level: int, membership: Codes) -> None:
        """Name the regions of one level, after those of the levels above."""
        pairs = [_by_region(membership[kind.owners]) for kind in self.kinds]
        members = _by_region(membership)
        for number, region in enumerate(self.regions):
            if region.level == level:
                own = [_of_region(pair, number) for pair in pairs]
                self._name(number, region, own, _of_region(members, number))

    def _name(self, number: int, region: DensityRegion, own: list[Counts], members: Counts) -> None:
        ancestors = self._named_ancestors(region)
        context = ancestors[0] if ancestors else -1
        used = {self.by_region[one][0] for one in ancestors}
        counts = [
            np.bincount(kind.codes[pairs], minlength=len(kind.names))
            for kind, pairs in zip(self.kinds, own, strict=True)
        ]
        candidates = []
        for index, (kind, inside) in enumerate(zip(self.kinds, counts, strict=True)):
            unused = np.array([name not in used for name in kind.names]) if used else True
            total = self._counts[context][index]
            rest = self._sizes[context] - region.count
            trait = distinctive_trait(inside * unused, total - inside, region.count, rest, min_share=kind.min_share)
            if trait is not None:
                candidates.append((-trait.strength, index, trait))
        for _, index, trait in sorted(candidates, key=lambda one: one[:2]):
            checked = self._by_project(self.kinds[index], trait, own[index], members)
            if checked.inside[1] > max(checked.outside[2], self.kinds[index].min_share / 2):
                kind = self.kinds[index]
                elsewhere = f"in the rest of {self.by_region[context][0]}" if ancestors else "elsewhere"
                self.by_region[number] = kind.names[trait.trait], _explain(kind, checked, region, elsewhere)
                self._counts[number], self._sizes[number] = counts, region.count
                return

    def _named_ancestors(self, region: DensityRegion) -> list[int]:
        """Return the named regions around a region, nearest first."""
        ancestors = []
        while region.parent >= 0:
            if region.parent in self.by_region:
                ancestors.append(region.parent)
            region = self.regions[region.parent]
        return ancestors

    def _by_project(self, kind: Traits, trait: TraitEvidence, pairs: Counts, members: Counts) -> TraitEvidence:
        """Return the evidence with an interval that allows for near-copies within a project."""
        if not kind.grouped:
            return trait
        has = np.isin(members, kind.owners[pairs[kind.codes[pairs] == trait.trait]])
        share = proportions(has[None], np.ones((1, len(members)), bool), groups=self.projects[members])
        return replace(trait, inside=(float(share.value[0]), float(share.low[0]), float(share.high[0])))


def _by_region(membership: Codes) -> tuple[Counts, Codes]:
    """Return the indices sorted by region, and the regions in that order."""
    order = np.argsort(membership, kind="stable")
    return order, membership[order]


def _of_region(sorted_by_region: tuple[Counts, Codes], number: int) -> Counts:
    order, membership = sorted_by_region
    return order[np.searchsorted(membership, number, "left") : np.searchsorted(membership, number, "right")]


def _covered_by_finer(regions: Sequence[DensityRegion], named: dict[int, tuple[str, str]]) -> list[int]:
    """Return for each region how many of its images lie in the next named regions within it."""
    covered = [0] * len(regions)
    for number in range(len(regions) - 1, -1, -1):  # finer ones come later
        if regions[number].parent >= 0:
            covered[regions[number].parent] += regions[number].count if number in named else covered[number]
    return covered


def _explain(kind: Traits, trait: TraitEvidence, region: DensityRegion, elsewhere: str) -> str:
    inside, outside = percent_interval(*trait.inside), percent_interval(*trait.outside)
    words = kind.template.format(kind.names[trait.trait])
    return f"{words}: {inside} of {count(region.count, 'image')} here, {outside} {elsewhere}"
