"""Label a folder of images by script, and turn the labels into a dataset.

    python examples/label_by_script.py PICTURES WORKSPACE

Anything that can look at an image may label it: a rule as here, a model, a service. It is one more annotator.
"""

import sys
from pathlib import Path

from PIL import Image, ImageStat

import bam_engine


def is_colourful(path: str) -> bool:
    """Answer the question for one image."""
    with Image.open(path) as image:
        return ImageStat.Stat(image.convert("HSV")).mean[1] > 80  # the mean saturation, of 255


def main(pictures: Path, workspace: Path) -> None:
    """Label half of the images, let the classifier decide about all of them, and export the dataset."""
    with bam_engine.open(workspace) as bam:
        bam.add_images(pictures)
        bam.embed("builtin")
        paths = bam.images()["path"]

        colourful = bam.add_attribute("colourful", "Is the picture colourful?")
        sample = colourful.draw_validation(min(200, len(paths) // 3), seed=0)  # judges the classifier, never trains it
        colourful.record({row: is_colourful(paths[row]) for row in sample}, annotator="rule", to="validation")
        half = paths.sample(frac=0.5, random_state=0)
        colourful.record({row: is_colourful(path) for row, path in half.items()}, annotator="rule")

        colourful.train()
        colourful.use_threshold(colourful.suggest_threshold(precision=0.9))
        print(colourful.threshold.evidence.summary)
        print(colourful.decisions()["decision"].value_counts().to_string())
        print(*bam.export(workspace / "dataset.sqlite"))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*map(Path, sys.argv[1:]))
