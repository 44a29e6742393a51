"""Rounds: the validation sample, the rounds of labelling and training, and what each of them changed."""

from collections import Counter
from collections.abc import Callable
from typing import Literal, TypedDict

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from bam_engine.annotation import Attribute
from bam_engine.errors import BamError, LearningError, NoThreshold
from bam_engine.formatting import NOTHING, count, decimal, decimal_range, percent, percent_range
from bam_engine.gallery import search
from bam_engine.guidance.guidance import Guidance, guidance_of
from bam_engine.guidance.sizes import sizes
from bam_engine.labelling import tasks
from bam_engine.labelling.missing_images import missing_image_problems
from bam_engine.labelling.tasks import TaskState
from bam_engine.learning import MATCHES_TEXT, STRATEGIES, Batch
from bam_engine.training import prompts, querying, rounds, thresholds, validation
from bam_engine.training.charts import LearningPoint, learning_curve, score_distribution
from bam_engine.training.diagnosis import judge
from bam_engine.training.models import TrainedModel
from bam_engine.training.rounds import AttributeState
from bam_engine.training.score_counts import labelled_scores
from bam_engine.training.thresholds import current_threshold
from bam_engine.workspace.membership import count_images
from bam_engine.workspace.vectors import supports_text
from web import charts, demo_controls, encoder_notes, jobs, ui
from web.advice import diagnosis, offer_training
from web.components.gallery import Picture, gallery
from web.engine import workspace
from web.image_panel import open_image
from web.navigation import go
from web.picture_strips import contradicted
from web.steps import attribute_in_focus

Interval = tuple[float, float, float]  # value, low, high
MEASURED = ("average precision", "precision", "recall")

STARTS = {"spread": "Diverse sample", "text": "Text", "examples": "Example images"}
LATER_STARTS = {"text": "images that match a text", "examples": "images similar to the ones you choose"}
BY_SCORE = ("mixture", "margin", "top", "diverse")
LOOKS = {"everything": "All images", "neighbours": "Near labelled images"}


class Options(TypedDict, total=False):
    """How the images of a round are chosen; see :func:`querying.propose`."""

    strategy: str
    seeds: list[int]
    text: str
    candidates: str


ws = workspace()
ui.head(
    "Rounds",
    "Each round selects the most informative images, trains on your answers and rescores the collection.",
)


def steps(state: AttributeState, *, finished: bool) -> None:
    """Draw the progress of the validation sample and of each round, also of those to come unless it is ``finished``."""
    planned = 0 if finished else rounds.DEFAULT_ROUNDS
    cells = iter(st.columns(1 + max(planned, len(state.rounds))))
    step(next(cells), "Validation", state.validation, "")
    learned = max((round_.number for round_ in state.rounds if round_.model), default=0)
    for round_ in state.rounds:
        note = "" if round_.number <= learned else " · not trained yet"
        step(next(cells), f"Round {round_.number}", round_.state, note)
    for number, cell in enumerate(cells, start=len(state.rounds) + 1):
        step(cell, f"Round {number}", None, "")


def step(cell: DeltaGenerator, name: str, task: TaskState | None, note: str) -> None:
    """Draw the progress of one task: labelled and positive images."""
    if task is None or task.total == 0:
        cell.metric(name, NOTHING, "Not started", delta_color="off", delta_arrow="off")
    else:
        note += f" · {task.missing:,} cannot be shown" if task.missing else ""
        words = f"{task.positive:,} positive{note}"
        cell.metric(name, f"{task.answered:,}/{task.total:,}", words, delta_color="off", delta_arrow="off")


def draw_validation(attribute: Attribute, label: str, *, default: int, why: str = "", asked_for: bool = True) -> None:
    """Draw the form that draws validation images, and why it is time to."""
    with st.form(f"validation-{attribute.id}", border=True):
        st.markdown(
            "**The validation sample** is drawn at random, labelled by people, and never trained on. Precision and "
            "recall are measured on it. More images give narrower intervals."
        )
        if why:
            st.markdown(ui.plain(why.removeprefix("Precision and recall are measured on it. ")))
        most = max(1, len(ws.vectors()))
        size = st.number_input("Images", 1, most, min(default, most), step=10)
        if st.form_submit_button(label, type="primary" if asked_for else "secondary"):
            validation.draw_validation(ws, attribute, int(size))
            st.query_params.pop("images", None)
            st.rerun()


def images_asked_for(attribute: Attribute) -> int | None:
    """Return how many more validation images a page has asked for: the one that led here, or the diagnosis on this one.

    None where none did.
    """
    linked = st.query_params.get("images", "")
    if linked.isdecimal():
        return max(1, int(linked[:9]))
    verdict = judge(ws, attribute)
    return None if verdict is None else verdict.more


def found(text: str) -> list[int]:
    """Return the best matches of a text, and say why where there can be none."""
    try:
        return [int(row) for row in search.find(ws, text, 60).rows]
    except BamError as error:
        st.warning(ui.plain(str(error)), icon=":material/search_off:")
        return []


def choose_examples(attribute: Attribute) -> list[int]:
    """Draw images to pick examples from; return the rows picked so far."""
    key = f"examples-{attribute.id}"
    chosen: list[int] = st.session_state.setdefault(key, [])
    text = st.text_input("Search", key=f"{key}-text", placeholder=ui.search_hint())
    shown = found(text) if text.strip() else search.random_rows(ws, 60)
    shown = [*chosen, *(row for row in shown if row not in chosen)]
    picked = gallery(
        [Picture(row) for row in shown],
        key=f"{key}-grid",
        version=ws.picture_version,
        size=84,
        height=330,
        selected=chosen,
    )
    if picked is not None:
        st.session_state[key] = [r for r in chosen if r != picked] if picked in chosen else [*chosen, picked]
        st.rerun()
    if text.strip() and not search.searches_by_meaning(ws):
        ui.searched_note()
    st.caption(f"{len(chosen)} selected. Click an image to select it, again to deselect it.")
    return chosen


def start_round(state: AttributeState, *, asked_for: bool, why: str = "") -> None:
    """Draw the button that starts the next round, why it is time to, the options, and a preview of its images.

    The button stands out where a round is the next step.
    """
    attribute, number = state.attribute, len(state.rounds) + 1
    with st.container(border=True):
        if why:
            st.markdown(f"**Next:** {ui.plain(why)}")
        begin = st.container()
        options: Options = {}
        left, middle, right = st.columns([2, 5, 3])
        size = int(left.number_input("Batch size", 1, 1000, usual.batch, step=10, key=f"count-{attribute.id}"))
        with middle:
            start = first_start(attribute) if state.model is None else later_start(attribute)
        with right:
            if state.model is not None and start in BY_SCORE:
                options["candidates"] = choose_candidates(attribute)
        if start == "text":
            options["text"] = write_prompts(attribute)
            if not options["text"].strip():
                begin.info("Describe what to look for.", icon=":material/info:")
                return
        elif start is not None and start in STRATEGIES:
            options["strategy"] = start
        if start == "examples":
            options["seeds"] = choose_examples(attribute)
            if not options["seeds"]:
                begin.info("Select at least one example image.", icon=":material/info:")
                return
        seed = attribute.id * 1000 + number
        used, batch = querying.propose(ws, attribute, count=size, seed=seed, **options)
        kind: Literal["primary", "secondary"] = "primary" if asked_for else "secondary"
        key = f"start-{attribute.id}-{number}-{ws.choice.key}-{state.model and state.model.id}"  # of what is previewed
        if begin.button(f"Start round {number}", type=kind, icon=":material/play_arrow:", key=key):
            if start == "text":
                prompts.save_prompts(ws, attribute, options["text"])
            rounds.start_round(ws, attribute, count=size, seed=seed, **options)
            go("annotate", attribute.name)
        preview(attribute, batch, used, options.get("text", ""))


def preview(attribute: Attribute, batch: Batch, strategy: str, text: str) -> None:
    """Draw the images that a round would ask about, and why."""
    reasons = " · ".join(f"{n} {reason}" for reason, n in Counter(batch.reasons).most_common())
    st.caption(f"Preview: {ui.plain(reasons)} (strategy: {strategy})")
    pictures = pictures_of(batch, text)
    picked = gallery(pictures, key=f"next-{attribute.id}", version=ws.picture_version, size=110, height=380)
    if picked is not None:
        open_image(picked)


def write_prompts(attribute: Attribute) -> str:
    """Draw the prompts of the attribute; return them."""
    return st.text_area(
        "What to look for",
        prompts.prompts_of(ws, attribute),
        key=f"prompts-{attribute.id}",
        height=110,
        help="One description a line, such as “a photo of a dog”; several are averaged. A line that begins with “not” "
        "describes images that look alike and are none: “not a photo of a wolf”.",
    )


def pictures_of(batch: Batch, text: str) -> list[Picture]:
    """Return the pictures of a batch, each with its reason and, for one from a text, with the encoder's guess."""
    if not text:
        return [Picture(int(row), why, why) for row, why in zip(batch.rows, batch.reasons, strict=True)]
    st.caption(
        "Images are sorted by how well they match the text. That is a guess, not a label: nothing is trained on it."
    )
    shares = prompts.shares_ahead(ws, prompts.Prompts.parse(text), batch.rows)
    return [
        Picture(
            int(row),
            f"weak guess: top {percent(share)}" if reason.startswith(MATCHES_TEXT) else reason,
            f"{reason} · weak guess: among the best {percent(share)}",
        )
        for row, reason, share in zip(batch.rows, batch.reasons, shares.tolist(), strict=True)
    ]


def first_start(attribute: Attribute) -> str | None:
    """Draw the starts of a first round; return the chosen one."""
    starts = {key: text for key, text in STARTS.items() if key != "text" or supports_text(ws)}
    key = ui.start_key(attribute)
    st.session_state.setdefault(key, "text" if "text" in starts else "spread")
    return st.segmented_control("Start from", list(starts), format_func=starts.__getitem__, key=key)


def later_start(attribute: Attribute) -> str:
    """Draw the strategies and other starts of a later round; return the chosen one."""
    ways = {**STRATEGIES, **{key: text for key, text in LATER_STARTS.items() if key != "text" or supports_text(ws)}}
    key = ui.start_key(attribute)
    if st.session_state.get(key) not in ways:
        st.session_state[key] = "mixture"
    return st.selectbox("Selection strategy", list(ways), format_func=lambda name: f"{name}: {ways[name]}", key=key)


def choose_candidates(attribute: Attribute) -> str:
    """Draw the choice of candidates: all images, or neighbours of the labelled ones; return its key."""
    usual = querying.default_candidates(ws, attribute)
    key = f"look-{attribute.id}"
    st.session_state.setdefault(key, usual)
    chosen = st.segmented_control(
        "Candidates",
        list(LOOKS),
        format_func=LOOKS.__getitem__,
        key=key,
        help=f"All images: {querying.CANDIDATES['everything']}. Near labelled images: "
        f"{querying.CANDIDATES['neighbours']}; faster, and finds fewer positives.",
    )
    return chosen or usual


def history(state: AttributeState) -> None:
    """Draw the images that each round selected, and why."""
    if not state.rounds:
        return
    with st.expander("Images of each round"):
        names = {round_.number: f"Round {round_.number}" for round_ in state.rounds}
        last = len(state.rounds)
        key = f"history-{state.attribute.id}"
        chosen = st.segmented_control("Round", list(names), default=last, format_func=names.__getitem__, key=key)
        number = chosen or last
        round_ = state.rounds[number - 1]
        why, marks = rounds.reasons(ws, round_), search.marks(ws, state.attribute)
        st.caption(f"{count(len(why), 'image')}. Strategy: {ui.plain(round_.strategy)}; seed {round_.seed}.")
        pictures = [
            Picture(row, reason, reason_words(reason, score), marks.get(row, ""))
            for row, (reason, score) in why.items()
        ]
        picked = gallery(pictures, key=f"{key}-{number}", version=ws.picture_version, size=110, height=380)
        if picked is not None:
            open_image(picked)


def reason_words(reason: str, score: float | None) -> str:
    """Return why an image was queried, with its score at that time where it had one."""
    return reason if score is None else f"{reason} · score then {decimal(score)}"


def missing_images(state: AttributeState) -> None:
    """List the images of the open tasks that cannot be shown."""
    incomplete = [round_ for round_ in state.rounds if round_.state.missing]
    rows = [row for round_ in incomplete for row in round_.task.rows]
    if state.validation.missing:
        rows += list(tasks.validation_task(ws, state.attribute).rows)
    problems = missing_image_problems(ws, rows) if rows else []
    note = "Nobody is asked about an image with neither a thumbnail nor a readable file, until the file is back."
    ui.problem_list("Images that cannot be shown", problems, note)


def changes(state: AttributeState, guidance: Guidance) -> None:
    """Draw the effect of the rounds by the labels of now: estimates, diagnosis, learning curve and scores."""
    model = state.model
    if model is None:
        return
    cells = st.columns(5)
    rows, answers = querying.training_labels(ws, state.attribute)
    positive = f"{int((answers == 1).sum()):,} positive"
    taught = "" if model.labels == len(rows) else f" · {model.labels:,} taught the model"
    cells[0].metric("Labels", f"{len(rows):,}", positive + taught, delta_color="off", delta_arrow="off")
    metric(cells[1], "Average precision", guidance.interval("average precision"), decimal, decimal_range)
    metric(cells[2], "Precision", guidance.interval("precision"), percent, percent_range)
    metric(cells[3], "Recall", guidance.interval("recall"), percent, percent_range)
    flipped = None if model.measurement is None else model.measurement.flipped
    cells[4].metric(
        "Decisions changed",
        NOTHING if flipped is None else f"{flipped:,}",
        help="Images that the last round moved across the class boundary.",
    )
    no_threshold(state.attribute, guidance)
    if not (guidance.facts and guidance.facts.saved):  # whoever has chosen a threshold asks no more whether it learns
        diagnosis(state.attribute)
    offer_training(state)
    points = [learning_point(round_.model) for round_ in state.rounds if round_.model]
    if points and state.rounds[-1].model is not None:
        points[-1] = LearningPoint(model.labels, *(guidance.interval(name) for name in MEASURED))
    left, right = st.columns(2, gap="large")
    with left:
        chart = learning_curve(points, demo_controls.true_points(state.attribute))
        charts.show(chart, f"learning-curve-{state.attribute.name}")
    with right:
        scores, threshold = labelled_scores(ws, state.attribute), current_threshold(ws, state.attribute)
        chart = score_distribution(
            scores.every, scores.by_name, threshold=None if threshold is None else threshold.value
        )
        charts.show(chart, f"scores-{state.attribute.name}")
    st.caption("95% confidence intervals. Precision and recall are those at the threshold.")
    contradicted(state.attribute)
    demo_controls.truth_note(state.attribute)


def no_threshold(attribute: Attribute, guidance: Guidance) -> None:
    """Say why no threshold reaches the target, where that is so and something could be measured."""
    if guidance.facts is None or guidance.facts.threshold is not None:
        return
    try:
        thresholds.suggest(ws, attribute, target=guidance.facts.target)
    except NoThreshold as error:
        st.caption(ui.plain(str(error)))
    except LearningError:
        pass  # the diagnosis says what cannot be measured


def metric(
    cell: DeltaGenerator,
    name: str,
    estimate: Interval | None,
    number: Callable[[float], str],
    limits: Callable[[float, float], str],
) -> None:
    """Draw an estimate with its limits, or a dash where there is none."""
    if estimate is None:
        cell.metric(name, NOTHING)
    else:
        value, low, high = estimate
        cell.metric(name, number(value), limits(low, high), delta_color="off", delta_arrow="off")


def learning_point(model: TrainedModel) -> LearningPoint:
    """Return the labels of a trained round, and its estimates when it was trained."""
    if (measured := model.measurement) is None:
        return LearningPoint(model.labels, None, None, None)
    average = measured.average_precision_interval
    return LearningPoint(model.labels, average, measured.precision_interval, measured.recall_interval)


attribute = attribute_in_focus("rounds")
if attribute is None:
    st.stop()
state, guidance = rounds.state(ws, attribute), guidance_of(ws, attribute)
usual = sizes(count_images(ws))
if guidance.step == "embed":
    ui.show_next(guidance)
    st.stop()
steps(state, finished=guidance.step == "done")
encoder_notes.belongs_to(attribute, quiet=True)
if demo_controls.offer_labelling(attribute):
    st.stop()
facts = guidance.facts
failed = None
if guidance.step == "draw_validation":
    draw_validation(attribute, "Create validation sample", default=usual.validation, why=guidance.reason)
elif guidance.step == "train":
    jobs.train_when_due(attribute, state.rounds[-1].number)
    failed = ws.jobs.get(jobs.training(attribute, state.rounds[-1].number))
elif guidance.step == "diagnose":
    if facts is not None and facts.learned != "no":  # the diagnosis says so below
        st.warning(ui.plain(guidance.summary), icon=":material/troubleshoot:")
elif guidance.step == "start_round":
    start_round(state, asked_for=True, why=guidance.summary)
else:
    ui.show_next(guidance)
changes(state, guidance)
if failed is not None and failed.state == "failed":
    start_round(state, asked_for=True)
elif (
    facts is not None
    and facts.model
    and facts.askable
    and guidance.step not in ("train", "label_validation", "start_round")
):
    with st.expander("Start another round"):
        start_round(state, asked_for=False)
history(state)
missing_images(state)
if state.validation.complete and guidance.step != "draw_validation":
    needed = images_asked_for(attribute)
    with st.expander("Add validation images", expanded=needed is not None):
        draw_validation(attribute, "Add images", default=needed or max(10, usual.validation // 2), asked_for=False)
