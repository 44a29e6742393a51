"""Agreement is measured on votes only, with intervals, or a reason where it is undefined."""

import numpy as np
import pytest

from bam_engine.annotation import Answers, Attribute
from bam_engine.annotation.agreement import kappa_of, tabulate
from bam_engine.audit import audits
from bam_engine.cli import main
from bam_engine.labelling import agreement, measures, tasks
from bam_engine.labelling.measures import Measure
from bam_engine.learning.intervals import Proportions
from bam_engine.training import thresholds
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.labelling.team import decide, vote


def test_agreement_is_measured_on_votes_only(team: Workspace, watercolor: Attribute) -> None:
    before = agreement.measure(team, watercolor)
    assert (before.answered, before.shared) == (6, 5)
    assert before.raw.value == pytest.approx(3 / 5)
    (pair,) = before.pairs
    assert (pair.first, pair.second, pair.shared) == ("ada", "ben", 5)
    assert pair.raw.value == pytest.approx(3 / 5)
    assert pair.kappa.value == pytest.approx((3 / 5 - 9 / 25) / (1 - 9 / 25))
    decide(team, watercolor, "ada", {2: 0, 3: 1, 4: 1})
    after = agreement.measure(team, watercolor)
    assert (after.raw, after.alpha, after.pairs) == (before.raw, before.alpha, before.pairs)
    assert [line.name for line in after.annotators] == ["ada", "ben"]


def test_a_new_answer_is_measured_at_once(team: Workspace, watercolor: Attribute) -> None:
    assert agreement.measure(team, watercolor).shared == 5
    vote(team, watercolor, "ben", {5: 1})
    assert agreement.measure(team, watercolor).raw.value == pytest.approx(4 / 6)
    vote(team, watercolor, "ben", {5: -2})
    assert agreement.measure(team, watercolor).shared == 5


def test_every_number_has_an_interval_around_it(workspace: Workspace, watercolor: Attribute) -> None:
    workspace.redundancy = 3
    rng = np.random.default_rng(1)
    truth = rng.random(80) < 0.4
    for name, right in (("ada", 0.95), ("ben", 0.9), ("cleo", 0.8)):
        said = np.where(rng.random(80) < right, truth, ~truth).astype(int)
        vote(workspace, watercolor, name, dict(enumerate(said.tolist())))
    result = agreement.measure(workspace, watercolor)
    lines = [
        (line.positive, line.unsure, line.with_majority, line.sensitivity, line.specificity)
        for line in result.annotators
    ]
    measures = [result.raw, result.alpha, result.prevalence, *(one for line in lines for one in line)]
    measures += [one for pair in result.pairs for one in (pair.raw, pair.kappa)]
    for one in measures:
        assert one.value is not None, one.reason
        assert one.low <= one.value <= one.high
        assert 0 < one.high - one.low < 0.6
    ada, _, cleo = result.annotators
    assert ada.specificity.value > cleo.specificity.value
    assert result.prevalence.low < 0.4 < result.prevalence.high


def test_full_agreement_on_a_few_images_is_not_called_certain(workspace: Workspace, watercolor: Attribute) -> None:
    for name in ("ada", "ben"):
        vote(workspace, watercolor, name, {0: 1, 1: 0, 2: 1, 3: 0, 4: 1})
    result = agreement.measure(workspace, watercolor)
    for one in (result.raw, result.alpha, result.pairs[0].kappa):
        assert one.value == 1
        assert one.high == 1
        assert one.low < 0.5


def test_images_of_one_project_widen_the_intervals(
    workspace: Workspace, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    vote(workspace, watercolor, "ada", dict(enumerate([1] * 40 + [0] * 40)))
    vote(workspace, watercolor, "ben", dict(enumerate([1] * 20 + [0] * 60)))

    def width(groups: np.ndarray) -> list[float]:
        monkeypatch.setattr(workspace.catalogue, "projects", lambda: groups)
        workspace.memory.clear()
        result = agreement.measure(workspace, watercolor)
        return [one.high - one.low for one in (result.raw, result.alpha, result.pairs[0].kappa)]

    alone, together = width(np.arange(120)), width(np.arange(120) // 10)
    assert all(wide > 1.3 * narrow for wide, narrow in zip(together, alone, strict=True))
    monkeypatch.setattr(measures.learning, "proportions", without_width)  # the bootstrap alone
    (_, *alone), (_, *together) = width(np.arange(120)), width(np.arange(120) // 10)
    assert all(wide > 1.3 * narrow for wide, narrow in zip(together, alone, strict=True))


def test_images_of_one_project_are_drawn_together() -> None:
    each = np.zeros((3, 3, 3))
    each[[0, 1, 2], [0, 1, 2], [0, 1, 2]] = 1  # every image in a cell of its own
    (drawn,) = agreement._bootstrap([np.array([7, 7, 8])], [each], np.random.default_rng(0))
    assert (drawn[:, 0, 0] == drawn[:, 1, 1]).all()
    assert (drawn[:, 0, 0] + drawn[:, 2, 2] == 2).all()
    assert set(drawn[:, 0, 0]) == {0, 1, 2}


def test_an_image_weighs_in_the_interval_of_alpha_as_it_does_in_alpha(
    workspace: Workspace, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measures.learning, "proportions", without_width)
    monkeypatch.setattr(agreement, "REPEATS", 1)
    workspace.redundancy = 5
    for place, name in enumerate(("ada", "ben", "cleo", "dan", "eve")):
        same = dict(enumerate([1, 0] * 20)) if place < 2 else {}
        vote(workspace, watercolor, name, same | {row: int(place < 2) for row in range(50, 70)})
    alpha = agreement.measure(workspace, watercolor).alpha
    assert alpha.value is not None
    assert min(abs(alpha.low - alpha.value), abs(alpha.high - alpha.value)) < 1e-9


def without_width(hits: np.ndarray, members: np.ndarray, *, weights=None, groups=None) -> Proportions:
    """Return proportions without uncertainty."""
    value = np.array([np.average(hits[0], weights=weights)])
    return Proportions(value, value, value, value)


@pytest.mark.parametrize(("n", "right"), [(12, 0.9), (60, 0.9), (60, 0.5)])
def test_the_interval_of_kappa_has_its_nominal_coverage(n: int, right: float, monkeypatch) -> None:
    monkeypatch.setattr(agreement, "REPEATS", 200)
    same, rng, covered = right**2 + (1 - right) ** 2, np.random.default_rng(0), 0
    truth = float(kappa_of(np.array([[same, 1 - same], [1 - same, same]]) / 2))
    for _ in range(100):
        real = rng.random(n) < 0.5
        said = np.where(rng.random((n, 2)) < right, real[:, None], ~real[:, None]).astype(np.int8)
        rows, people = np.nonzero(np.ones((n, 2)))
        table = tabulate(Answers(rows, people, said[rows, people]))
        kappa = agreement._agreement(table, np.arange(n), {0: "ada", 1: "ben"}, rng)[2][0].kappa
        covered += kappa.low <= truth <= kappa.high
    assert covered >= 91  # fewer than 91 of 100 happen once in 30 at a coverage of 95%


def test_unsure_is_counted_or_ignored_on_request(team: Workspace, watercolor: Attribute) -> None:
    result = agreement.measure(team, watercolor, unsure="missing")
    assert result.shared == 4
    assert result.raw.value == pytest.approx(0.5)
    ada = result.annotators[0]
    assert ada.answers == 5
    assert (ada.positive.value, ada.unsure.value) == (pytest.approx(3 / 5), pytest.approx(1 / 6))
    counted = agreement.measure(team, watercolor).annotators[0]
    assert (counted.answers, counted.positive.value) == (6, pytest.approx(3 / 6))


def test_an_annotator_unsure_about_everything_is_still_listed(workspace: Workspace, watercolor: Attribute) -> None:
    vote(workspace, watercolor, "ada", {0: 1, 1: 0})
    vote(workspace, watercolor, "ben", {0: -1, 1: -1})
    result = agreement.measure(workspace, watercolor, unsure="missing")
    assert [(line.name, line.answers, line.unsure.value) for line in result.annotators] == [
        ("ada", 2, 0),
        ("ben", 0, 1),
    ]
    assert "Only one person" in result.raw.reason


def test_ones_own_vote_does_not_agree_with_itself(team: Workspace, watercolor: Attribute) -> None:
    ada, _ = agreement.measure(team, watercolor).annotators
    assert (ada.with_majority.value, ada.with_majority.n) == (pytest.approx(0.5), 4)


def test_an_undefined_measure_has_a_reason_and_a_way_forward(workspace: Workspace, watercolor: Attribute) -> None:
    def reasons() -> list[str]:
        result = agreement.measure(workspace, watercolor)
        for one in (result.raw, result.alpha, result.prevalence):
            assert isinstance(one, Measure)
            assert (one.value is None) == bool(one.reason)
        return [result.raw.reason, result.alpha.reason, result.prevalence.reason]

    assert "There are no answers yet" in reasons()[0]
    vote(workspace, watercolor, "ada", {0: 0, 1: 0})
    assert "Only one person" in reasons()[0]
    vote(workspace, watercolor, "ben", {5: 0})
    assert "No image was answered by two" in reasons()[1]
    vote(workspace, watercolor, "ben", {0: 0})
    assert "Only 1 image was answered" in reasons()[1]
    vote(workspace, watercolor, "ben", {1: 0})
    raw, alpha, model = reasons()
    assert raw == ""
    assert "alpha is undefined" in alpha
    assert "answered by 3 or more people" in model
    assert agreement.suggest_overlap(workspace) == "second_vote"
    workspace.redundancy = 2
    assert agreement.suggest_overlap(workspace) == "second_annotator"


def test_a_model_that_may_be_inverted_shows_no_rates(workspace: Workspace, watercolor: Attribute) -> None:
    workspace.redundancy = 4
    said = np.random.default_rng(2).integers(0, 2, 60)
    for name, turned in (("ada", 0), ("ben", 0), ("cleo", 1), ("dan", 1)):
        vote(workspace, watercolor, name, dict(enumerate((said ^ turned).tolist())))
    result = agreement.measure(workspace, watercolor)
    assert result.alpha.value is not None
    assert result.alpha.value < 0
    assert "do not show which side is right" in result.prevalence.reason
    assert all(line.sensitivity.value is None and line.sensitivity.reason for line in result.annotators)


def test_only_the_pairs_who_share_most_are_measured(
    team: Workspace, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    vote(team, watercolor, "cleo", {0: 1, 1: 0})
    monkeypatch.setattr(agreement, "MAX_PAIRS", 1)
    assert [(pair.first, pair.second) for pair in agreement.measure(team, watercolor).pairs] == [("ada", "ben")]


# Who is asked because others did not agree


def test_who_settles_disputes_is_not_counted_as_agreeing_and_is_told_apart(
    team: Workspace, watercolor: Attribute
) -> None:
    before = agreement.measure(team, watercolor)
    vote(team, watercolor, "cleo", {2: 1, 3: 0, 4: 1})
    after = agreement.measure(team, watercolor)
    assert (after.raw, after.alpha, after.pairs) == (before.raw, before.alpha, before.pairs)
    assert (before.settling, before.not_counted, after.settling) == (0, "", 3)
    assert after.not_counted.startswith("Not counted: 3 answers of people who were asked since")
    ada, _, cleo = after.annotators
    assert (ada.answers, ada.settling, cleo.answers, cleo.settling) == (6, 0, 3, 3)
    for measure in (cleo.positive, cleo.with_majority):
        assert measure.value is None
        assert "asked only about images on which others did not agree" in measure.reason
    assert ada.with_majority == before.annotators[0].with_majority
    assert tasks.labels(team, watercolor).settled.sum() == 3, "two of three settle a no, and no yes"
    vote(team, watercolor, "dan", {2: 1})
    assert tasks.labels(team, watercolor).settled.sum() == 4, "their answers settle what they are asked"


def test_the_order_of_answering_decides_who_was_first(team: Workspace, watercolor: Attribute) -> None:
    vote(team, watercolor, "cleo", {5: 0})  # the second about image 5
    vote(team, watercolor, "ben", {5: 0})
    measured = agreement.measure(team, watercolor)
    assert (measured.shared, measured.settling) == (6, 1)
    assert [pair.shared for pair in measured.pairs] == [5, 1]
    vote(team, watercolor, "ada", {5: 0})  # a changed answer stays where it was
    assert agreement.measure(team, watercolor).settling == 1


def test_an_audit_by_three_counts_three(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> None:
    oracle.play(workspace, watercolor, count=1)
    thresholds.save(workspace, watercolor, thresholds.measure_at(workspace, watercolor, -1.0, target=0.6))
    audit = audits.draw(workspace, watercolor, n_accepted=6, n_rejected=4, people=3, seed=1)
    for name in ("ada", "ben", "cleo"):
        oracle.answer(workspace, audit.task, name=name)
    measured = agreement.measure(workspace, watercolor)
    assert (measured.shared, measured.settling) == (10, 0)
    assert [pair.shared for pair in measured.pairs] == [10, 10, 10]


def test_labels_that_were_imported_are_counted_however_many(team: Workspace, watercolor: Attribute) -> None:
    for name in ("a", "b", "c"):
        vote(team, watercolor, name, {20: 1, 21: 0}, "import")
    assert agreement.measure(team, watercolor).settling == 0


# The command line


def test_the_command_prints_what_the_page_shows(
    team: Workspace, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BAM_WORKSPACE", str(team.folder))
    monkeypatch.setenv("BAM_CACHE", str(team.cache.parent))
    decide(team, watercolor, "eve", {2: 0})
    assert main(["agreement", "media_watercolor"]) == 0
    out = capsys.readouterr().out
    assert "6 images answered by 2 people, 5 by more than one" in out
    assert "raw agreement         60% (" in out
    assert "ada, ben: 5 shared images" in out
    assert "2 images waiting for a decision, 1 decided" in out
    assert main(["agreement", "media_watercolor", "--ignore-unsure"]) == 0
    assert "raw agreement         50% (" in capsys.readouterr().out
    assert main(["agreement", "nothing"]) == 1
