"""``status``: the state of the workspace, and the next step; ``next``: what to do next for one attribute."""

import json
from argparse import ArgumentParser, Namespace

from bam_engine.cli.annotators import print_spellings
from bam_engine.cli.arguments import Commands, add_command
from bam_engine.database.daily_copies import problem_of
from bam_engine.formatting import count, percent, percent_interval
from bam_engine.guidance.guidance import Guidance, guidance_of
from bam_engine.labelling.tasks import attribute_of
from bam_engine.reporting.overview import AttributeSummary, overview
from bam_engine.switching.moving import preparation
from bam_engine.training.diagnosis import diagnose
from bam_engine.workspace import Workspace
from bam_engine.workspace.flow import one_flow

_WAYS = {
    "add_images": "`bam ingest FOLDER`",
    "embed": "`bam embed`",
    "add_attribute": "`bam attribute add NAME`",
    "draw_validation": "in the app: Rounds",
    "label_validation": "in the app: Annotate",
    "start_round": "in the app: Rounds",
    "label_round": "in the app: Annotate",
    "train": "`bam score {name}`",
    "diagnose": "in the app: Rounds",
    "decide": "`bam threshold {name}`",
    "certify": "in the app: Threshold",
    "label_certification": "in the app: Annotate",
    "label_extension": "in the app: Annotate",
    "extend": "`bam extend {name}`",
    "audit": "`bam audit {name} --draw`",
    "label_audit": "in the app: Annotate",
    "measure_recall": "`bam recall {name} --draw`",
    "label_recall": "in the app: Annotate",
    "done": "`bam report {name}`",
}


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the commands to the parser."""
    command = add_command(commands, "next", what_next, "print what is known of an attribute, and what to do next")
    command.add_argument("name", help="attribute")
    command.add_argument("--json", action="store_true", help="print it as JSON")
    add_command(commands, "status", run, "print the state of the workspace and the next step")


@one_flow
def run(workspace: Workspace, _options: Namespace) -> None:
    """Print the state of the workspace and the next step."""
    state = overview(workspace)
    images = count(state.images, "generated image" if state.generated else "image")
    answers = f"{count(state.by_people, 'answer')} by people"
    if state.generated:
        answers += f", {state.simulated:,} by simulated annotators"
    print(f"{images}, {state.embedded:,} embedded with {state.encoder}, {answers}")
    if (awaited := preparation(workspace)) is not None:
        print(f"  {awaited.name} has embedded {awaited.embedded:,} and is not in use yet (`bam encoders`)")
    for problem in workspace.catalogue.problems():
        print(f"  {problem.stage}: {problem.path}: {problem.reason}")
    print_spellings(workspace)
    if reason := problem_of(workspace.engine):
        print(f"  No daily copy of the database is made. {reason}")
    for line in state.attributes:
        _print_attribute(line)
        if line.learned == "no":
            _print_diagnosis(workspace, line.name)
    print(f"next: {next_words(state.next)}")


@one_flow
def what_next(workspace: Workspace, options: Namespace) -> None:
    """Print what is known of one attribute and what to do next, in words or as JSON."""
    guidance = guidance_of(workspace, attribute_of(workspace, options.name))
    if options.json:
        print(json.dumps(as_values(guidance), indent=2, ensure_ascii=False))
        return
    for figure in guidance.figures:
        print(f"{figure.name}: {figure.words}, on {count(figure.labels, 'label')}")
    print(f"next: {next_words(guidance)}")
    for each in guidance.alternatives:
        print(f"  or {each.step.replace('_', ' ')}: {each.reason} ({_way(each.step, options.name)})")


def as_values(guidance: Guidance) -> dict[str, object]:
    """Return guidance as values for JSON."""
    name = guidance.attribute or ""
    return {
        "attribute": guidance.attribute,
        "step": guidance.step,
        "title": guidance.title,
        "reason": guidance.reason,
        "how": _way(guidance.step, name),
        "evidence": [
            {"name": each.name, "value": each.value, "low": each.low, "high": each.high, "labels": each.labels}
            for each in guidance.figures
        ],
        "alternatives": [
            {"step": each.step, "reason": each.reason, "how": _way(each.step, name)} for each in guidance.alternatives
        ],
    }


def _print_attribute(line: AttributeSummary) -> None:
    facts = [count(line.rounds, "round"), count(line.labels, "label")]
    estimates = (("precision", line.precision), ("recall", line.recall), ("audited precision", line.audited))
    facts += [f"{name} {percent_interval(*estimate)}" for name, estimate in estimates if estimate is not None]
    if line.delivered is not None:
        facts.append(f"{count(line.delivered.accepted, 'image')} accepted ({line.delivered.words})")
    print(f"{line.name}: {', '.join(facts)}")
    if line.taken_back:
        print(f"  {line.taken_back}")
    if line.better is not None:
        print(f"  {line.better.note}")
    if line.truth is not None and (truth := line.truth.threshold) is not None:
        print(
            f"  ground truth (generated images): precision {percent(truth.precision)}, recall {percent(truth.recall)}"
        )


def _print_diagnosis(workspace: Workspace, name: str) -> None:
    found = diagnose(workspace, workspace.attributes.get(name))
    for line in () if found is None else found.lines:
        print(f"  {line}")


def next_words(guidance: Guidance) -> str:
    """Return a step and its reason, with the command for it, or the page on which it is done."""
    how = "`bam export FILE`" if guidance.attribute is None and guidance.step == "done" else None
    return f"{guidance.summary} ({how or _way(guidance.step, guidance.attribute or '')})"


def _way(step: str, name: str) -> str:
    return _WAYS[step].format(name=name)
