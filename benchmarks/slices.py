"""How often the intervals of slices contain the true value, on generated collections whose truth is known.

Each run makes a collection and uses it as ``python -m benchmarks coverage`` does: a random sample of 200, a round of
200, and, in the stage "certified", a certification of 300 more labels. Then it looks at slices that are chosen without
looking at labels: a third of the images at random, one in twenty, images that are three times as likely positive, those
that score alike (a search), whole projects, 40 images, and one without a sampled image. The certification samples the
scores above its cuts more densely the higher they are, so that the strata of a slice have unequal rates.

"covered" should be 0.93 or more in every line; "between" are its exact 95% limits, "width" is the mean width of the
interval, "measured" the share of runs with a value. "flagged" is how often any of 20 random slices of one collection is
said to differ from the rest, corrected by Holm's method and not, which should be at most 0.05. "half-width" is that of
the precision after as many more labels as were said to give 0.05, where a slice is large enough.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
import numpy.typing as npt

from bam_engine.learning import clopper_pearson
from bam_engine.learning.slice_comparison import holm, p_value
from bam_engine.learning.slices import Frame, SliceCounts
from bam_engine.training.slice_frames import frame_of
from benchmarks.coverage import IMAGES, SHAPES, Known, World, chosen_cut, evidence, labelled, make_world
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

STAGES = ("first draw", "topped up", "certified", "grown")
LOOKS = 20
_PARTS = 8

Mask = npt.NDArray[np.bool_]


def slices_of(world: World, rng: np.random.Generator) -> dict[str, Mask]:
    """Return masks of slices by name, chosen without looking at what is labelled."""
    chance = rng.random(IMAGES)
    likely = np.where(world.truth, 0.3, 0.1)
    similar = np.argsort(-(world.scores + rng.normal(size=IMAGES)))[: IMAGES // 5]
    few = rng.choice(IMAGES, 40, replace=False)
    places = np.arange(IMAGES)
    return {
        "a third": chance < 1 / 3,
        "one in twenty": rng.random(IMAGES) < 0.05,
        "richer": rng.random(IMAGES) < likely,
        "alike": np.isin(places, similar),
        "projects": (rng.random(world.groups.max() + 1) < 0.1)[world.groups],
        "40 images": np.isin(places, few),
    }


def framed(world: World, known: Known, cut: float) -> tuple[Frame, Mask]:
    """Return the frame of what is known at a threshold, and what is delivered."""
    labels = np.full(IMAGES, -1, np.int8)
    labels[known.all] = world.truth[known.all]
    delivered = (labels == 1) | ((labels < 0) & (world.scores >= np.float32(cut)))
    found = evidence(world, known)
    return frame_of(world.scores, labels, found, cut, delivered=delivered, groups=world.groups), delivered


def play(shape: str, stage: str, seed: list[int]) -> dict[str, list[tuple[float, float, float, float]]] | None:
    """Return for each slice and figure the truth, the value and its limits; None where there is no threshold."""
    rng = np.random.default_rng(seed)
    world = make_world(SHAPES[shape], rng)
    known = labelled(world, stage, rng)
    cut = chosen_cut(world, known)
    if cut is None:
        return None
    frame, delivered = framed(world, known, cut)
    there = np.arange(IMAGES) < known.images
    found: dict[str, list[tuple[float, float, float, float]]] = defaultdict(list)
    masks = slices_of(world, rng)
    none = rng.random(IMAGES) < 0.1
    none[np.concatenate([frame.precise.rows, frame.random.rows])] = False
    for name, inside in {**masks, "no label": none}.items():
        counts, here = SliceCounts(frame, inside), inside & there
        for figure, of in (("precision", delivered), ("prevalence", np.ones(IMAGES, bool)), ("recall", world.truth)):
            among = here & of
            if not among.any():
                continue
            true = float((delivered if figure == "recall" else world.truth)[among].mean())
            found[f"{name}, {figure}"].append((true, *getattr(counts, figure)()))
    looks = rng.integers(LOOKS, size=IMAGES)
    tested = []
    for look in range(LOOKS):
        one, rest = SliceCounts(frame, looks == look), SliceCounts(frame, looks != look)
        if one.labels and rest.labels and one.unlabelled:
            tested.append(p_value(one, rest))
    if tested:
        corrected = float(holm(tested).min() <= 0.05)
        found["flagged"].append((corrected, float(min(tested) <= 0.05), 0.0, 0.0))
    return dict(found)


def play_part(shape: str, stage: str, repeats: int, part: int) -> dict[str, list[tuple[float, float, float, float]]]:
    """Play a part of the runs."""
    found: dict[str, list[tuple[float, float, float, float]]] = defaultdict(list)
    place = [list(SHAPES).index(shape), STAGES.index(stage)]
    for number in range(part, repeats, _PARTS):
        for name, lines in (play(shape, stage, [*place, number]) or {}).items():
            found[name] += lines
    return dict(found)


def summed_up(shape: str, stage: str, name: str, lines: list[tuple[float, float, float, float]]) -> dict[str, object]:
    """Return the figures of one slice over all runs."""
    true, value, low, high = np.array(lines).T
    held = int(((low - 1e-9 <= true) & (true <= high + 1e-9)).sum())
    between = clopper_pearson(held, len(lines))
    return {
        "shape": shape,
        "stage": stage,
        "figure": name,
        "covered": held / len(lines),
        "between": [between.low, between.high],
        "width": float(np.mean(high - low)),
        "measured": float(np.mean(~np.isnan(value))),
        "runs": len(lines),
    }


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("slices", __doc__)
    options.add_argument("--repeats", type=int, default=400)
    options.add_argument("--shapes", nargs="+", choices=list(SHAPES), default=list(SHAPES), metavar="SHAPE")
    options.add_argument("--stages", nargs="+", choices=STAGES, default=list(STAGES), metavar="STAGE")
    options.add_argument("--workers", type=int, default=2, metavar="N", help="processes (default: %(default)s)")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    print(f"generated data, {options.repeats} runs each, 95% intervals; {machine()}")
    print(f"{'shape':<26} {'stage':<11} {'slice and figure':<26} covered between        width  measured runs")
    lines: list[dict[str, object]] = []
    with ProcessPoolExecutor(options.workers) as pool:
        for shape in options.shapes:
            for stage in options.stages:
                found: dict[str, list[tuple[float, float, float, float]]] = defaultdict(list)
                for part in pool.map(partial(play_part, shape, stage, options.repeats), range(_PARTS)):
                    for name, some in part.items():
                        found[name] += some
                for name, some in found.items():
                    if name == "flagged":
                        corrected, each = np.array(some).mean(axis=0)[:2].tolist()
                        lines.append({"shape": shape, "stage": stage, "flagged": corrected, "uncorrected": each})
                        print(f"{shape:<26} {stage:<11} flagged {corrected:.3f}, uncorrected {each:.3f}", flush=True)
                        continue
                    line = summed_up(shape, stage, name, some)
                    lines.append(line)
                    between = "–".join(f"{each:.3f}" for each in line["between"])  # type: ignore[attr-defined]
                    cells = f"{line['covered']:>7.3f} {between:<13} {line['width']:>6.3f} {line['measured']:>8.2f}"
                    print(f"{shape:<26} {stage:<11} {name:<26} {cells} {line['runs']:>5}", flush=True)
    if options.json:
        figures = {"data": "generated", "machine": machine(), "repeats": options.repeats, "lines": lines}
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
