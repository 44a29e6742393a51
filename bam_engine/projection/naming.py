"""What sets an area apart: the trait that many of its images have and few others.

In:  the areas of a map; which of its images have which trait. Out: names, each with the numbers that speak for it.
Knows nothing of what traits are: accepted attributes, words of titles, projects.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bam_engine.learning import exact_bounds, proportions
from bam_engine.projection.density_regions import Area, Codes, RegionTree

PRIOR = 50.0
"""Images that the prior counts for: a trait as frequent as in all images together."""

TIMES = 3.0
"""How many times the odds within are those without, at least and with the confidence of the interval."""

_Z = 1.959964
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Traits:
    """Traits of one kind: point ``owners[i]`` has trait ``codes[i]``, each pair once.

    ``said`` says a trait in words, with ``{}`` for its name; ``least`` is the share of an area's images that it needs.
    ``grouped``: images of one project count as one observation in so far as they agree.
    """

    names: tuple[str, ...]
    said: str
    least: float
    owners: Counts
    codes: Counts
    grouped: bool = True


@dataclass(frozen=True)
class NamedRegion:
    """An area with its name and why; ``gives_way``: finer areas with names of their own hold most of its images."""

    area: Area
    name: str
    why: str
    gives_way: bool


@dataclass(frozen=True)
class TraitEvidence:
    """The chosen trait by its index, and the shares that speak for it, within and without, each with its interval."""

    trait: int
    strength: float
    share: tuple[float, float, float]
    elsewhere: tuple[float, float, float]


def distinctive_trait(
    within: Counts, without: Counts, n_within: int, n_without: int, *, least: float
) -> TraitEvidence | None:
    """Return the trait that sets images apart from others, or None where none does.

    Parameters
    ----------
    within, without : (t,) int
        Images with each trait in the area and outside of it.
    n_within, n_without : int
        All images there.
    least : float
        The share within that a trait needs.

    Returns
    -------
    TraitEvidence or None
        Of the traits with at least this share within, an interval (Clopper-Pearson, 95 %) wholly above the one outside,
        and odds at least ``TIMES`` as high: the one with the highest strength, the lower index on a tie. The strength
        is the lower limit of the share within, times the lower limit of the log-odds ratio with an informative
        Dirichlet prior [1]_: a trait must be both common here and rare elsewhere.

    References
    ----------
    .. [1] Monroe, Colaresi, Quinn: Fightin' Words. Political Analysis 16(4), 2008.
    """
    if not len(within) or n_within < 1 or n_without < 1:
        return None
    low, high = exact_bounds(within, n_within)
    low_out, high_out = exact_bounds(without, n_without)
    ratio = log_odds_ratio(within, without, n_within, n_without)
    good = (within >= least * n_within) & (low > high_out) & (ratio >= np.log(TIMES))
    if not good.any():
        return None
    strength = np.where(good, low * ratio, -np.inf)
    best = int(np.argmax(strength))
    share = float(within[best] / n_within), float(low[best]), float(high[best])
    elsewhere = float(without[best] / n_without), float(low_out[best]), float(high_out[best])
    return TraitEvidence(best, float(strength[best]), share, elsewhere)


def log_odds_ratio(within: Counts, without: Counts, n_within: int, n_without: int) -> NDArray[np.float64]:
    """Return the lower 95 % limit of each trait's log-odds ratio with the prior: 0 would be no difference."""
    prior = PRIOR * (within + without + 1) / (n_within + n_without + 2)
    a, b = within + prior, without + prior
    ratio = np.log(a / (n_within + PRIOR - a)) - np.log(b / (n_without + PRIOR - b))
    found: NDArray[np.float64] = ratio - _Z * np.sqrt(1 / a + 1 / b)
    return found


def name_regions(land: RegionTree, kinds: Sequence[Traits], projects: Counts) -> list[NamedRegion]:
    """Return the areas that have a name, in the order of ``land``: coarse ones first, each level by size.

    Parameters
    ----------
    kinds
        What may name an area; of two traits that are as strong, the one of the earlier kind does.
    projects : (n,) int
        Which images are by one maker: near-copies do not make an interval short.

    Notes
    -----
    An area is compared with the rest of the nearest area around it that has a name, else with all of the map. It does
    not repeat the name of an area around it. The interval within, by project, has to lie above half of the least share
    too: a few images of one maker name nothing.
    """
    names = _Names(land, kinds, projects)
    for level, inside in enumerate(land.inside):
        names.add_level(level, inside)
    covered = _covered_by_finer(land.areas, names.found)
    return [
        NamedRegion(area, name, why, 2 * covered[number] >= area.count)
        for number, area in enumerate(land.areas)
        if number in names.found
        for name, why in [names.found[number]]
    ]


class _Names:
    """The names found so far, level by level, and how many images of each named area have each trait."""

    def __init__(self, land: RegionTree, kinds: Sequence[Traits], projects: Counts) -> None:
        self.areas, self.kinds, self.projects = land.areas, kinds, projects
        self.found: dict[int, tuple[str, str]] = {}
        totals = [np.bincount(kind.codes, minlength=len(kind.names)) for kind in kinds]
        self._counts: dict[int, list[Counts]] = {-1: totals}  # -1: all of the map
        self._sizes = {-1: len(projects)}

    def add_level(self, level: int, inside: Codes) -> None:
        """Name the areas of one level; those above are done."""
        pairs = [_by_area(inside[kind.owners]) for kind in self.kinds]
        members = _by_area(inside)
        for number, area in enumerate(self.areas):
            if area.level == level:
                own = [_part(pair, number) for pair in pairs]
                self._name(number, area, own, _part(members, number))

    def _name(self, number: int, area: Area, own: list[Counts], members: Counts) -> None:
        around = self._around(area)
        context = around[0] if around else -1
        above = {self.found[one][0] for one in around}
        counts = [
            np.bincount(kind.codes[pairs], minlength=len(kind.names))
            for kind, pairs in zip(self.kinds, own, strict=True)
        ]
        candidates = []
        for index, (kind, within) in enumerate(zip(self.kinds, counts, strict=True)):
            new = np.array([name not in above for name in kind.names]) if above else True
            total = self._counts[context][index]
            rest = self._sizes[context] - area.count
            apart = distinctive_trait(within * new, total - within, area.count, rest, least=kind.least)
            if apart is not None:
                candidates.append((-apart.strength, index, apart))
        for _, index, apart in sorted(candidates, key=lambda one: one[:2]):
            checked = self._by_project(self.kinds[index], apart, own[index], members)
            if checked.share[1] > max(checked.elsewhere[2], self.kinds[index].least / 2):
                kind, rest_of = self.kinds[index], f"in the rest of {self.found[context][0]}" if around else "elsewhere"
                self.found[number] = kind.names[apart.trait], _why(kind, checked, area, rest_of)
                self._counts[number], self._sizes[number] = counts, area.count
                return

    def _around(self, area: Area) -> list[int]:
        """The named areas around an area, nearest first."""
        found = []
        while area.parent >= 0:
            if area.parent in self.found:
                found.append(area.parent)
            area = self.areas[area.parent]
        return found

    def _by_project(self, kind: Traits, apart: TraitEvidence, pairs: Counts, members: Counts) -> TraitEvidence:
        """The share within again, with an interval that allows for near-copies."""
        if not kind.grouped:
            return apart
        has = np.isin(members, kind.owners[pairs[kind.codes[pairs] == apart.trait]])
        found = proportions(has[None], np.ones((1, len(members)), bool), groups=self.projects[members])
        return replace(apart, share=(float(found.value[0]), float(found.low[0]), float(found.high[0])))


def _by_area(areas: Codes) -> tuple[Counts, Codes]:
    """The indices sorted by area, and the areas in that order."""
    order = np.argsort(areas, kind="stable")
    return order, areas[order]


def _part(sorted_by_area: tuple[Counts, Codes], number: int) -> Counts:
    order, areas = sorted_by_area
    return order[np.searchsorted(areas, number, "left") : np.searchsorted(areas, number, "right")]


def _covered_by_finer(areas: Sequence[Area], found: dict[int, tuple[str, str]]) -> list[int]:
    """For each area how many of its images lie in the next named areas within it."""
    covered = [0] * len(areas)
    for number in range(len(areas) - 1, -1, -1):  # finer ones come later
        if areas[number].parent >= 0:
            covered[areas[number].parent] += areas[number].count if number in found else covered[number]
    return covered


def _why(kind: Traits, apart: TraitEvidence, area: Area, rest_of: str) -> str:
    here, there = (
        f"{_percent(share)} ({_percent(low, bare=True)}–{_percent(high)})"
        for share, low, high in (apart.share, apart.elsewhere)
    )
    return f"{kind.said.format(kind.names[apart.trait])}: {here} of {area.count:,} images here, {there} {rest_of}"


def _percent(share: float, *, bare: bool = False) -> str:
    if 0 < share < 0.0005:
        return "0" if bare else "< 0.1 %"
    digits = 0 if share == 0 or 0.1 <= share <= 0.995 or share == 1 else 1
    return f"{100 * share:.{digits}f}{'' if bare else ' %'}"
