"""``status``: the state of the workspace, and the next step."""

from argparse import ArgumentParser, Namespace

from bam_engine.cli.annotators import print_spellings
from bam_engine.cli.arguments import Commands, add_command
from bam_engine.database.daily_copies import problem_of
from bam_engine.formatting import count, percent, percent_interval
from bam_engine.reporting.overview import AttributeSummary, NextStep, overview
from bam_engine.switching.moving import preparation
from bam_engine.training.diagnosis import diagnose
from bam_engine.workspace import Workspace
from bam_engine.workspace.flow import one_flow

_NEXT = {
    "add_images": "add images (`bam ingest FOLDER`)",
    "embed": "embed {images} (`bam embed`)",
    "add_attribute": "define an attribute (`bam attribute add NAME`)",
    "draw_validation": "draw a validation sample for {name} (in the app: Rounds)",
    "label_validation": "label the validation sample of {name} (in the app: Annotate)",
    "start_round": "start the next round of {name} (in the app: Rounds)",
    "label_round": "label round {round} of {name} (in the app: Annotate)",
    "train": "train {name} on round {round} (`bam score {name}`)",
    "diagnose": "see why {name} does not learn (above; in the app: Rounds)",
    "decide": "choose a threshold for {name} (`bam threshold {name}`)",
    "audit": "audit {name} (`bam audit {name} --draw`)",
    "done": "export the dataset (`bam export FILE`)",
}


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the command to the parser."""
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


def next_words(step: NextStep) -> str:
    """Return a step as a command, or as the page on which it is done."""
    images = count(step.images, "image")
    return _NEXT[step.step].format(name=step.attribute, round=step.round, images=images)
