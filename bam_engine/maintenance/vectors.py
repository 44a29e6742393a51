"""The check of vectors and scores. What is damaged is computed again, with the encoder that it is of."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bam_engine.embedding.shards import FOLDER as SHARDS
from bam_engine.formatting import count
from bam_engine.maintenance.finding import Files, Finding, Step, first_of
from bam_engine.progress import Report
from bam_engine.training.models import all_models, cached_scores, latest_model, scores_are_whole, scores_file, scores_of
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import embed_again

_FILES = ("vectors.f16", "images.bin", "meta.json", "lock")


def vectors(workspace: Workspace, files: Files, orphans: set[Path], step: Step) -> Iterator[Finding]:
    """Examine the vectors of every encoder."""
    home = workspace.cache / "vectors"
    own = {file for file in files if file.name in _FILES and file.parent.parent == home}
    ahead = {file for file in files if file.parent.name == SHARDS and file.parent.parent.parent == home}
    orphans.update(set(files) - own - ahead)
    for folder in sorted({file.parent for file in own}):
        store = workspace.vectors(folder.name)
        facts = [
            (store.others, "of other images"),
            (len(store.damaged()), "damaged"),
            (store.incomplete, "incomplete"),
        ]
        words = [f"{number:,} {kind}" for number, kind in facts if number]
        if (folder / "vectors.f16").exists() and not store.meta:
            words.append("of an encoder that is not known")
        if words:
            yield _finding(workspace, folder, " and ".join(words))
    for _ in files:
        step("vectors")


def _finding(workspace: Workspace, folder: Path, words: str) -> Finding:
    key, what = folder.name, f"Vectors in {folder} are not those of the images: {words}."
    models = [model for model in all_models(workspace) if model.encoder == key]
    if key == workspace.choice.key or workspace.choice_of(key) is not None:
        files = tuple(scores_file(workspace, model) for model in models)
        remake = partial(_embed_again, workspace, key)
        return Finding(what, "Embed these images again, and score all images.", files, remake)
    lost = f", and then {count(len(models), 'model has', 'models have')} no scores" if models else ""
    return Finding(
        what,
        f"The encoder {key} cannot be opened: choose it again with its checkpoint, and embed. Or delete the folder"
        f"{lost}.",
        command="bam embed --encoder SPEC --checkpoint FILE",
    )


def _embed_again(workspace: Workspace, key: str, report: Report) -> None:
    embed_again(workspace, key, report=report)
    _score_again(workspace, report)


def scores(workspace: Workspace, files: Files, orphans: set[Path], step: Step) -> Iterator[Finding]:
    """Examine the scores of every model."""
    models = {scores_file(workspace, model): model for model in all_models(workspace)}
    damaged, outdated = [], []
    for file in files:
        if file not in models:
            orphans.add(file)
        elif not scores_are_whole(workspace, models[file]):
            damaged.append(file)
        elif cached_scores(workspace, models[file]) is None:
            outdated.append(file)
        step("scores")
    again = partial(_score_again, workspace)
    if damaged:
        what = f"{count(len(damaged), 'score array is', 'score arrays are')} damaged{first_of(damaged)}."
        yield Finding(what, "Score all images again.", tuple(damaged), again)
    if outdated:
        what = f"{count(len(outdated), 'score array is', 'score arrays are')} of other vectors{first_of(outdated)}."
        yield Finding(what, "Score all images again.", tuple(outdated), again)


def _score_again(workspace: Workspace, report: Report) -> None:
    for attribute in workspace.attributes.all():
        if latest_model(workspace, attribute) is not None:
            scores_of(workspace, attribute, report=report)
