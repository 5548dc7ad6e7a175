"""Training: cached features are the lesson, a killed run ends in the same bytes, settings do as they say."""

import contextlib
import subprocess
import sys

import keras
import numpy as np
import pandas as pd
import pytest

from graft.config.backbone import Backbone
from graft.config.experiment import Choosing, EmbedSettings, FineTuneSettings, HeadSettings, Views
from graft.config.recipe import Augmentation, EarlyStopping, FineTuning, FrozenPhase, Head, Optimizer, Schedule
from graft.errors import UserError
from graft.machine.runtime import streamed
from graft.network.assembly import assemble, parts_of
from graft.network.backbones import build_backbone
from graft.network.head import build_head
from graft.network.model_file import save_model
from graft.storage.files import write_table
from graft.training.augment import apply_views, draw_views
from graft.training.batches import InOrder
from graft.training.callbacks import StopAtNaN
from graft.training.features import embed_photos
from graft.training.finetune import Before, Expected, fine_tune, first_trainable, in_order, interpolate
from graft.training.frozen import train_head
from graft.training.probe import fit_probe, folds_of
from graft.training.resume import EVERY_SECONDS
from graft.training.roles import Roles
from graft.training.targets import sample_weights
from graft.training.visits import Visits
from networks import lively

SPEC = Backbone(name="MobileNet", alpha=0.25, weights="none", size=32)
AUGMENTATION = Augmentation(rotation=10, zoom=0.1, shift=0.1, horizontal_flip=True)
CLASSES = ["dark", "light"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Return a folder with 12 small photos of two classes, 8 to train and 4 to validate, and a backbone's weights."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    codes = np.arange(12) % 2
    pixels = rng.integers(0, 128, (12, 32, 32, 3)) + 100 * codes[:, None, None, None]
    np.save(folder / "pixels.npy", pixels.astype(np.uint8))
    split = pd.DataFrame(
        {
            "path": [f"{row}.png" for row in range(12)],
            "label": [CLASSES[code] for code in codes],
            "fold": 0,
            "role": ["train"] * 8 + ["val"] * 4,
        }
    )
    write_table(split, folder / "split.csv")
    lively(build_backbone(SPEC)).save_weights(folder / "w.weights.h5")
    return folder, split


def roles(split: pd.DataFrame) -> Roles:
    """Return who trains, with the validation photos as those that choose."""
    return Roles.of_fold(split, 0, split.path.tolist(), CLASSES, Choosing(on="val", chooses=True))


def features_of(data, views: Views | None) -> np.ndarray:
    folder, split = data
    settings = EmbedSettings(backbone=SPEC, pooling="avg", preprocessing="consistent", precision="float32", views=views)
    embed_photos(settings, folder / "w.weights.h5", folder / "pixels.npy", split, split.path.tolist(), folder / "f.npy")
    return np.load(folder / "f.npy")


def head_settings(**changes) -> HeadSettings:
    phase = {"epochs": 3, "batch_size": 4, "steps_per_epoch": 3, "optimizer": Optimizer(learning_rate=0.01)}
    frozen = FrozenPhase(**(phase | changes.pop("frozen", {})))
    given = {"head": Head(output="logit"), "class_weights": "none", "seed": 0} | changes
    return HeadSettings(backbone=SPEC, preprocessing="consistent", frozen=frozen, **given)


def test_cached_features_give_the_head_that_training_through_the_frozen_backbone_gives(data, tmp_path):
    """The published way: one model, the backbone not trainable, a fresh augmented view of each photo at each visit."""
    folder, split = data
    settings = head_settings(frozen={"views": "epoch"})
    views = Views(augmentation=AUGMENTATION, count=0, phase=settings.frozen, choosing=Choosing(), seed=5)
    features = features_of(data, views)
    assert len(features) == 1 + 5  # 3 epochs x 3 steps x 4 photos = 36 visits of 8 photos: at most 5 each
    head, history, _ = train_head(settings, features, roles(split), "test", tmp_path / "state")

    backbone = build_backbone(SPEC)
    backbone.load_weights(folder / "w.weights.h5")
    backbone.trainable = False
    through = assemble(backbone, build_head(settings.head, 256, 2, 0), "tf", "avg")
    through.compile(keras.optimizers.RMSprop(0.01), keras.losses.BinaryCrossentropy(from_logits=True))
    pixels, codes = np.load(folder / "pixels.npy"), roles(split).codes
    losses = []
    for epoch in range(3):
        of_epoch = []
        for positions, visits in Visits(8, 4, 3, seed=0).epoch(epoch):
            images = apply_views(pixels[positions], draw_views(AUGMENTATION, positions, visits, 5, 32))
            through.reset_metrics()
            of_epoch.append(through.train_on_batch(np.asarray(images), codes[positions, None].astype(np.float32)))
        losses.append(np.mean(of_epoch))
    for cached, trained in zip(head.get_weights(), parts_of(through)[1].get_weights(), strict=True):
        assert np.allclose(cached, trained, atol=2e-5)
    assert np.allclose(history["loss"], losses, atol=1e-4)


def test_the_history_has_a_row_an_epoch_and_no_clock(data, tmp_path):
    _, history, _ = train_head(head_settings(), features_of(data, None), roles(data[1]), "test", tmp_path / "state")
    assert history.columns.tolist() == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"]
    assert history.epoch.tolist() == [1, 2, 3]
    assert history.notna().all(axis=None)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="other frameworks trace in their own way")
def test_a_training_traces_its_step_once(data, tmp_path, monkeypatch):
    features, traced, step = features_of(data, None), [], keras.Model.train_step

    def counted(self, batch):
        traced.append(1)
        return step(self, batch)

    monkeypatch.setattr(keras.Model, "train_step", counted)
    train_head(head_settings(), features, roles(data[1]), "test", tmp_path / "state")
    assert len(traced) == 1


class Killed(Exception):
    """Stands for the end of a process."""


@contextlib.contextmanager
def killed_after_epoch(last, monkeypatch):
    """Let what trains inside end as a killed process does, at the end of an epoch (counted from 0)."""

    def die(self, epoch, logs=None):
        if epoch == last:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(StopAtNaN, "on_epoch_end", die)
        with pytest.raises(Killed):
            yield


def test_a_killed_training_goes_on_and_ends_in_the_same_bytes(data, tmp_path, monkeypatch):
    monkeypatch.setenv(EVERY_SECONDS, "0")
    settings = head_settings(
        head=Head(output="logit", dropout=0.3),
        frozen={"epochs": 6, "early_stopping": EarlyStopping(patience=3), "schedule": Schedule(name="plateau")},
    )
    features = features_of(data, None)
    straight, history, _ = train_head(settings, features, roles(data[1]), "test", tmp_path / "straight")

    with killed_after_epoch(3, monkeypatch):
        train_head(settings, features, roles(data[1]), "test", tmp_path / "killed")
    assert (tmp_path / "killed").is_file()
    resumed, again, _ = train_head(settings, features, roles(data[1]), "test", tmp_path / "killed")
    pd.testing.assert_frame_equal(history, again, check_exact=True)
    for one, other in zip(straight.get_weights(), resumed.get_weights(), strict=True):
        assert np.array_equal(one, other)


def test_a_loss_that_is_no_number_stops_in_one_sentence(data, tmp_path):
    settings = head_settings(frozen={"optimizer": Optimizer(name="sgd", learning_rate=10)})
    features = features_of(data, None).copy()
    features[0, 0] = np.nan
    with pytest.raises(UserError, match=r"test: the loss became nan in epoch 1, at a learning rate of 10; lower"):
        train_head(settings, features, roles(data[1]), "test", tmp_path / "state")


def test_early_stopping_goes_back_to_the_best_epoch_even_if_it_never_stopped(data, tmp_path):
    wild = Optimizer(name="sgd", learning_rate=3, momentum=0.9)
    settings = head_settings(
        frozen={"epochs": 5, "early_stopping": EarlyStopping(patience=99), "optimizer": wild, "batch_size": 1}
    )
    features, who = features_of(data, None), roles(data[1])
    head, history, _ = train_head(settings, features, who, "test", tmp_path / "state")
    head.compile(loss=keras.losses.BinaryCrossentropy(from_logits=True), metrics=["accuracy"])
    loss = head.evaluate(features[0, who.choose], who.codes[who.choose, None].astype(np.float32), verbose=0)[0]
    assert loss == pytest.approx(history.val_loss.min(), abs=1e-6)
    assert history.val_loss.idxmin() != len(history) - 1  # else the test shows nothing


def test_the_probe_separates_what_a_line_separates():
    rng = np.random.default_rng(0)
    codes = np.arange(60) % 3
    features = rng.normal(0, 0.3, (60, 5)) + np.eye(3, 5)[codes] * 3 + 100
    kernel, bias, *_ = fit_probe(features[None], codes, np.ones(60), seed=0)
    assert kernel.shape == (5, 3)
    assert ((features @ kernel + bias).argmax(1) == codes).all()


def test_the_probe_copes_with_a_feature_that_never_moves_and_a_class_of_one():
    features = np.array([[0.0, 7], [0.1, 7], [1.0, 7], [1.1, 7], [5.0, 7]])
    kernel, bias, *_ = fit_probe(features[None], np.array([0, 0, 1, 1, 2]), np.ones(5), seed=0)
    assert np.isfinite(kernel).all()
    assert np.isfinite(bias).all()


def test_photos_of_a_group_are_in_one_inner_fold_of_the_probe():
    codes, groups = np.tile([0, 1], 20), np.arange(40) // 4
    for fit, judge in folds_of(codes, 2, 0, groups):
        assert not set(groups[fit % 40]) & set(groups[judge % 40])
    alone = folds_of(codes, 1, 0, np.arange(40))
    assert all(np.array_equal(one, other) for one, other in zip(alone[0], folds_of(codes, 1, 0)[0], strict=True))


def test_groups_of_copies_make_the_probe_more_careful():
    """Forty photos are ten, four times each: in folds of their own, copies vouch for each other."""
    rng = np.random.default_rng(0)
    features, codes = np.repeat(rng.normal(size=(10, 30)), 4, axis=0).astype(np.float32), np.repeat([0, 1] * 5, 4)
    apart, together = (
        fit_probe(features[None], codes, np.ones(40), 0, groups)[0] for groups in (None, np.arange(40) // 4)
    )
    assert np.abs(together).sum() < np.abs(apart).sum()


def test_views_that_say_nothing_new_leave_the_probe_as_it_is():
    rng = np.random.default_rng(0)
    codes = np.arange(40) % 2
    features = (rng.normal(0, 1, (40, 20)) + codes[:, None] * 0.6).astype(np.float32)
    once, often = (fit_probe(np.repeat(features[None], n, axis=0), codes, np.ones(40), seed=0) for n in (1, 4))
    assert np.allclose(
        once[0], often[0], rtol=0.02, atol=1e-4
    )  # in two folds at once, they would ask for far larger weights
    assert np.abs(once[0]).max() > 0.01


@pytest.mark.parametrize("output", ["logit", "softmax"])
def test_a_probed_head_says_what_the_regression_says(data, tmp_path, output):
    settings = head_settings(head=Head(output=output), frozen={"method": "probe"})
    features, who = features_of(data, None), roles(data[1])
    head, history, _ = train_head(settings, features, who, "test", tmp_path / "state")
    kernel, bias, *_ = fit_probe(features[:1, who.train], who.codes[who.train], np.ones(8), seed=0)
    margin = (features[0] @ kernel + bias) @ [-1, 1]
    logits = head.predict(features[0], verbose=0)
    found = logits[:, 0] if output == "logit" else logits @ [-1, 1]
    assert np.allclose(found, margin, rtol=1e-3, atol=1e-3)
    assert len(history) == 1


def test_balanced_class_weights_are_those_of_scikit_learn():
    from sklearn.utils.class_weight import compute_sample_weight

    codes = np.array([0, 0, 0, 1])
    assert np.allclose(sample_weights(codes, CLASSES, "balanced"), compute_sample_weight("balanced", codes))
    assert sample_weights(codes, CLASSES, {"light": 2.0}).tolist() == [1, 1, 1, 2]
    with pytest.raises(UserError, match="class_weights has 'lihgt', which is no class; did you mean 'light'"):
        sample_weights(codes, CLASSES, {"lihgt": 2.0})


def tuned(data, tmp_path, backbone=None, **finetune):
    """Fine-tune a fresh joined model for two epochs; return it before and after, and the history."""
    folder, _ = data
    if backbone is None:
        backbone = build_backbone(SPEC)
        backbone.load_weights(folder / "w.weights.h5")
    head = build_head(Head(output="logit"), backbone.output_shape[-1], 2, 0)
    model = assemble(backbone, head, "tf", "avg")
    before = keras.models.clone_model(backbone)
    before.set_weights(backbone.get_weights())
    after, history, _ = fine_tune_quickly(data, model, tmp_path / "state", **finetune)
    return before, after, history


def fine_tune_quickly(data, model: keras.Model, state, expected=Expected(), **finetune):  # noqa: B008
    """Fine-tune a model for two epochs."""
    folder, split = data
    phase = FineTuning(**({"epochs": 2, "batch_size": 4, "optimizer": Optimizer(learning_rate=1e-3)} | finetune))
    settings = FineTuneSettings(
        preprocessing="consistent",
        label_smoothing=0,
        class_weights="none",
        augmentation=AUGMENTATION,
        finetune=phase,
        seed=0,
    )
    pixels = np.load(folder / "pixels.npy", mmap_mode="r")
    return fine_tune(settings, model, ("tf", "tf"), pixels, roles(split), "test", state, expected=expected)


def changed(before: keras.Model, after: keras.Model) -> set[str]:
    """Return the names of the weights that differ between two backbones of the same layers."""
    pairs = [(layer, after.get_layer(layer.name)) for layer in before.layers if layer.weights]
    return {
        f"{old.name}/{weight.name}"
        for old, new in pairs
        for weight, other in zip(old.weights, new.weights, strict=True)
        if not np.array_equal(np.asarray(weight), np.asarray(other))
    }


def test_the_lessons_fine_tuning_moves_scales_but_never_statistics(data, tmp_path):
    before, model, history = tuned(data, tmp_path)
    moved = changed(before, parts_of(model)[0])
    assert {"conv1/kernel", "conv1_bn/gamma", "conv_pw_13/kernel"} <= moved
    assert not any("moving" in name for name in moved)
    assert len(history) == 2


def test_frozen_normalisation_keeps_its_scales_too(data, tmp_path):
    before, model, _ = tuned(data, tmp_path, batch_norm="frozen")
    moved = changed(before, parts_of(model)[0])
    assert "conv1/kernel" in moved
    assert not any("bn" in name for name in moved)


def test_the_last_block_alone_can_be_unfrozen(data, tmp_path):
    before, model, _ = tuned(data, tmp_path, unfreeze=1, batch_norm="frozen")
    assert changed(before, parts_of(model)[0]) == {"conv_dw_13/kernel", "conv_pw_13/kernel"}


def test_unfreezing_can_start_at_a_layer(data, tmp_path):
    before, model, _ = tuned(data, tmp_path, unfreeze="conv_pw_13", batch_norm="frozen")
    assert changed(before, parts_of(model)[0]) == {"conv_pw_13/kernel"}


@pytest.mark.parametrize(
    ("unfreeze", "sentence"),
    [("conv_pw_31", "no layer of .*; did you mean 'conv_pw_3'"), (99, "is 99, but .* has 14 blocks; use 'all'")],
)
def test_what_cannot_be_unfrozen_is_said(data, tmp_path, unfreeze, sentence):
    with pytest.raises(UserError, match=sentence):
        tuned(data, tmp_path, unfreeze=unfreeze)


def test_lower_blocks_move_less_with_layer_decay(data, tmp_path):
    sgd = Optimizer(name="sgd", learning_rate=1e-2)
    _, same, _ = tuned(data, tmp_path, batch_norm="frozen", optimizer=sgd, epochs=1)
    before, slower, _ = tuned(data, tmp_path, batch_norm="frozen", optimizer=sgd, epochs=1, layer_decay=0.1)

    def step(model, layer):
        return np.abs(
            np.asarray(parts_of(model)[0].get_layer(layer).weights[0]) - np.asarray(before.get_layer(layer).weights[0])
        ).max()

    assert step(slower, "conv_pw_13") < 0.2 * step(same, "conv_pw_13")
    assert 0 < step(slower, "conv_pw_12") < 0.02 * step(same, "conv_pw_12")
    assert step(slower, "conv_pw_11") == 0 < step(same, "conv_pw_11")  # its rate would be a thousandth


@pytest.mark.parametrize(
    "options",
    [
        {"batch_norm": "folded"},
        {"precision": "bfloat16"},
        {"mix": "mixup"},
        {"mix": "cutmix"},
        {"rand_augment": True},
        {"optimizer": Optimizer(name="adamw", learning_rate=1e-4, ema=0.9, clip_norm=1.0, weight_decay=0.01)},
        {"optimizer": Optimizer(name="sgd", learning_rate=1e-3, momentum=0.9, accumulate=2)},
        {"schedule": Schedule(name="cosine", warmup_epochs=0.5)},
        {"schedule": Schedule(name="plateau"), "early_stopping": EarlyStopping(patience=1)},
    ],
    ids=lambda options: ",".join(options),
)
def test_every_choice_trains_to_finite_float32_weights(data, tmp_path, options):
    _, model, history = tuned(data, tmp_path, build_backbone(Backbone(name="Rootstock", size=32)), **options)
    assert np.isfinite(history.loss).all()
    assert all(weight.dtype == "float32" for weight in model.weights)
    assert all(layer.compute_dtype == "float32" for layer in parts_of(model)[0].layers)
    assert np.isfinite(model.predict(np.zeros((2, 32, 32, 3), np.float32), verbose=0)).all()


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": Optimizer(name="adam", learning_rate=1e-3, ema=0.9)},
        {"layer_decay": 0.7, "schedule": Schedule(name="cosine", warmup_epochs=1)},
        {"precision": "bfloat16", "mix": "mixup"},
    ],
    ids=lambda options: ",".join(options),
)
def test_a_killed_fine_tuning_goes_on_and_ends_in_the_same_bytes(data, tmp_path, monkeypatch, options):
    monkeypatch.setenv(EVERY_SECONDS, "0")

    def network():
        keras.utils.set_random_seed(3)
        return build_backbone(Backbone(name="Rootstock", size=32))

    options = {"epochs": 4, **options}
    _, straight, history = tuned(data, tmp_path / "straight", network(), **options)

    with killed_after_epoch(2, monkeypatch):
        tuned(data, tmp_path / "killed", network(), **options)
    _, resumed, again = tuned(data, tmp_path / "killed", network(), **options)
    pd.testing.assert_frame_equal(history, again, check_exact=True)
    for one, other in zip(straight.get_weights(), resumed.get_weights(), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="other frameworks read batches as they are")
def test_batches_are_read_in_order_and_without_the_thread_that_tunes_and_sleeps():
    photos, targets = np.arange(10, dtype=np.float32)[:, None], np.eye(10, dtype=np.float32)
    stream = streamed(InOrder(lambda part: photos[part], targets, batch_size=4))
    assert stream.options().autotune.enabled is False
    assert int(stream.cardinality()) == 3  # without it Keras warns that data ran out
    read = [[part.numpy().tolist() for part in batch] for batch in stream]
    assert read == [[photos[i : i + 4].tolist(), targets[i : i + 4].tolist()] for i in (0, 4, 8)]


def test_tensorboard_gets_its_logs_when_asked(data, tmp_path, monkeypatch):
    pytest.importorskip("tensorboard")
    monkeypatch.setenv("GRAFT_TENSORBOARD", str(tmp_path / "logs"))
    train_head(head_settings(), features_of(data, None), roles(data[1]), "train_head: run, fold 0", tmp_path / "state")
    assert list((tmp_path / "logs" / "train_head-run-fold-0").rglob("events.out.tfevents.*"))


def test_tensorboard_that_is_not_installed_is_said_at_the_start(data, tmp_path, monkeypatch):
    monkeypatch.setenv("GRAFT_TENSORBOARD", str(tmp_path / "logs"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match="pip install tensorboard"):
        train_head(head_settings(), features_of(data, None), roles(data[1]), "test", tmp_path / "state")


@pytest.mark.parametrize("method", ["gradient", "probe"])
def test_a_trained_model_is_saved_uncompiled_and_plain_keras_loads_it(data, tmp_path, method):
    """Whoever gets the file has none of Graft's optimisers."""
    settings = head_settings(frozen={"method": method})
    head, _, _ = train_head(settings, features_of(data, None), roles(data[1]), "test", tmp_path / "state")
    model = assemble(build_backbone(SPEC), head, "tf", "avg")
    model, _, _ = fine_tune_quickly(data, model, tmp_path / "state", keep="better")
    save_model(model, {"classes": CLASSES}, tmp_path / "model.keras")
    script = f"import keras; print(keras.models.load_model({str(tmp_path / 'model.keras')!r}).compiled)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.stdout.split()[-1:] == ["False"], done.stderr[-2000:]


@pytest.mark.parametrize("batch_norm", ["lesson", "folded"])
def test_fine_tuning_that_is_not_kept_leaves_the_heads_model_to_the_last_bit(data, tmp_path, batch_norm):
    worse = Optimizer(name="sgd", learning_rate=10, clip_norm=1.0)
    before, kept, _ = tuned(data, tmp_path, keep="better", epochs=1, optimizer=worse, batch_norm=batch_norm)
    assert len(parts_of(kept)[0].layers) == len(before.layers)  # with its normalisation, not folded
    assert changed(before, parts_of(kept)[0]) == set()


@pytest.mark.parametrize(("expected_loss", "is_kept"), [(0.01, False), (100.0, True)])
def test_a_fine_tuning_that_failed_on_its_own_training_photos_is_not_kept(data, tmp_path, expected_loss, is_kept):
    before, kept, _ = tuned(data, tmp_path, keep="fits", epochs=1, expected=Expected(expected_loss))
    assert bool(changed(before, parts_of(kept)[0])) == is_kept


@pytest.mark.parametrize(("mistakes", "tunes"), [(9, False), (10, True), (None, True)])
def test_nothing_is_fine_tuned_where_the_probe_makes_too_few_mistakes_to_mend(data, tmp_path, mistakes, tunes, capsys):
    expected = Expected(mistakes=mistakes)
    before, kept, history = tuned(data, tmp_path, epochs=1, min_mistakes=10, expected=expected)
    assert bool(changed(before, parts_of(kept)[0])) == tunes
    assert len(history) == int(tunes)
    assert ("found 9 mistakes of the probe, fewer than 10" in capsys.readouterr().out) != tunes


def test_a_probe_counts_the_photos_that_it_gets_wrong_when_they_are_held_out():
    features = np.repeat([[0.0], [10.0]], 20, axis=0).astype(np.float32)
    codes = np.repeat([0, 1], 20)
    codes[[3, 25, 30]] = 1 - codes[[3, 25, 30]]  # on the other side, where no line can put them right
    assert fit_probe(features[None], codes, np.ones(40), seed=0).mistakes == 3
    assert fit_probe(np.repeat(features[None], 4, axis=0), codes, np.ones(40), seed=0).mistakes == 3
    assert (
        fit_probe(features[None, :21], np.append(np.zeros(20, int), 1), np.ones(21), seed=0).mistakes == 1
    )  # no folds


def test_a_probe_expects_its_log_loss_on_other_photos():
    rng = np.random.default_rng(0)
    codes = np.arange(400) % 2
    features = (rng.normal(0, 1, (400, 20)) + codes[:, None] * 0.4).astype(np.float32)
    kernel, bias, expected, _ = fit_probe(features[None, :100], codes[:100], np.ones(100), seed=0)
    logits = features[100:] @ kernel + bias
    loss = np.mean(np.logaddexp(0, (1 - 2 * codes[100:]) * (logits[:, 1] - logits[:, 0])))
    assert expected == pytest.approx(loss, abs=0.1)
    trained = features[:100] @ kernel + bias
    assert expected > np.mean(np.logaddexp(0, (1 - 2 * codes[:100]) * (trained[:, 1] - trained[:, 0])))


def test_fine_tuning_is_not_kept_where_no_photos_can_show_that_it_is_better(data, tmp_path, capsys):
    folder, split = data
    nobody = split.assign(role=split["role"].replace("val", "test"))
    before, kept, _ = tuned((folder, nobody), tmp_path, keep="better")
    assert changed(before, parts_of(kept)[0]) == set()
    assert "the head's model stays: no photos can choose" in capsys.readouterr().out


def test_fine_tuning_with_more_right_and_a_higher_log_loss_is_not_kept(data, tmp_path):
    """A count of right answers is no proper score: two more right, each wrong one surer."""
    folder, split = data
    who = roles(split)
    model = assemble(build_backbone(SPEC), build_head(Head(output="logit"), 256, 2, 0), "tf", "avg")
    photos = in_order(np.load(folder / "pixels.npy"), who.choose, who, 1)
    before = Before.of(model, model, photos)
    head = parts_of(model)[1].get_layer("logits")
    kernel, _ = head.get_weights()
    head.set_weights([kernel * 0, np.array([20.0])])  # always the second class: half are right, the others very wrong
    assert before.unless_beaten("test") is model
    assert np.array_equal(head.get_weights()[0], kernel)  # it has its weights back


def test_interpolation_is_the_mean_of_the_weights_before_and_after(data, tmp_path):
    _, whole, _ = tuned(data, tmp_path / "a", batch_norm="folded")
    _, half, _ = tuned(data, tmp_path / "b", batch_norm="folded", interpolation=0.5)
    _, unmoved, _ = tuned(data, tmp_path / "c", batch_norm="folded", epochs=1, optimizer=Optimizer(learning_rate=1e-12))
    for start, mean, end in zip(unmoved.get_weights(), half.get_weights(), whole.get_weights(), strict=True):
        assert np.allclose(mean, (start + end) / 2, atol=1e-6)
    assert not np.allclose(half.get_weights()[0], whole.get_weights()[0], atol=1e-4)


def test_weights_between_which_lies_a_barrier_are_not_averaged(capsys):
    # one weight; its log loss is 0 at -1 and at 1, and 1 in the middle
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.set_weights([np.array([[1.0]])])
    interpolate(model, [np.array([[-1.0]])], 0.5, lambda: 1 - abs(model.get_weights()[0].item()), "tag")
    assert model.get_weights()[0].item() == 1
    assert "tag: the weights are those of fine-tuning alone" in capsys.readouterr().out
    interpolate(model, [np.array([[-1.0]])], 0.5, lambda: abs(model.get_weights()[0].item()), "tag")
    assert model.get_weights()[0].item() == 0
    assert capsys.readouterr().out == ""


def test_a_fraction_unfreezes_that_share_of_the_blocks():
    backbone = build_backbone(SPEC)  # 14 blocks
    assert first_trainable(backbone, 0.5) == first_trainable(backbone, 7)
    assert first_trainable(backbone, 0.51) == first_trainable(backbone, 8)


def test_fine_tuning_that_makes_it_better_is_kept(data, tmp_path):
    _, kept, history = tuned(data, tmp_path, keep="better", epochs=6, batch_norm="folded")
    folder, split = data
    who = roles(split)
    logits = kept.predict(np.load(folder / "pixels.npy")[who.choose].astype(np.float32), verbose=0)
    loss = np.log1p(np.exp(-logits[:, 0] * (2 * who.codes[who.choose] - 1))).mean()
    assert loss == pytest.approx(history.val_loss.iloc[-1], rel=1e-3)


@pytest.mark.parametrize(
    "settings",
    [
        Optimizer(name="sgd", learning_rate=0.1),
        Optimizer(name="sgd", learning_rate=0.1, momentum=0.9),
        Optimizer(name="rmsprop", learning_rate=0.01),
        Optimizer(name="rmsprop", learning_rate=0.01, momentum=0.5),
        Optimizer(name="adam", learning_rate=0.01, clip_norm=0.5),
        Optimizer(name="adam", learning_rate=0.01, accumulate=2),
        Optimizer(name="adamw", learning_rate=0.01, weight_decay=0.1, ema=0.9),
    ],
    ids=lambda settings: "-".join(str(value) for value in settings.model_dump(exclude_defaults=True).values()),
)
def test_a_step_in_one_pass_is_kerass_own_step(settings):
    from graft.training.optimizers import build_optimizer

    def trained(fast_path):
        optimizer = build_optimizer(settings, Schedule(name="cosine"), epochs=3, steps_per_epoch=4, fast=fast_path)
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(1)])
        model.compile(optimizer, "mse")
        x = np.random.default_rng(0).normal(0, 1, (24, 5)).astype(np.float32)
        model.fit(x, x[:, :1] ** 2, batch_size=6, epochs=3, shuffle=False, verbose=0)
        return type(optimizer), model.get_weights()

    fast, weights = trained(True)
    plain, expected = trained(False)
    assert fast is not plain
    for one, other in zip(weights, expected, strict=True):
        assert np.allclose(one, other, rtol=1e-4, atol=1e-6)


def test_a_cosine_ends_at_zero_after_its_warm_up():
    from graft.training.optimizers import build_optimizer

    schedule = Schedule(name="cosine", warmup_epochs=2)
    rate = build_optimizer(Optimizer(learning_rate=0.1), schedule, epochs=10, steps_per_epoch=5)._learning_rate
    values = [float(rate(step)) for step in (0, 5, 10, 30, 50)]
    assert np.allclose(values, [0, 0.05, 0.1, 0.05, 0], atol=1e-6)
