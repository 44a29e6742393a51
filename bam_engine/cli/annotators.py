"""``annotator``: who answers and how well; rename, merge, archive or pause them, set answers aside, mix in gold."""

import json
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from typing import Any

from bam_engine.annotation.mixing import Schedule
from bam_engine.annotation.pauses import Pause
from bam_engine.cli.arguments import EPILOG, Commands, add_command
from bam_engine.errors import BamError
from bam_engine.formatting import count
from bam_engine.labelling import gold, pausing
from bam_engine.labelling.agreement import answers_by_annotator
from bam_engine.labelling.flags import flags
from bam_engine.labelling.measures import Measure
from bam_engine.labelling.pace import paces
from bam_engine.labelling.pausing import PauseRule
from bam_engine.labelling.tasks import attribute_of
from bam_engine.labelling.with_others import compared_with_others
from bam_engine.training import setting_aside
from bam_engine.workspace import Workspace
from bam_engine.workspace.flow import one_flow


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the command and its subcommands to the parser."""
    text = "list, rename, merge, archive or pause annotators, set their answers aside, or mix in gold"
    command = commands.add_parser("annotator", help=text, description=f"{text.capitalize()}.", epilog=EPILOG)
    actions = command.add_subparsers(title="actions", metavar="ACTION", required=True)
    action = add_command(actions, "list", list_all, "list the annotators with their answers")
    action.add_argument("--json", action="store_true", help="print them as JSON, compared with others, with intervals")
    action = add_command(actions, "show", show, "print how well one annotator answers")
    action.add_argument("name")
    action.add_argument("--json", action="store_true", help="print it as JSON, with intervals")
    action = add_command(actions, "rename", rename, "give an annotator another name")
    action.add_argument("name")
    action.add_argument("new", metavar="new-name")
    action = add_command(actions, "merge", merge, "let the answers of an annotator count for another, the same person")
    action.add_argument("name")
    action.add_argument("into")
    action = add_command(actions, "separate", separate, "undo a merge")
    action.add_argument("name")
    action = add_command(actions, "archive", archive, "let an annotator answer no more; their answers count as before")
    action.add_argument("name")
    action = add_command(actions, "restore", restore, "bring an archived annotator back")
    action.add_argument("name")
    action = add_command(actions, "set-aside", set_aside, "let what a person has answered so far count for nothing")
    _add_subject(action)
    action.add_argument("--as", dest="annotator", metavar="NAME", help="who does it: the name of an annotator")
    action = add_command(actions, "bring-back", bring_back, "let answers that were set aside count again")
    _add_subject(action)
    text = "mix images whose answer is known into assignments, unmarked, to learn how well each person answers"
    action = add_command(actions, "gold", mix_gold, text)
    change = action.add_mutually_exclusive_group()
    text = "percentages of the first 10 images of a person, of the next 40, and of all later ones: 50 20 5, say"
    change.add_argument("--shares", nargs=3, type=float, metavar=("FIRST", "NEXT", "LATER"), help=text)
    change.add_argument("--off", action="store_true", help="mix in none any more")
    action.add_argument("--json", action="store_true", help="print the shares and what is known as JSON")
    text = "pause whoever is surely right on too little gold, when they next ask for images; or print the rule"
    action = add_command(actions, "rules", rules, text)
    change = action.add_mutually_exclusive_group()
    text = "after at least so many gold images, whoever is right on less than this percentage with 95%% confidence"
    change.add_argument("--gold", nargs=2, type=float, metavar=("IMAGES", "PERCENT"), help=text)
    change.add_argument("--off", action="store_true", help="pause nobody by a rule any more")
    action.add_argument("--json", action="store_true", help="print the rule, and who falls below it, as JSON")
    action = add_command(actions, "pause", pause, "give somebody no images for now; their answers count as before")
    action.add_argument("name")
    action.add_argument("--reason", default="", help="what they are told")
    action = add_command(actions, "resume", resume, "let somebody go on who is paused")
    action.add_argument("name")


def _add_subject(action: ArgumentParser) -> None:
    action.add_argument("name")
    action.add_argument("--attribute", metavar="NAME", help="answers about this attribute alone (default: about all)")
    action.add_argument("--preview", action="store_true", help="only print what it would change")


@one_flow
def list_all(workspace: Workspace, options: Namespace) -> None:
    """Print the annotators with their answers and flags, who is merged into whom, and which names may be one's."""
    if options.json:
        print(json.dumps(_payload(workspace), indent=2, ensure_ascii=False))
        return
    answers, flagged, on_gold = answers_by_annotator(workspace), flags(workspace), gold.accuracies(workspace)
    aside, paused = setting_aside.set_aside_by_annotator(workspace), workspace.pauses.now()
    pace = paces(workspace)
    for one in workspace.annotators.all():
        facts = [count(answers.get(one.id, 0), "answer")]
        facts += [f"{aside[one.id]:,} set aside"] if one.id in aside else []
        facts += [*["simulated"] * one.simulated, *["archived"] * one.archived, *["paused"] * (one.id in paused)]
        print(f"{one.name}: {', '.join(facts)}")
        if one.id in paused:
            print(f"  {_paused(paused[one.id])}")
        if one.id in flagged:
            print(f"  {flagged[one.id].text}")
        if one.id in pace and pace[one.id].too_fast:
            print(f"  {pace[one.id].text}")
        for found in on_gold.get(one.id, []):
            print(f"  {found.text}")
    for one, other in workspace.annotators.merged():
        print(f"{one.name}: merged into {other.name}")
    print_spellings(workspace)


@one_flow
def show(workspace: Workspace, options: Namespace) -> None:
    """Print all that is known of how one annotator answers."""
    who = workspace.annotators.get(options.name)
    (known,) = (one for one in _payload(workspace) if one["name"] == who.name)
    if options.json:
        print(json.dumps(known, indent=2, ensure_ascii=False))
        return
    aside = f", {known['set_aside']:,} set aside" if known["set_aside"] else ""
    print(f"{who.name}: {count(known['answers'], 'answer')}{aside}")
    paused = workspace.pauses.now().get(who.id)
    lines = [] if paused is None else [_paused(paused)]
    lines += [known["flag"]] if known["flag"] else []
    own_pace = paces(workspace).get(who.id)
    lines += [] if own_pace is None else [own_pace.text]
    lines += [one.text for one in gold.accuracies(workspace).get(who.id, [])]
    lines += [one.text for one in compared_with_others(workspace).get(who.id, [])]
    for line in lines:
        print(line)


def mix_gold(workspace: Workspace, options: Namespace) -> None:
    """Change by which schedule gold is mixed in, and print it with what is known of each attribute."""
    if options.shares:
        gold.set_schedule(workspace, Schedule(*(share / 100 for share in options.shares)))
    elif options.off:
        gold.set_schedule(workspace, None)
    now, states = gold.schedule(workspace), gold.states(workspace)
    if options.json:
        shares = None if now is None else [now.first, now.following, now.later]
        known = {one.attribute.name: one.known for one in states}
        print(json.dumps({"shares": shares, "needed": gold.ENOUGH, "known": known}, indent=2, ensure_ascii=False))
        return
    hint = "no gold is mixed in (start: bam annotator gold --shares 50 20 5)"
    print(hint if now is None else f"gold: {gold.in_words(now)} (stop: bam annotator gold --off)")
    for one in states:
        print(f"{one.attribute.name}: {one.text}")


def rules(workspace: Workspace, options: Namespace) -> None:
    """Change the rule by which people are paused, and print it with those who fall below it."""
    if options.gold:
        after, below = options.gold
        if not after.is_integer():
            raise BamError(f"{after:g} is no number of images. Give a whole one.")
        pausing.set_rule(workspace, PauseRule(int(after), below / 100))
    elif options.off:
        pausing.set_rule(workspace, None)
    now, names = pausing.rule(workspace), workspace.annotators.names()
    falling = pausing.falling_below(workspace, now)
    if options.json:
        told = {names[who]: {"right": _share(one.right), "at_most": one.at_most} for who, one in falling.items()}
        rule = None if now is None else asdict(now)
        print(json.dumps({"gold": rule, "confidence": pausing.CONFIDENCE, "falling": told}, indent=2))
        return
    hint = "no rule pauses anybody (start: bam annotator rules --gold 20 70)"
    print(hint if now is None else f"gold: {now.text} (stop: bam annotator rules --off)")
    for who, one in falling.items():
        print(f"{names[who]} is paused when they next ask for images: {one.text}")


def pause(workspace: Workspace, options: Namespace) -> None:
    """Pause somebody."""
    who = workspace.annotators.get(options.name)
    before = workspace.pauses.now().get(who.id)
    made = pausing.pause(workspace, who, options.reason)
    again = " already" if before is not None else ""
    print(
        f"{who.name} is{again} {_paused(made)[0].lower()}{_paused(made)[1:]} (undo: bam annotator resume {who.name!r})"
    )


def resume(workspace: Workspace, options: Namespace) -> None:
    """Let somebody go on."""
    who = workspace.annotators.get(options.name)
    if who.id not in workspace.pauses.now():
        print(f"{who.name} is not paused: nothing changes")
        return
    pausing.resume(workspace, who)
    print(f"{who.name} can go on (undo: bam annotator pause {who.name!r})")


def _paused(pause: Pause) -> str:
    """Return since when somebody is paused, by whom and why."""
    by, reason = "the rule" if pause.by_rule else "an owner", f": {pause.reason}" if pause.reason else ""
    return f"Paused since {pause.made_at[:10]} {pause.made_at[11:16]} UTC by {by}{reason}"


def _payload(workspace: Workspace) -> list[dict[str, Any]]:
    """Return the annotators with all that is known of how they answer."""
    paused = workspace.pauses.now()
    answers, aside = answers_by_annotator(workspace), setting_aside.set_aside_by_annotator(workspace)
    flagged, compared, on_gold = flags(workspace), compared_with_others(workspace), gold.accuracies(workspace)
    return [
        {
            "name": one.name,
            "simulated": one.simulated,
            "archived": one.archived,
            "answers": answers.get(one.id, 0),
            "set_aside": aside.get(one.id, 0),
            "paused": asdict(paused[one.id]) if one.id in paused else None,
            "flag": flagged[one.id].text if one.id in flagged else None,
            "with_others": [
                {"attribute": each.attribute, **{name: _share(getattr(each, name)) for name in _SHARES}}
                for each in compared.get(one.id, [])
            ],
            "gold": [
                {"attribute": each.attribute, **{name: _share(getattr(each, name)) for name in _GOLD_SHARES}}
                for each in on_gold.get(one.id, [])
            ],
        }
        for one in workspace.annotators.all()
    ]


_GOLD_SHARES = ("right", "right_on_yes", "right_on_no")
_SHARES = ("agreement", "agreement_on_yes", "agreement_on_no", "yes", "others_yes")


def _share(found: Measure) -> dict[str, float | int] | None:
    """Return a share with its 95% interval and its number of images; None without any."""
    if found.value is None:
        return None
    return {"value": found.value, "low": found.low, "high": found.high, "images": found.n}


def print_spellings(workspace: Workspace) -> None:
    """Print which annotators are probably one person, with the command that merges them."""
    for first, *others in workspace.annotators.spellings():
        for other in others:
            print(
                f"{first.name!r} and {other.name!r} are spellings of one name, but count as two people; if they are "
                f"one, merge them: bam annotator merge {other.name!r} {first.name!r}"
            )


def rename(workspace: Workspace, options: Namespace) -> None:
    """Give an annotator another name."""
    before = workspace.annotators.get(options.name)
    after = workspace.annotators.rename(before.id, options.new)
    print(f"{before.name} is called {after.name} (undo: bam annotator rename {after.name!r} {before.name!r})")


def merge(workspace: Workspace, options: Namespace) -> None:
    """Merge an annotator into another one."""
    one, other = workspace.annotators.get(options.name), workspace.annotators.get(options.into)
    workspace.annotators.merge(one.id, other.id)
    print(f"the answers of {one.name} count for {other.name} (undo: bam annotator separate {one.name!r})")


def separate(workspace: Workspace, options: Namespace) -> None:
    """Undo a merge."""
    one, other = workspace.annotators.get_merged(options.name)
    workspace.annotators.separate(one.id)
    print(f"{one.name} and {other.name} are two people (undo: bam annotator merge {one.name!r} {other.name!r})")


def archive(workspace: Workspace, options: Namespace) -> None:
    """Archive an annotator."""
    annotator = workspace.annotators.get(options.name)
    workspace.annotators.archive(annotator.id)
    print(f"{annotator.name} is archived (undo: bam annotator restore {annotator.name!r})")


def restore(workspace: Workspace, options: Namespace) -> None:
    """Bring an archived annotator back."""
    annotator = workspace.annotators.get(options.name)
    workspace.annotators.restore(annotator.id)
    print(f"{annotator.name} can answer again (undo: bam annotator archive {annotator.name!r})")


def set_aside(workspace: Workspace, options: Namespace) -> None:
    """Set aside what a person has answered so far."""
    _set_aside(workspace, options, counted=False)


def bring_back(workspace: Workspace, options: Namespace) -> None:
    """Let answers that were set aside count again."""
    _set_aside(workspace, options, counted=True)


def _set_aside(workspace: Workspace, options: Namespace, *, counted: bool) -> None:
    """Print what setting aside or bringing back changes, and do it unless that is all that is wanted."""
    who = workspace.annotators.get(options.name)
    about = None if options.attribute is None else attribute_of(workspace, options.attribute)
    found = setting_aside.effects(workspace, who, about, counted=counted)
    if not found:
        subject = "" if about is None else f" about {about.name}"
        print(f"{who.name} has no answer{subject} that {'is set aside' if counted else 'counts'}: nothing changes")
        return
    for one in found:
        print(f"{one.attribute.name}: {one.text}")
    if options.preview:
        print("nothing is changed yet: this is a preview")
        return
    alone = not setting_aside.effects(workspace, who, about, counted=not counted)  # else the opposite does more
    if counted:
        setting_aside.bring_back(workspace, who, about)
    else:
        setting_aside.set_aside(workspace, who, about, by=options.annotator)
    other = f"bam annotator {'set-aside' if counted else 'bring-back'} {who.name!r}"
    other += "" if about is None else f" --attribute {about.name}"
    number = sum(one.answers for one in found)
    one_does, several_do = ("counts again", "count again") if counted else ("is set aside", "are set aside")
    more = "sets aside those that counted before too" if counted else "brings back those set aside before too"
    hint = f"undo: {other}" if alone else f"no command undoes this alone: {other} {more}"
    print(f"{count(number, 'answer')} of {who.name} {one_does if number == 1 else several_do} ({hint})")
