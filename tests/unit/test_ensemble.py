"""Two networks side by side: one model that answers with the mean of both networks' logits."""

import keras
import numpy as np
import pytest

from graft.config.backbone import Backbone
from graft.config.base import parse
from graft.config.experiment import FineTuneSettings
from graft.config.recipe import FineTuning, Head, Optimizer, Recipe
from graft.errors import UserError
from graft.network.assembly import assemble, parts_of
from graft.network.backbones import build_backbone
from graft.network.ensemble import side_by_side
from graft.network.folding import fold_batch_norm
from graft.network.forms import in_prediction_form
from graft.network.head import build_head
from graft.training.finetune import fine_tune
from graft.training.roles import Roles
from networks import lively

SPEC = Backbone(name="MobileNet", alpha=0.25, weights="none", size=32)
PHOTOS = np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3)).astype(np.float32)


def model(seed: int, output: str = "softmax", pooling: str = "avg") -> keras.Model:
    """Return a network with weights of its own and a head for four classes, or two."""
    keras.utils.set_random_seed(seed)
    backbone = lively(build_backbone(SPEC))
    n_features, n_classes = 256 * len(pooling.split("+")), 2 if output == "logit" else 4
    head = build_head(Head(output=output), n_features, n_classes, seed)
    head.set_weights([100 * weight for weight in head.get_weights()])  # so that logits differ by more than rounding
    return assemble(backbone, head, "tf", pooling)


def logits(network: keras.Model) -> np.ndarray:
    return network.predict(PHOTOS, verbose=0)


@pytest.mark.parametrize("pooling", ["avg", "max", "avg+max"])
@pytest.mark.parametrize("output", ["softmax", "logit"])
def test_the_logits_are_the_mean_of_both_networks(output, pooling):
    first, second = model(0, output, pooling), model(1, output, pooling)
    both = side_by_side(first, second, 0.75, "tf")
    assert np.allclose(logits(both), 0.25 * logits(first) + 0.75 * logits(second), rtol=1e-4, atol=1e-4)
    assert np.ptp(logits(first) - logits(second)) > 0.01


def test_it_is_saved_loaded_and_folded_as_any_model(tmp_path):
    first, second = model(0), model(1)
    backbone, head = parts_of(second)
    both = side_by_side(first, assemble(fold_batch_norm(backbone), head, "tf", "avg"), 0.5, "tf")
    mean = (logits(first) + logits(second)) / 2
    both.save(tmp_path / "both.keras")
    assert np.allclose(logits(keras.saving.load_model(tmp_path / "both.keras")), mean, atol=1e-5)
    assert np.allclose(logits(in_prediction_form(both)), mean, atol=1e-4)


@pytest.mark.parametrize("batch_norm", ["lesson", "folded"])
def test_fine_tuning_ends_in_the_mean_of_the_head_s_model_and_the_fine_tuned(tmp_path, batch_norm):
    def tuned(share: float) -> tuple[np.ndarray, np.ndarray]:
        start = model(0, "logit")
        before = logits(start)
        phase = FineTuning(
            epochs=2, batch_size=4, batch_norm=batch_norm, ensemble=share, optimizer=Optimizer(learning_rate=1e-3)
        )
        settings = FineTuneSettings(
            preprocessing="consistent",
            label_smoothing=0,
            class_weights="none",
            augmentation=None,
            finetune=phase,
            seed=0,
        )
        roles = Roles(np.arange(8), np.arange(0), np.arange(8, 12), np.arange(12) % 2, ["dark", "light"])
        pixels = PHOTOS.astype(np.uint8)
        after, _, _ = fine_tune(settings, start, ("tf", "tf"), pixels, roles, "test", tmp_path / f"{share}{batch_norm}")
        return before, logits(after)

    before, alone = tuned(1.0)
    _, both = tuned(0.5)
    assert np.allclose(both, (before + alone) / 2, atol=1e-4)
    assert np.abs(before - alone).max() > 0.01


@pytest.mark.parametrize("head", [{"pooling": "flatten"}, {"hidden": [10]}])
def test_heads_that_cannot_be_joined_are_refused(head):
    with pytest.raises(UserError, match=r"finetune\.ensemble is 0\.5, which joins two heads of one layer on pooled"):
        parse(Recipe, {"head": head, "finetune": {"ensemble": 0.5}}, "recipes.mine")
