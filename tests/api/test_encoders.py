"""From Python: the results of every encoder, their comparison, and an export that warns of what it leaves out."""

import pytest

from bam_engine import AttributeHandle, Collection
from bam_engine.errors import EmbeddingError
from tests.two_encoders import add_vectors, blind_vectors, use


@pytest.fixture
def both(bam: Collection, watercolor: AttributeHandle) -> Collection:
    """The network is in use, and trained; the threshold was saved with the descriptors."""
    add_vectors(bam.workspace, blind_vectors(bam.workspace))
    use(bam.workspace, "network")
    watercolor.train()
    return bam


def test_results_of_every_encoder_are_listed(both: Collection) -> None:
    results = both.results()
    assert results["encoder"].tolist() == ["network-v1", "builtin-v1"]
    assert results["in_use"].tolist() == [True, False]
    assert results["result"].tolist() == results["encoder"].tolist(), "those of the newest models"
    assert results["standing"].tolist()[1] in ("saved", "certified")


def test_encoders_are_compared_on_the_same_labels(both: Collection) -> None:
    table = both.compare_encoders(train=True).set_index("encoder")
    assert table["n"].tolist() == [30, 30]
    assert table["current"].all()
    best = table["average_precision"].idxmax()
    assert table.loc[best, "behind"] == 0
    gap = table["average_precision"].max() - table["average_precision"].min()
    assert table["behind"].max() == pytest.approx(gap)


def test_an_export_warns_of_a_result_that_it_leaves_out(both: Collection) -> None:
    with pytest.warns(UserWarning, match="To export the other result: encoders={'media_watercolor': 'builtin-v1'}"):
        both.export("out", form="csv")
    assert both.export("other", form="csv", encoders={"media_watercolor": "builtin-v1"})


def test_nothing_is_behind_another_that_has_learned_different_labels(
    both: Collection, watercolor: AttributeHandle
) -> None:
    watercolor.record(dict.fromkeys(range(4), False), annotator="carla")
    watercolor.train()
    table = both.compare_encoders()
    assert table["average_precision"].notna().all()
    assert table["current"].tolist() == [True, False]
    assert table[["behind", "behind_low", "behind_high"]].isna().all(axis=None)


def test_a_checkpoint_without_an_encoder_is_refused(bam: Collection) -> None:
    with pytest.raises(EmbeddingError, match=r"weights\.pt was given without an encoder"):
        bam.embed(checkpoint="weights.pt")
