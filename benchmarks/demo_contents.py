"""What the demo's simulated annotators reach on contents, with the standard encoder and with the descriptors alone.

Each seed draws a demo of its own. Simulated annotators label each content in it as ``bam demo --play`` does: a
validation sample and rounds of 100 for as long as the app advises one, one vote an image, 5 % of them wrong. The figure
is the true average precision of the last model on the images that could not train it (the validation sample), and, as
the app shows it, on all.

Means over the seeds with Student's 95% intervals; that of all contents is of the seeds' means.
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from bam_engine.annotation import BAM_ATTRIBUTES
from bam_engine.demo import demo_workspace, simulated_annotators
from bam_engine.guidance.guidance import guidance_of
from bam_engine.training import rounds
from bam_engine.workspace import Workspace
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser
from benchmarks.played import mean, precisions, shown

CONTENTS = [template.name for template in BAM_ATTRIBUTES if template.kind == "content"]
ENCODERS = ("combined", "builtin")


@dataclass(frozen=True)
class Played:
    """One content of one demo: the share of images that show it, the labels, and the average precision."""

    encoder: str
    content: str
    seed: int
    share: float
    labels: int
    untrained: float
    everywhere: float


def play(workspace: Workspace, content: str, seed: int) -> Played:
    """Auto-label this step one content until a threshold is to be chosen."""
    attribute = workspace.attributes.get(content)
    team = simulated_annotators.Team(seed=seed)
    while guidance_of(workspace, attribute).step not in ("decide", "diagnose", "done"):
        simulated_annotators.play_next(workspace, attribute, team)
    state = rounds.state(workspace, attribute)
    truth = demo_workspace.true_labels(workspace, content) == 1
    untrained, everywhere, _ = precisions(workspace, attribute, truth)
    labels = 0 if state.model is None else state.model.labels
    return Played(workspace.choice.spec, content, seed, float(truth.mean()), labels, untrained, everywhere)


def demos(home: Path, count: int, seed: int, encoders: Sequence[str], contents: Sequence[str]) -> list[Played]:
    """Draw one demo, and play it once with each encoder in a workspace of its own."""
    played: list[Played] = []
    for number, encoder in enumerate(encoders):
        folder = home / encoder
        if number:
            shutil.copytree(home / encoders[0] / "workspace" / "demo", folder / "workspace" / "demo")
        with closing(Workspace(folder / "workspace", folder / "cache")) as workspace:
            workspace.choose_encoder(encoder)
            demo_workspace.make_demo(workspace, count=count, seed=seed, attributes=contents)
            played += [play(workspace, content, seed) for content in contents]
    return played


def table(played: Sequence[Played], encoders: Sequence[str], contents: Sequence[str]) -> list[str]:
    """Return a line for each content, and one for the mean of all."""
    heads = "".join(f"{encoder:>20}{'on all images':>20}" for encoder in encoders)
    lines = [f"{'content':<18}{'share':>6}{heads}"]
    for content in (*contents, ""):
        of = [one for one in played if one.content == content or not content]
        cells = ""
        for encoder in encoders:
            ours = [one for one in of if one.encoder == encoder]
            for part in ("untrained", "everywhere"):
                values = [
                    mean([getattr(one, part) for one in ours if one.seed == seed]).value
                    for seed in sorted({one.seed for one in ours})
                ]
                cells += shown(mean(values))
        lines.append(f"{content or 'all contents':<18}{mean([one.share for one in of]).value:>6.1%}{cells}")
    return lines


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("demo_contents", __doc__)
    options.add_argument("--count", type=int, default=demo_workspace.COUNT, help="images of a demo")
    options.add_argument("--seeds", type=int, default=5, help="demos (default: 5)")
    options.add_argument("--encoders", nargs="+", choices=("combined", "network", "builtin"), default=list(ENCODERS))
    options.add_argument("--contents", nargs="+", choices=CONTENTS, default=CONTENTS)
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    print(f"{options.seeds} demos of {options.count:,} generated images; {machine()}", flush=True)
    played: list[Played] = []
    for seed in range(options.seeds):
        with tempfile.TemporaryDirectory() as home:
            played += demos(Path(home), options.count, seed, options.encoders, options.contents)
        of = {
            encoder: [one for one in played if (one.encoder, one.seed) == (encoder, seed)]
            for encoder in options.encoders
        }
        means = (f"{encoder} {mean([one.untrained for one in ones]).value:.2f}" for encoder, ones in of.items())
        print(f"seed {seed}: {', '.join(means)}", flush=True)
    print("\n".join(table(played, options.encoders, options.contents)))
    if options.json:
        options.json.write_text(json.dumps({"machine": machine(), "played": [asdict(one) for one in played]}) + "\n")


if __name__ == "__main__":
    main()
