"""Flags: answers that do not depend on the image are found, those that do are not, and the figures are those shown."""

import numpy as np
import pytest

from bam_engine.annotation import Answers, Attribute
from bam_engine.annotation.agreement import NO_ANSWER, YES, majority_of_others, tabulate
from bam_engine.cli import main
from bam_engine.labelling.flags import differences as differences_of
from bam_engine.labelling.flags import flags
from bam_engine.labelling.patterns import LEAST, Difference, differences, pattern_of
from bam_engine.workspace import Workspace
from benchmarks import flags as benchmark
from tests.labelling.team import vote


def test_the_difference_is_that_from_the_majority_of_the_others() -> None:
    rng = np.random.default_rng(3)
    rows, people = np.divmod(np.arange(60 * 5), 5)
    table = tabulate(Answers(rows, people, rng.integers(-2, 2, 300).astype(np.int8)))
    found = differences(table)
    for column, who in enumerate(table.annotators.tolist()):
        own, others = table.codes[:, column], majority_of_others(table, column)
        sure = (own == 0) | (own == 1)
        yes, no = sure & (others == 1), sure & (others == 0)
        assert (others == NO_ANSWER).any()
        expected = ((own[yes] == YES).sum(), yes.sum(), (own[no] == YES).sum(), no.sum())
        assert found[who] == Difference(*map(int, expected))


def test_the_interval_is_that_of_newcombe() -> None:
    """The first example of his table II, 56/70 and 48/80, of which he states 0.0524 to 0.3339."""
    assert Difference(56, 70, 48, 80).limits() == pytest.approx((0.0524, 0.3339), abs=5e-5)


@pytest.mark.parametrize(
    ("found", "pattern"),
    [
        (Difference(60, 60, 139, 140), "all yes"),
        (Difference(0, 60, 1, 140), "all no"),
        (Difference(30, 60, 70, 140), "random"),
        (Difference(10, 60, 110, 140), "random"),  # the wrong way round tells nothing that can be used as it is
        (Difference(50, 60, 10, 140), None),
        (Difference(5, 5, 5, 5), None),  # ten images are too few to tell
        (Difference(0, 0, 0, 500), None),  # where there is nothing to find, who finds nothing may be right
        (Difference(), None),
    ],
)
def test_a_pattern_needs_evidence_that_the_image_does_not_matter(found: Difference, pattern: str | None) -> None:
    assert pattern_of(found, tests=50) == pattern


def test_who_is_compared_with_more_people_is_flagged_on_more_evidence() -> None:
    found = Difference(0, 20, 0, 60)
    assert pattern_of(found, tests=2) == "all no"
    assert pattern_of(found, tests=1000) is None


def test_people_at_the_limit_are_flagged_by_mistake_in_one_workspace_of_twenty() -> None:
    rng = np.random.default_rng(5)
    false = 0
    for _ in range(400):
        low = rng.uniform(0.1, 0.6, 20)
        yes, no = rng.binomial(80, low + LEAST), rng.binomial(160, low)
        workspace = [Difference(int(one), 80, int(other), 160) for one, other in zip(yes, no, strict=True)]
        false += any(pattern_of(one, len(workspace)) for one in workspace)
    assert false / 400 < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


def test_simulated_spam_is_found_and_named() -> None:
    found = benchmark.measure(272, 5, np.random.default_rng(0))
    assert found.spam == 60
    assert found.right / found.spam > 0.9
    assert found.right / found.flagged > 0.9
    assert found.named == found.right


def test_a_flag_is_shown_with_its_figures(
    workspace: Workspace,
    watercolor: Attribute,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    workspace.redundancy = 3
    truth = np.arange(80) % 2
    for name in ("ada", "ben"):
        vote(workspace, watercolor, name, dict(enumerate(truth.tolist())))
    assert not flags(workspace)
    vote(workspace, watercolor, "cleo", dict.fromkeys(range(80), 1))
    (flag,) = flags(workspace).values()
    assert flag.annotator_id == workspace.annotators.find("cleo").id
    assert flag.pattern == "all yes"
    monkeypatch.setenv("BAM_WORKSPACE", str(workspace.folder))
    monkeypatch.setenv("BAM_CACHE", str(workspace.cache.parent))
    assert main(["annotator", "list"]) == 0
    said = capsys.readouterr().out
    about = "Answers “watercolor (media)” almost only yes"
    assert f"cleo: 80 answers\n  {about}: yes to 100% of 40 images where others say yes" in said
    assert said.count("almost only") == 1


def test_each_attribute_is_looked_at_apart(workspace: Workspace, watercolor: Attribute) -> None:
    """Always yes to what is frequent and always no to what is rare: added up, it looks as if it followed the images."""
    workspace.redundancy = 3
    rare = workspace.attributes.add("rare", "content", "Is it rare?")
    frequent_truth = (np.arange(80) % 4 > 0).astype(int)
    for name in ("ada", "ben"):
        vote(workspace, watercolor, name, dict(enumerate(frequent_truth.tolist())))
        vote(workspace, rare, name, dict(enumerate((1 - frequent_truth).tolist())))
    vote(workspace, watercolor, "cleo", dict.fromkeys(range(80), 1))
    vote(workspace, rare, "cleo", dict.fromkeys(range(80), 0))
    for each in (watercolor, rare):
        assert differences_of(workspace, each)[workspace.annotators.find("cleo").id].value == 0
    assert set(flags(workspace)) == {workspace.annotators.find("cleo").id}
