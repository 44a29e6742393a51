"""Every page says of which encoder its results are where several have some, and nothing where only one has."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from bam_engine import database as db
from bam_engine.annotation import Attribute
from bam_engine.audit import audits
from bam_engine.maps import layout_builder
from bam_engine.training import rounds, thresholds
from bam_engine.training.comparison import models_behind
from bam_engine.training.models import models
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.pages.conftest import run_until, text_of
from tests.two_encoders import NETWORK, add_vectors, blind_vectors, use

OpenPage = Callable[..., AppTest]
PAGES = ("overview", "rounds", "threshold", "audit", "gallery", "report", "export")
NAMES = {"gallery": "sort"}


@pytest.fixture
def audited(played: Workspace, watercolor: Attribute, oracle: Oracle) -> Workspace:
    """Audited with the descriptors, which are in use."""
    thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.6))
    oracle.answer(played, audits.draw(played, watercolor, n_accepted=3, n_rejected=3, seed=1).task)
    return played


@pytest.fixture
def moved(audited: Workspace) -> Workspace:
    """The network is in use, and not trained."""
    add_vectors(audited, blind_vectors(audited))
    use(audited, "network")
    return audited


def words(app: AppTest) -> str:
    """The words on a page, those drawn as HTML too, without escapes."""
    drawn = "\n".join(str(one.proto.body) for one in app.get("html"))
    return (text_of(app) + "\n" + drawn).replace("\\", "")


def opened(open_page: OpenPage, workspace: Workspace, page: str) -> AppTest:
    return open_page(workspace, page, **({} if page in ("overview", "export") else {"attribute": "media_watercolor"}))


@pytest.mark.parametrize("page", PAGES)
def test_with_results_of_one_encoder_a_page_names_none(audited: Workspace, open_page: OpenPage, page: str) -> None:
    said = words(opened(open_page, audited, page))
    assert "Results with" not in said
    assert "Trained with" not in said
    assert "Which result?" not in said


@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_that_the_result_of_another_encoder_is_audited(
    moved: Workspace, watercolor: Attribute, open_page: OpenPage, page: str
) -> None:
    rounds.train(moved, watercolor)
    said = words(opened(open_page, moved, page))
    assert "Fast preview (descriptors): audited, precision" in said or "the result of another encoder" in said
    if page != "export":
        assert "Results with Network alone" in said


@pytest.mark.parametrize("page", ["threshold", "audit", "gallery", "report"])
def test_where_only_another_encoder_is_trained_a_page_says_so_and_what_to_do(
    moved: Workspace, open_page: OpenPage, page: str
) -> None:
    app = opened(open_page, moved, page)
    assert "Trained with Fast preview (descriptors)** (audited, precision" in words(app)
    assert {"Train on the labels", "Go to the encoders"} <= {button.label for button in app.button}


def test_the_overview_and_the_rounds_do_not_read_as_if_nothing_was_done(moved: Workspace, open_page: OpenPage) -> None:
    said = words(opened(open_page, moved, "overview"))
    assert "not trained with the encoder in use, 24 labels" in said
    assert "Fast preview (descriptors): audited, precision" in said
    said = words(opened(open_page, moved, "rounds"))
    assert "Trained with Fast preview (descriptors), and not yet with Network alone, the encoder in use." in said


def test_the_audits_of_other_encoders_stay_listed_with_their_name(
    moved: Workspace, watercolor: Attribute, open_page: OpenPage
) -> None:
    rounds.train(moved, watercolor)
    (table,) = opened(open_page, moved, "audit").dataframe
    assert table.value["encoder"].tolist() == ["Fast preview (descriptors)"]
    assert table.value["in use"].tolist() == ["no"]


def test_an_export_offers_both_results_and_writes_the_chosen_one(
    moved: Workspace, watercolor: Attribute, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds.train(moved, watercolor)
    given: list[dict[str, str]] = []
    monkeypatch.setattr(
        "bam_engine.reporting.export.export", lambda *_, encoders, **__: given.append(dict(encoders)) or []
    )
    app = opened(open_page, moved, "export")
    (choice,) = app.selectbox
    assert [option.split(":")[0] for option in choice.options] == ["Network alone", "Fast preview (descriptors)"]
    (write,) = (button for button in app.button if button.label == "Export")
    write.click().run()
    run_until(app, lambda: len(given) == 1)
    choice = app.selectbox[0].select_index(1)
    choice.run()
    (write,) = (button for button in app.button if button.label == "Export")
    write.click().run()
    run_until(app, lambda: len(given) == 2)
    assert given == [{}, {"media_watercolor": "builtin-v1"}]


def test_a_map_of_another_encoder_stays_usable_and_says_whose_it_is(audited: Workspace, open_page: OpenPage) -> None:
    record = layout_builder.build(audited, method="pca")
    assert "Laid out by Fast preview (descriptors)." in words(open_page(audited, "map"))
    add_vectors(audited, blind_vectors(audited))
    use(audited, "network")
    app = open_page(audited, "map")
    assert app.selectbox(key="map-chosen").options == [f"Fast preview (descriptors): {record.title}"]
    assert "In use is Network alone: its scores colour the map" in words(app)


def test_the_embeddings_page_shows_the_encoders_side_by_side_and_trains_what_is_missing(
    audited: Workspace, watercolor: Attribute, open_page: OpenPage
) -> None:
    assert "Encoders side by side" not in [one.value for one in open_page(audited, "embed").subheader]
    add_vectors(audited, blind_vectors(audited))
    app = open_page(audited, "embed")
    assert "Encoders side by side" in [one.value for one in app.subheader]
    assert "No model is trained on it yet." in words(app)
    (train,) = (button for button in app.button if button.label == "Train 1 model")
    train.click().run()
    run_until(app, lambda: not models_behind(audited))
    said = words(open_page(audited, "embed"))
    assert len(models(audited, watercolor, NETWORK)) == 1
    assert "Fast preview (descriptors) is better than Network alone by" in said
    assert "40 validation labels" in said


@pytest.mark.parametrize(
    ("page", "label"),
    [
        ("export", "Export"),
        ("audit", "New audit"),
        ("threshold", "Start certifying 90%"),
        ("rounds", "Start round 3"),
    ],
)
def test_a_click_does_nothing_to_the_result_of_an_encoder_that_was_chosen_since_the_page_was_drawn(
    audited: Workspace, watercolor: Attribute, oracle: Oracle, open_page: OpenPage, page: str, label: str
) -> None:
    add_vectors(audited, blind_vectors(audited))
    with audited.using(NETWORK):
        rounds.train(audited, watercolor)
        thresholds.save(audited, watercolor, thresholds.measure_at(audited, watercolor, 0.0, target=0.6))
        oracle.answer(audited, audits.draw(audited, watercolor, n_accepted=3, n_rejected=3, seed=2).task)
    app = opened(open_page, audited, page)
    (button,) = (button for button in app.button if button.label == label)
    use(audited, "network")
    before = state_of(audited)
    app = button.click().run()
    assert state_of(audited) == before
    assert not app.get("progress"), "no job was started"
    assert [one.label for one in app.button].count(label) == 1, "it is there for the encoder in use"


def state_of(workspace: Workspace) -> list[int]:
    """How many rounds, audits and certifications there are."""
    return [len(workspace.snapshot.rows(table)) for table in (db.rounds, db.audits, db.certifications)]
