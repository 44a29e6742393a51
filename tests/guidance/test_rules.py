"""The table of what to do next: each case by itself, and what never happens whatever is known."""

from dataclasses import replace
from pathlib import Path

import pytest

from bam_engine.annotation import Attribute
from bam_engine.guidance.facts import Audited, Certifying, Facts, Progress
from bam_engine.guidance.guidance import advise
from bam_engine.guidance.rules import RULES, alternatives, rule_of
from bam_engine.guidance.sizes import MOST_ROUNDS
from bam_engine.learning import Threshold
from bam_engine.training.delivered import DeliveredCounts
from bam_engine.training.thresholds import AttributeThreshold

DONE, OPEN = Progress(10, 10), Progress(4, 10)


def threshold(*, saved: bool = False, certified: bool = False, recall: float = 0.95) -> AttributeThreshold:
    evidence = Threshold(0.5, 0.95, 0.8, 0.99, recall, 0.5, 1.0, 0.9, 0.95, certified, 0.85, 50, 20, 100)
    return AttributeThreshold(1 if saved else None, 1, evidence, 100)


NEW = Facts(images=1000, askable=900, drawable=900)
FEW = 60  # images that nobody was asked about: too few for a certification
TRAINED = replace(NEW, validation=DONE, round=1, batch=DONE, trained=True, model=True, learned="yes", drawable=FEW)
LARGE = replace(TRAINED, certifiable=FEW + 1)
COUNTS = DeliveredCounts(10, 90, 20, 880, 0, 0)
ALL_LABELLED = replace(COUNTS, by_classifier=0)
SAVED = replace(TRAINED, threshold=threshold(saved=True), delivered=COUNTS, auditable=90)
CERTIFIED = replace(SAVED, threshold=threshold(saved=True, certified=True))


def certifying(*, batch: Progress = DONE, certified: float | None = None, more: int = 20) -> Certifying:
    return Certifying(batch, certified, more, 40, 30, 300)


@pytest.mark.parametrize(
    ("facts", "step"),
    [
        (replace(NEW, embedded=False), "embed"),
        (NEW, "draw_validation"),
        (replace(NEW, validation=OPEN), "label_validation"),
        (replace(NEW, validation=DONE), "start_round"),
        (replace(NEW, validation=DONE, askable=0), "draw_validation"),
        (replace(NEW, validation=DONE, round=1, batch=OPEN), "label_round"),
        (replace(NEW, validation=DONE, round=1, batch=DONE), "train"),
        (replace(NEW, validation=DONE, round=1, batch=DONE, trainable=False), "start_round"),
        (TRAINED, "start_round"),
        (replace(TRAINED, learned="no"), "diagnose"),
        (replace(TRAINED, learned="fully", gain="unlikely", threshold=threshold()), "decide"),
        (replace(TRAINED, threshold=threshold()), "start_round"),
        (replace(TRAINED, threshold=threshold(certified=True)), "decide"),
        (replace(TRAINED, threshold=threshold(certified=True, recall=0.4)), "start_round"),
        (replace(TRAINED, threshold=threshold(), gain="unlikely"), "decide"),
        (replace(TRAINED, threshold=threshold(), round=4), "decide"),
        (replace(TRAINED, threshold=threshold(), round=4, gain="likely"), "start_round"),
        (replace(TRAINED, threshold=threshold(), round=8, gain="likely"), "decide"),
        (replace(TRAINED, round=4), "start_round"),
        (replace(TRAINED, round=4, gain="unlikely"), "diagnose"),
        (replace(TRAINED, round=8), "diagnose"),
        (replace(TRAINED, labelled=1000), "done"),
        (replace(LARGE, learned="no"), "diagnose"),
        (replace(LARGE, threshold=threshold()), "start_round"),
        (replace(LARGE, learned="fully", gain="unlikely", threshold=threshold()), "certify"),
        (replace(LARGE, threshold=threshold(), round=4), "certify"),
        (replace(LARGE, learned="unknown", round=4), "certify"),
        (replace(LARGE, threshold=threshold(), round=4, gain="likely"), "start_round"),
        (replace(LARGE, threshold=threshold(), round=4, proven=True), "decide"),
        (replace(LARGE, threshold=threshold(), round=4, certifying=certifying(more=0)), "decide"),
        (replace(LARGE, round=4, certifying=certifying(more=0)), "diagnose"),
        (replace(LARGE, round=1, certifying=certifying(more=0), gain="likely"), "diagnose"),
        (replace(SAVED, certifiable=FEW + 1), "certify"),
        (replace(SAVED, certifiable=FEW + 1, delivered=ALL_LABELLED, unconfirmed=2), "certify"),
        (replace(SAVED, certifiable=FEW + 1, delivered=ALL_LABELLED), "done"),
        (replace(SAVED, delivered=ALL_LABELLED, unconfirmed=2), "done"),
        (replace(SAVED, certifiable=FEW + 1, audit=Audited(DONE, True, None, 0)), "certify"),
        (replace(SAVED, certifiable=FEW + 1, audit=Audited(DONE, True, True, 0)), "done"),
        (CERTIFIED, "audit"),
        (SAVED, "audit"),
        (replace(SAVED, auditable=0), "done"),
        (replace(SAVED, certifying=certifying(batch=OPEN)), "label_certification"),
        (replace(SAVED, certifying=replace(certifying(), unconfirmed=3)), "certify"),
        (replace(SAVED, certifying=replace(certifying(more=0), unconfirmed=3)), "label_certification"),
        (replace(SAVED, certifying=certifying()), "certify"),
        (replace(CERTIFIED, extendable=7, later=7), "extend"),
        (replace(CERTIFIED, extending=certifying(batch=OPEN), later=7), "label_extension"),
        (replace(CERTIFIED, extending=certifying(), later=7), "extend"),
        (replace(CERTIFIED, extending=certifying(more=0), later=7), "audit"),
        (replace(CERTIFIED, extending=certifying(more=0), later=9, extendable=2), "extend"),
        (replace(CERTIFIED, extending=certifying(certified=0.5)), "audit"),
        (replace(SAVED, certifying=replace(certifying(more=0), placed=False)), "certify"),
        (replace(SAVED, certifying=certifying(more=0)), "audit"),
        (replace(SAVED, certifying=certifying(certified=0.7, more=0)), "decide"),
        (replace(SAVED, certifying=certifying(certified=0.7)), "certify"),
        (replace(SAVED, certifying=replace(certifying(certified=0.7), needed=270)), "certify"),
        (replace(SAVED, certifying=replace(certifying(certified=0.7), needed=271)), "decide"),
        (replace(SAVED, certifying=replace(certifying(certified=0.7), needed=None)), "decide"),
        (replace(SAVED, certifying=replace(certifying(), needed=None)), "audit"),
        (replace(CERTIFIED, certifying=certifying(certified=0.7)), "audit"),
        (
            replace(SAVED, certifying=certifying(certified=0.7), threshold=threshold(saved=True, certified=True)),
            "audit",
        ),
        (replace(SAVED, audit=Audited(OPEN, False, None, 0)), "label_audit"),
        (replace(SAVED, audit=Audited(DONE, True, True, 0)), "done"),
        (replace(SAVED, audit=Audited(DONE, True, None, 0)), "done"),
        (replace(SAVED, audit=Audited(DONE, True, False, 0)), "diagnose"),
        (replace(SAVED, certifiable=FEW + 1, audit=Audited(DONE, True, False, 0)), "certify"),
        (replace(SAVED, audit=Audited(DONE, True, False, 0), certifying=certifying(more=0)), "diagnose"),
    ],
)
def test_a_case_has_its_step(facts: Facts, step: str) -> None:
    assert rule_of(facts).step == step
    assert rule_of(facts).reason(facts)


def test_every_rule_decides_some_case() -> None:
    cases = next(mark for mark in test_a_case_has_its_step.pytestmark if mark.name == "parametrize").args[1]
    used = {rule_of(facts).case for facts, _ in cases}
    left = {rule.case for rule in RULES} - used
    assert left == {
        "nothing is trained, and no image is left",
        "nothing can be measured on the validation sample, and it can grow",
    }


def test_the_table_is_in_the_design() -> None:
    text = (Path(__file__).parents[2] / "DESIGN.md").read_text()
    lines = [f"| {rule.case} | {rule.step} |" for rule in RULES]
    assert "\n".join(lines) in text


def test_what_is_finished_says_which_images_came_later_and_are_not_covered() -> None:
    finished = replace(CERTIFIED, audit=Audited(DONE, True, True, 0), extending=certifying(more=0), later=1)
    assert rule_of(finished).step == "done"
    assert "1 accepted image that came later is not covered by what is certified." in rule_of(finished).reason(finished)
    nothing = replace(finished, later=0)
    assert "came later" not in rule_of(nothing).reason(nothing)


def test_what_is_finished_says_how_many_images_have_no_vectors() -> None:
    finished = replace(CERTIFIED, audit=Audited(DONE, True, True, 0), without_vectors=401)
    attribute = Attribute(1, "media_watercolor", "media", "Is it a watercolour?", "")
    assert advise(attribute, finished).step == "done"
    words = "401 images have no vectors yet: compute the embeddings to decide them."
    assert advise(attribute, finished).reason.endswith(words)
    assert "vectors" not in advise(attribute, replace(finished, without_vectors=0)).reason


def test_whoever_sets_a_threshold_is_offered_no_round_that_cannot_help() -> None:
    facts = replace(TRAINED, learned="fully", gain="unlikely", threshold=threshold())
    assert "start_round" not in [each.step for each in alternatives(facts, "decide")]


def test_what_is_certified_is_not_certified_again() -> None:
    facts = replace(SAVED, threshold=threshold(saved=True, certified=True))
    assert "certify" not in [each.step for each in alternatives(facts, "audit")]
    assert "certify" in [each.step for each in alternatives(replace(SAVED, certifiable=FEW + 1), "audit")]


def test_where_votes_are_missing_the_reason_says_so() -> None:
    facts = replace(NEW, validation=Progress(4, 10, short=6, votes=2))
    assert rule_of(facts).reason(facts) == "4 of 10 images are labelled. Each image needs 2 votes, and 6 have fewer."


def test_the_cost_is_said_before_it_starts() -> None:
    words = "It takes about 450 answers: 60 images for validation, 4 rounds of 50, a certification of 150 and an "
    said = rule_of(NEW).reason(NEW)
    assert words in said
    assert said.endswith(f"Fewer rounds may do, and up to {MOST_ROUNDS} are asked for where they help.")
    small = replace(NEW, images=60)
    assert "nearly all of the 60 images" in rule_of(small).reason(small)
