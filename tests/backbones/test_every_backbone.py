"""Each of Keras's 40 backbones is built, has blocks, and says something of small photos; one a family is saved too."""

import gc

import keras
import numpy as np
import pytest

from graft.config.backbone import NATIVE_SIZE, SMALLEST_SIZE, Backbone
from graft.config.recipe import Head
from graft.network.assembly import assemble, embedder
from graft.network.backbones import build_backbone
from graft.network.blocks import block_names
from graft.network.forms import in_embedding_form
from graft.network.head import build_head
from graft.network.model_file import load_model, save_model
from graft.network.preprocessing import mode_of

FAMILIES = {  # the smallest of each: its larger relatives have layers of the same kinds
    *("ConvNeXtTiny", "DenseNet121", "EfficientNetB0", "EfficientNetV2B0", "InceptionResNetV2", "InceptionV3"),
    *("MobileNet", "MobileNetV2", "MobileNetV3Small", "NASNetMobile", "ResNet50", "ResNet50V2", "VGG16", "Xception"),
}


@pytest.fixture(autouse=True)
def room():
    """Give a network's memory back after its test."""
    yield
    keras.backend.clear_session()
    gc.collect()


def built(name: str) -> tuple[keras.Model, np.ndarray]:
    """Return a backbone with random weights, and two photos of a size that it takes."""
    size = max(SMALLEST_SIZE.get(name, 32), 64)
    pixels = np.random.default_rng(1).integers(0, 256, (2, size, size, 3)).astype(np.float32)
    return build_backbone(Backbone(name=name, weights="none", size=size)), pixels


@pytest.mark.parametrize("name", sorted(NATIVE_SIZE))
def test_every_backbone_is_built_and_has_features_and_blocks(name):
    backbone, pixels = built(name)
    features = np.asarray(embedder(backbone, mode_of(name), "avg")(pixels))
    assert features.shape == (2, backbone.output_shape[-1])
    assert np.isfinite(features).all()
    assert len(set(block_names(backbone))) >= 4


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_one_of_every_family_embeds_and_is_saved_and_says_the_same_again(name, tmp_path):
    backbone, pixels = built(name)
    plain, folded = (embedder(one, mode_of(name), "avg") for one in (backbone, in_embedding_form(backbone, "float32")))
    expected, result = (np.asarray(model(pixels)) for model in (plain, folded))
    assert np.abs(expected - result).max() <= 1e-3 * max(np.abs(expected).max(), 1e-3)
    model = assemble(backbone, build_head(Head(), backbone.output_shape[-1], 3, 0), mode_of(name), "avg")
    save_model(model, {"classes": ["a", "b", "c"], "size": pixels.shape[1]}, tmp_path / "model.keras")
    again, _ = load_model(tmp_path / "model.keras")
    assert np.allclose(np.asarray(model(pixels)), np.asarray(again(pixels)), atol=1e-4)


def test_the_families_are_names_of_keras():
    assert set(NATIVE_SIZE) >= FAMILIES
    assert len(NATIVE_SIZE) == 40
