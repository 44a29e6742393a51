"""Who makes which picture: studios with a taste of their own, and the plan of every work.

In:  a seed and an index. Out: a :class:`Plan`. The same seed and index give the same plan, however many works are made
and in whatever order. Knows nothing of pixels.
"""

import functools
from dataclasses import dataclass

import numpy as np

BLOCK = 500  # works whose studios are dealt together
SMALLEST, LARGEST = 5, 40  # works of a studio

CONTENTS = ("bicycle", "bird", "building", "cars", "cat", "dog", "flower", "people", "tree")
MOODS = ("gloomy", "happy", "peaceful", "scary")
MEDIA = ("3d_graphics", "comic", "graphite", "oilpaint", "pen_ink", "vectorart", "watercolor")
# None of the seven media of BAM.
OTHER_MEDIA = (
    "cut paper",
    "pastel",
    "pixels",
    "charcoal",
    "coloured pencil",
    "gouache",
    "digital painting",
)
TRUTHS = (
    *(f"content_{name}" for name in CONTENTS),
    *(f"emotion_{name}" for name in MOODS),
    *(f"media_{name}" for name in MEDIA),
)
"""The twenty attributes whose truth is known, by the names of :data:`bam_engine.annotation.BAM_ATTRIBUTES`."""

_MEDIUM_SHARES = {
    "oilpaint": 0.13, "watercolor": 0.13, "vectorart": 0.12, "3d_graphics": 0.105, "pen_ink": 0.105, "graphite": 0.09,
    "comic": 0.1, "cut paper": 0.025, "pastel": 0.03, "pixels": 0.02, "charcoal": 0.025, "coloured pencil": 0.03,
    "gouache": 0.055, "digital painting": 0.035,
}  # fmt: skip
_CONTENT_WEIGHTS = dict(zip(CONTENTS, (4.0, 8.0, 10.0, 6.0, 7.0, 7.0, 9.5, 12.0, 10.5), strict=True))
_MOOD_WEIGHTS = {"gloomy": 0.21, "happy": 0.29, "peaceful": 0.34, "scary": 0.16}
_HOW_MANY_CONTENTS = (0.26, 0.64, 0.085, 0.015)
_HOW_MANY_MOODS = (0.41, 0.51, 0.08)
_CLASHES = ({"happy", "gloomy"}, {"happy", "scary"}, {"peaceful", "scary"}, {"gloomy", "peaceful"})

THINGS = (
    "fruit", "pots", "sailboat", "balloon", "fish", "butterfly", "mushroom", "cactus", "rocket", "branch", "robot",
    "rabbit", "bus", "moonscape", "shapes", "sheep",
)  # fmt: skip
_ALONE = frozenset({"fruit", "pots", "shapes", "moonscape", "balloon", "mushroom", "rocket"})  # never several of them
PLACES: dict[str, tuple[str, ...]] = {  # where a subject may be; the first are the likeliest
    "bicycle": ("street", "backdrop", "meadow", "sea"),
    "bird": ("sky", "meadow", "backdrop", "sea", "sky", "snow", "mountains"),
    "building": ("meadow", "street", "mountains", "snow", "sea", "backdrop"),
    "cars": ("street", "backdrop", "desert", "mountains", "snow"),
    "cat": ("room", "backdrop", "meadow", "street"),
    "dog": ("meadow", "backdrop", "room", "sea", "snow", "street"),
    "flower": ("backdrop", "meadow", "room"),
    "people": ("backdrop", "street", "meadow", "sea", "room", "snow"),
    "tree": ("meadow", "mountains", "snow", "backdrop", "street", "desert"),
    "fruit": ("room", "backdrop"),
    "pots": ("room", "backdrop"),
    "sailboat": ("sea",),
    "balloon": ("sky", "meadow", "mountains", "desert", "sea"),
    "fish": ("underwater", "underwater", "backdrop"),
    "butterfly": ("backdrop", "meadow"),
    "mushroom": ("meadow", "backdrop"),
    "cactus": ("desert", "room", "backdrop"),
    "rocket": ("space", "backdrop"),
    "branch": ("backdrop",),
    "robot": ("backdrop", "space", "street", "room"),
    "rabbit": ("meadow", "snow", "backdrop"),
    "bus": ("street", "backdrop"),
    "moonscape": ("backdrop", "space"),
    "shapes": ("backdrop",),
    "sheep": ("meadow", "mountains", "snow"),
    "": ("mountains", "sea", "meadow", "desert", "snow", "underwater", "space"),
}
_EMPTY = frozenset({"space", "snow", "desert", "underwater", "sky"})
_HOURS = {
    "gloomy": ("overcast", "overcast", "dusk", "night"),
    "scary": ("night", "night", "dusk", "overcast"),
    "peaceful": ("dawn", "golden", "dusk", "day", "night"),
    "happy": ("day", "day", "golden", "dawn"),
    "": ("day", "day", "golden", "dusk", "overcast", "dawn", "night"),
}
_ASPECTS = ((1.0, 1.0), (1.0, 0.75), (0.75, 1.0), (1.0, 0.8), (0.8, 1.0), (1.0, 0.67))


@dataclass(frozen=True)
class Studio:
    """A maker's taste: the same for all works of one project.

    ``hand`` is the seed of everything that its medium may vary: paper, brush, ink. ``preferences`` weights contents,
    things, moods and settings by name.
    """

    name: str
    medium: str
    second: str
    hue: float
    strength: float
    shape: tuple[int, int]
    hand: int
    preferences: dict[str, float]


@dataclass(frozen=True)
class Plan:
    """One work: what is to be in it. ``subjects`` are names with how many of each; a thing that is no attribute too."""

    seed: int
    index: int
    studio: Studio
    medium: str
    moods: frozenset[str]
    hour: str
    setting: str
    subjects: tuple[tuple[str, int], ...]
    close: bool

    @property
    def contents(self) -> tuple[str, ...]:
        """The contents among the subjects, by their attributes' names."""
        return tuple(name for name, _ in self.subjects if name in CONTENTS)


def generator(seed: int, *place: int) -> np.random.Generator:
    """Return the random generator of one place of a collection, independent of all others."""
    return np.random.default_rng(np.random.SeedSequence([seed, *place]))


@functools.lru_cache(maxsize=64)
def _dealt(seed: int, block: int) -> tuple[int, ...]:
    """Return the studio's number within the block for each of its works."""
    rng = generator(seed, 1, block)
    numbers: list[int] = []
    studio = 0
    while len(numbers) < BLOCK:
        left = BLOCK - len(numbers)
        size = min(left, int(np.clip(rng.gamma(2.2, 5.5), SMALLEST, LARGEST)))
        if left - size < SMALLEST:
            size = left if left <= LARGEST else left // 2
        numbers += [studio] * size
        studio += 1
    return tuple(int(number) for number in rng.permutation(numbers))


@functools.lru_cache(maxsize=1024)
def _studio(seed: int, block: int, number: int) -> Studio:
    rng = generator(seed, 2, block, number)
    media, shares = list(_MEDIUM_SHARES), np.array(list(_MEDIUM_SHARES.values()))
    medium, second = (str(name) for name in rng.choice(media, 2, p=shares / shares.sum()))
    aspect = _ASPECTS[int(rng.integers(len(_ASPECTS)))]
    long = float(rng.integers(384, 446)) * (1.0 if min(aspect) < 0.9 else 0.9)
    names = [*CONTENTS, *THINGS, *MOODS, "", *sorted({place for places in PLACES.values() for place in places})]
    preferences = dict(zip(names, np.exp(rng.normal(0, 0.9, len(names))).tolist(), strict=True))
    return Studio(
        name=f"studio-{seed}-{block:03d}-{number:02d}",
        medium=medium,
        second=second,
        hue=float(rng.uniform(0, 360)),
        strength=float(rng.uniform(0.7, 1.2)),
        shape=(round(long * aspect[1]), round(long * aspect[0])),
        hand=int(rng.integers(2**31)),
        preferences=preferences,
    )


def plan(seed: int, index: int) -> Plan:
    """Return what work ``index`` of the collection ``seed`` is to show."""
    block, place = divmod(index, BLOCK)
    studio = _studio(seed, block, _dealt(seed, block)[place])
    rng = generator(seed, 3, index)
    moods = _moods(studio, rng)
    subjects = _subjects(studio, rng)
    medium = studio.medium if rng.random() < 0.93 else studio.second
    setting = _place(studio, subjects, rng)
    if not subjects and medium in ("graphite", "pen_ink") and setting in _EMPTY:
        setting = "mountains"  # there would be nothing but a grey sheet
    return Plan(
        seed=seed,
        index=index,
        studio=studio,
        medium=medium,
        moods=moods,
        hour=str(rng.choice(_HOURS[sorted(moods)[0] if moods else ""])),
        setting=setting,
        subjects=subjects,
        close=bool(rng.random() < (0.8 if moods & {"peaceful", "gloomy"} else 0.95)),
    )


def _pick(rng: np.random.Generator, names: tuple[str, ...], weights: list[float], count: int) -> list[str]:
    share = np.array(weights) / sum(weights)
    return [str(name) for name in rng.choice(np.array(names, dtype=object), count, replace=False, p=share)]


def _moods(studio: Studio, rng: np.random.Generator) -> frozenset[str]:
    weights = [_MOOD_WEIGHTS[mood] * studio.preferences[mood] ** 0.6 for mood in MOODS]
    chosen = set(_pick(rng, MOODS, weights, int(rng.choice(3, p=_HOW_MANY_MOODS))))
    if chosen in _CLASHES:
        chosen = {sorted(chosen)[0]}
    return frozenset(chosen)


def _subjects(studio: Studio, rng: np.random.Generator) -> tuple[tuple[str, int], ...]:
    weights = [_CONTENT_WEIGHTS[name] * studio.preferences[name] for name in CONTENTS]
    chosen = _pick(rng, CONTENTS, weights, int(rng.choice(4, p=_HOW_MANY_CONTENTS)))
    if not chosen and rng.random() < 0.82:
        chosen = _pick(rng, THINGS, [studio.preferences[name] for name in THINGS], 1)
    counts = [_how_many(name, rng) if len(chosen) == 1 else 1 for name in chosen]
    return tuple(zip(chosen, counts, strict=True))


def _how_many(name: str, rng: np.random.Generator) -> int:
    """Return how many of a single content there are: mostly one, of trees often a wood."""
    if name in _ALONE or rng.random() < (0.5 if name == "tree" else 0.9):
        return 1
    return int(rng.integers(3, 6)) if name == "tree" else int(rng.integers(2, 4))


def _place(studio: Studio, subjects: tuple[tuple[str, int], ...], rng: np.random.Generator) -> str:
    """Choose a setting in which all subjects may be; a backdrop suits everything."""
    allowed = [set(PLACES[name]) for name, _ in subjects] or [set(PLACES[""])]
    both = sorted(set.intersection(*allowed)) or ["backdrop"]
    first = PLACES[subjects[0][0]] if subjects else PLACES[""]
    weights = [
        studio.preferences[name] * (5.0 if name == first[0] else 2.5 if name in first[:2] else 0.7) for name in both
    ]
    return _pick(rng, tuple(both), weights, 1)[0]
