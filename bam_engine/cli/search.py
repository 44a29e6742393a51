"""``search``: find images by words, or by meaning where the encoder reads text."""

import json
from argparse import ArgumentParser, Namespace
from typing import Any

from bam_engine.cli.arguments import Commands, add_command, positive_integer
from bam_engine.cli.progress import bar
from bam_engine.collection import Image
from bam_engine.formatting import count, decimal
from bam_engine.gallery import search
from bam_engine.workspace import Workspace
from bam_engine.workspace.flow import one_flow


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the command to the parser."""
    command = add_command(commands, "search", run, "find images by words, best match first")
    command.description = (
        "Find images by words, best match first. With an encoder that reads text (OpenCLIP) the search is by meaning; "
        "otherwise it looks for every word in titles, captions, project names and file names. It says which of them it "
        "has searched."
    )
    command.add_argument("words", nargs="+", help="what to look for; a phrase in double quotes stays together")
    command.add_argument("--limit", type=positive_integer, default=20, help="images to list (default: %(default)s)")
    command.add_argument(
        "--by", choices=("meaning", "words"), help="search by meaning or by words (default: by meaning if possible)"
    )
    command.add_argument("--json", action="store_true", help="print the result as JSON")


@one_flow
def run(workspace: Workspace, options: Namespace) -> None:
    """Print how many images match, what was searched, and the best matches."""
    text = " ".join(options.words)
    names = search.names_of(workspace)
    if names.behind():
        with bar("read", "names") as report:
            names.refresh(report=report)
    found = search.find(workspace, text, options.limit, by=options.by)
    images = workspace.catalogue.images(found.rows.tolist())
    if options.json:
        print(json.dumps(_payload(text, found, images), indent=2))
        return
    listed = f", the first {len(images):,} listed" if len(images) < found.matches else ""
    matches = f"{count(found.matches, 'image')} found{listed}" if found.by == "words" else f"the best {len(images):,}"
    print(f"{matches}; searched {found.searched}")
    for number, image in enumerate(images):
        similarity = "" if found.similarities is None else f"{decimal(float(found.similarities[number]))} "
        print(f"  {similarity}{image.uri}{f': {image.title}' if image.title else ''}")


def _payload(text: str, found: search.Found, images: list[Image]) -> dict[str, Any]:
    lines = [
        {"row": image.row, "path": image.uri, "title": image.title, "project": image.project_id, "file": image.status}
        for image in images
    ]
    if found.similarities is not None:
        for line, similarity in zip(lines, found.similarities.tolist(), strict=True):
            line["similarity"] = round(similarity, 4)
    return {"text": text, "by": found.by, "searched": found.searched, "matches": found.matches, "images": lines}
