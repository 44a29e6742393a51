"""What a demo adds to the pages: its start, the banner "Generated images", simulated annotators, and the ground truth.

A workspace of real images shows none of it, except the start while the workspace is empty.
"""

import html

import streamlit as st

from bam_engine.annotation import Attribute
from bam_engine.demo import demo_workspace, simulated_annotators
from bam_engine.formatting import count, percent
from bam_engine.team import Role
from bam_engine.training import certification, certification_store
from bam_engine.training.charts import TruePoint
from web import jobs, people, ui
from web.engine import workspace

JOB = "demo"
COUNTS = (300, 1000, 2000, 5000, 10_000)

_BAND = """<style>
.bam-band { display: flex; flex-wrap: wrap; gap: 0 .6rem; align-items: baseline; margin: 0; padding: .3rem .7rem;
  border-left: 3px solid light-dark(#a05a1c, #e0a060); border-radius: 0 4px 4px 0; font-size: .875rem; line-height: 1.4;
  background: light-dark(#f6eee3, #2b241b); color: light-dark(#5d3d17, #ecd3b0); }
.bam-band b { font-weight: 600; }
@media (max-width: 640px) { .bam-band { margin-top: 1.2rem; } }
</style>
<div class="bam-band" role="note"><b>Generated images</b><span>Demo data: the correct answers
are known.</span></div>"""


def banner() -> None:
    """Draw the banner above every page of a demo."""
    if demo_workspace.demo(workspace()) is not None:
        st.html(_BAND)


def try_demo() -> None:
    """Draw the button that makes a demo, its progress, or the button that resumes a stopped one."""
    ws = workspace()
    if jobs.show(JOB, unit="%") or not people.may(Role.OWNER):
        return
    stopped = demo_workspace.unfinished(ws)
    size = image_count(0 if stopped is None else stopped.count)
    label = "Try the demo" if stopped is None else "Go on with the demo"
    if st.button(label, type="primary", icon=":material/play_arrow:", key="try-demo", width="stretch"):
        seed = demo_workspace.SEED if stopped is None else stopped.seed
        ws.jobs.start(
            JOB,
            "Creating the demo",
            lambda report: demo_workspace.make_demo(ws, count=size, seed=seed, report=report),
            least=Role.OWNER,
        )
        st.rerun()


def image_count(fixed: int) -> int:
    """Draw the choice of how many images to generate; return the number, ``fixed`` if it is not 0."""
    if fixed:
        return fixed
    chosen = st.segmented_control(
        "Images", COUNTS, default=demo_workspace.COUNT, format_func=lambda number: f"{number:,}", key="demo-count"
    )
    return int(chosen or demo_workspace.COUNT)


def offer_labelling(attribute: Attribute, *, certifying: bool = False) -> bool:
    """Draw the controls that let simulated annotators label ``attribute``; return whether they are labelling now.

    ``certifying`` is for the certification that was started; without one, nothing is drawn.
    """
    ws = workspace()
    if not demo_workspace.has_truth(ws, attribute.name) or not people.may(Role.REVIEWER):
        return False
    name = f"simulate-{attribute.id}"
    if ws.jobs.is_running(name):
        jobs.show(name, unit="steps")
        return True
    pending = _certification_pending(attribute) if certifying else simulated_annotators.can_continue(ws, attribute)
    ended = ws.jobs.get(name)
    if pending or (ended is not None and jobs.is_news(ended)):
        with st.container(border=True):
            if pending:
                _form(attribute, name, certifying=certifying)
            _outcome(name)
    return False


def _certification_pending(attribute: Attribute) -> bool:
    current = certification_store.current(workspace(), attribute)
    if current is None:
        return False
    state = certification.state(workspace(), current)
    return state.task.total > state.task.answered or (state.next_batch > 0 and state.task.answered < current.planned)


def _form(attribute: Attribute, name: str, *, certifying: bool) -> None:
    ws = workspace()
    team = simulated_annotators.team_of(ws)
    with st.container(horizontal=True, vertical_alignment="center"):
        once = st.button("Auto-label this step", icon=":material/smart_toy:", key=f"{name}-once")
        whole = not certifying and st.button(
            "Auto-label to the end", icon=":material/fast_forward:", key=f"{name}-whole"
        )
        with st.popover("Simulation settings", icon=":material/tune:"):
            rate = st.number_input("Error rate (%)", 0.0, 49.0, 100 * team.error_rate, step=1.0, key=f"{name}-rate")
            people = st.number_input(
                "Votes required for training",
                1,
                simulated_annotators.MAX_VOTES,
                team.people,
                key=f"{name}-people",
                help="It holds for the whole workspace, for people too. Where two differ, others decide.",
            )
            judges = st.number_input(
                "Votes required for evaluation",
                1,
                simulated_annotators.MAX_VOTES,
                team.judges,
                key=f"{name}-judges",
                help="In the validation sample, in certifications and in audits.",
            )
    st.caption(
        f"Simulated annotators know the right answers and make mistakes on {percent(team.error_rate)} of images. They "
        "don't see scores. Their answers are counted apart from those of people."
    )
    if once or whole:
        chosen = simulated_annotators.choose_team(ws, error_rate=rate / 100, people=int(people), judges=int(judges))
        _start(attribute, name, chosen, whole=bool(whole), certifying=certifying)
        st.rerun()


def _start(attribute: Attribute, name: str, team: simulated_annotators.Team, *, whole: bool, certifying: bool) -> None:
    ws = workspace()
    if certifying:
        work = simulated_annotators.certify
    else:
        work = simulated_annotators.play if whole else simulated_annotators.play_one
    title = "Simulated annotators label"
    ws.jobs.start(name, title, lambda report: work(ws, attribute, team, report=report), least=Role.REVIEWER)


def _outcome(name: str) -> None:
    """Draw what the last job did: each step, or why it ended."""
    job = workspace().jobs.get(name)
    if job is None or job.running:
        return
    if job.state == "failed":
        st.warning(ui.plain(job.error), icon=":material/info:")
    elif job.state == "stopped":
        st.info(ui.plain(job.message), icon=":material/pause_circle:")
    elif job.result is not None:
        lines = job.result.lines or ("there was nothing left to answer",)
        st.markdown("**Done by simulated annotators** · " + ui.plain(" · ".join(lines)))


def truth_note(attribute: Attribute, cut: float | None = None) -> None:
    """Draw the ground truth of ``attribute`` at the current threshold or at ``cut``."""
    ws = workspace()
    truth = demo_workspace.ground_truth(ws, attribute)
    if truth is None:
        return
    at = truth.threshold if cut is None else demo_workspace.true_performance(ws, attribute, cut)
    facts = [f"{truth.positive:,} of {count(truth.images, 'image')} positive"]
    if at is not None:
        facts += [f"precision {percent(at.precision)}", f"recall {percent(at.recall)}"]
    if truth.audited is not None and cut is None:
        facts.append(f"precision of the audited images {percent(truth.audited)}")
    if truth.missed is not None and cut is None:
        facts.append(f"missed positives {percent(truth.missed)}")
    if truth.labels:
        facts.append(f"{truth.wrong:,} of {count(truth.labels, 'label')} wrong")
    words, who = " · ".join(facts), simulated_annotators.count_answers(ws, attribute)
    answers = f"Answers: {who.people:,} by people, {who.simulated:,} by simulated annotators."
    st.html(
        f'{_TRUTH}<div class="bam-truth" role="note"><b>Ground truth</b> {html.escape(words)}. '
        f"<i>Known only because the collection is generated.</i> {answers}</div>"
    )


_TRUTH = """<style>.bam-truth { border: 1px dashed light-dark(#a05a1c, #e0a060); border-radius: 6px;
  padding: .45rem .8rem; font-size: .9375rem; line-height: 1.5; color: light-dark(#5d3d17, #ecd3b0); }</style>"""


def true_points(attribute: Attribute) -> tuple[TruePoint, ...]:
    """Return the true values after each round, for the learning curve; nothing where they are unknown."""
    truth = demo_workspace.ground_truth(workspace(), attribute)
    return () if truth is None else truth.learning_points


def simulated_note(attribute: Attribute | None = None) -> None:
    """Draw how many answers people and simulated annotators gave; nothing without simulated ones."""
    answers = simulated_annotators.count_answers(workspace(), attribute)
    if answers.simulated:
        st.caption(
            f"{count(answers.people, 'answer')} by people, {answers.simulated:,} by simulated annotators, who know "
            "the truth of generated images."
        )
