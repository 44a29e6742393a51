"""The chart of audits: attributes by precision, the mean last, both definitions, BAM's mean."""

import numpy as np
import pytest

from bam_engine.annotation import Attribute
from bam_engine.audit import BAM_MEAN_PRECISION, Estimate, estimate_precision, mean_over_attributes
from bam_engine.audit.audits import AuditResult
from bam_engine.audit.charts import audited_precision
from bam_engine.charts import Chart, Estimates, Mark, Names, Reference
from bam_engine.labelling.tasks import Task, TaskState


def estimate(positive: int) -> Estimate:
    """Of a hundred images."""
    return estimate_precision([1] * positive + [0] * (100 - positive))


def audit(name: str, positive: int, by_any: int | None, *, answered: int = 100) -> AuditResult:
    attribute = Attribute(1, name, "media", "Is it?", "")
    return AuditResult(
        id=1,
        attribute=attribute,
        threshold_id=1,
        threshold=0.0,
        target=0.9,
        current=True,
        seed=1,
        made_at="2026-11-29T00:00:00",
        n_accepted=100,
        n_rejected=0,
        left_out=0,
        people=2,
        annotators=(),
        task=Task(attribute, "audit", 1, "", np.arange(100)),
        state=TaskState(100, answered, answered, positive, 0),
        precision=estimate(positive),
        by_any=None if by_any is None else estimate(by_any),
        missed=None,
        encoder="builtin-v1",
    )


RESULTS = [audit("content_cat", 84, 90), audit("media_comic", 97, None), audit("media_oil_paint", 91, 93, answered=99)]


def parts(chart: Chart) -> tuple[Names, Estimates, Estimates, Mark]:
    agreed, by_any, reference = chart.marks
    assert isinstance(chart.positions, Names)
    assert isinstance(agreed, Estimates)
    assert isinstance(by_any, Estimates)
    return chart.positions, agreed, by_any, reference


def test_attributes_stand_by_precision_and_their_mean_stands_last() -> None:
    names, agreed, by_any, reference = parts(audited_precision(RESULTS))
    assert names.names == ("comic (media)", "oil paint (media), not finished", "cat (content)", "mean of 3")
    assert names.notes == ("97 / 100", "91 / 100", "84 / 100", "272 / 300")
    assert names.summary
    found = [estimate(97), estimate(91), estimate(84)]
    found.append(mean_over_attributes(found))
    assert agreed.at == (0, 1, 2, 3)
    assert agreed.values == pytest.approx([one.value for one in found])
    assert agreed.low == pytest.approx([one.low for one in found])
    assert agreed.high == pytest.approx([one.high for one in found])
    assert by_any.at == (1, 2, 3), "the comics have one definition only"
    assert by_any.values[:2] == (0.93, 0.9)
    assert reference == Reference("BAM's mean 90.4%", "second", BAM_MEAN_PRECISION, "values")


def test_the_axis_reaches_from_below_the_lowest_limit_to_all() -> None:
    for results in (RESULTS, RESULTS[1:2], [audit("content_cat", 5, 5)]):
        chart = audited_precision(results)
        low, high = chart.values.limits
        assert high == 1
        assert low == pytest.approx(round(low, 1)), "a tenth"
        assert low <= min(parts(chart)[1].low)
        assert 0 <= low <= 0.8


def test_one_attribute_has_no_mean_beside_itself() -> None:
    names, agreed, _, _ = parts(audited_precision(RESULTS[:1]))
    assert (names.names, names.summary) == (("cat (content)",), False)
    assert agreed.values == (0.84,)


def test_the_description_reads_the_highest_and_the_lowest_aloud() -> None:
    words = audited_precision(RESULTS).description
    assert words.startswith("Audited precision of 3 attributes, from 97% (91.4–99.4%) for comic (media) to 84% (")
    assert words.endswith("BAM's mean is 90.4%.")


def test_without_an_audit_there_is_nothing_to_draw() -> None:
    assert audited_precision([]).empty
    assert not audited_precision(RESULTS).empty
