"""Backbones of KerasHub: each family is what KerasHub's own is, and trains, saves and loads as any other backbone."""

import importlib.util
import shutil

import numpy as np
import pytest

import tiny_presets
from graft.config.backbone import Backbone
from graft.config.base import parse
from graft.config.recipe import FineTuning, Head
from graft.errors import UserError
from tiny_presets import FAMILIES, SIZE

needs_hub = pytest.mark.skipif(importlib.util.find_spec("keras_hub") is None, reason="KerasHub: make hub-setup")
TRANSFORMERS = {"vit": 1, "deit": 2, "dinov2": 3, "dinov3": 3, "swin": 0, "clip": 1, "siglip": 0, "metaclip_2": 1}
N_BLOCKS = {  # the stem is one
    **{"vit": 4, "deit": 3, "dinov2": 4, "dinov3": 4, "swin": 5, "clip": 3, "siglip": 3, "metaclip_2": 3},
    **{"hgnetv2": 4, "efficientnet": 4, "efficientnet_v2": 4, "mobilenetv5": 6},
}


@pytest.fixture(scope="module")
def presets(tmp_path_factory):
    """Return a function from a family to the folder of its tiny preset."""
    folder = tmp_path_factory.mktemp("presets")

    def of(family):
        if not (folder / family).exists():
            tiny_presets.save_preset(family, folder / family)
        return folder / family

    return of


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(1).integers(0, 256, (6, SIZE, SIZE, 3)).astype(np.float32)


def spec_of(family, folder, **more):
    return Backbone(name=f"hub/tiny_{family}", weights=str(folder), **more)


def by_kerashub(family, folder, pixels):
    """Return what KerasHub's own backbone says of photos, prepared by its own converter."""
    import keras_hub

    whole = keras_hub.models.Backbone.from_preset(str(folder))
    converter = keras_hub.layers.ImageConverter.from_preset(str(folder))
    tower = getattr(whole, "vision_encoder", whole)
    prepared = converter(pixels)
    given = {next(iter(tower.input)): prepared} if isinstance(tower.input, dict) else prepared
    said = tower(given, training=False)
    said = list(said.values())[-1] if isinstance(said, dict) else said
    return np.asarray(whole.vision_post_layer_norm(said) if family == "metaclip_2" else said)


def embedded(network, pixels, pooling="avg"):
    from graft.network.assembly import embedder

    return np.asarray(embedder(network, "none", pooling)(pixels), np.float32)


def loaded(family, folder, where, **more):
    """Return a preset's network as the chain has it: written as a weights file, and read again."""
    from graft.network.backbones import fetch_weights, load_backbone

    spec, path = spec_of(family, folder, **more), where / "own.weights.h5"
    assert fetch_weights(spec, path, where / "scratch") > 0
    return load_backbone(spec, path)


@needs_hub
@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_says_what_kerashub_says(family, presets, pixels, tmp_path):
    expected = by_kerashub(family, presets(family), pixels)
    if family in TRANSFORMERS:
        prefix = TRANSFORMERS[family]
        class_token = expected[:, 0] if expected.ndim == 3 else expected  # SigLIP pools its tokens itself
        vector = class_token if prefix or expected.ndim == 2 else expected.mean(axis=1)
    else:
        vector = expected.mean(axis=(1, 2))
    network = loaded(family, presets(family), tmp_path)
    np.testing.assert_allclose(embedded(network, pixels), vector, rtol=1e-4, atol=2e-5)
    assert np.ptp(vector, axis=0).max() > 1e-3  # photos differ


@needs_hub
@pytest.mark.parametrize("family", [family for family, prefix in TRANSFORMERS.items() if prefix])
def test_tokens_are_pooled_as_asked(family, presets, pixels, tmp_path):
    tokens, prefix = by_kerashub(family, presets(family), pixels), TRANSFORMERS[family]
    mean = tokens[:, prefix:].mean(axis=1)
    both = loaded(family, presets(family), tmp_path, tokens="class+mean")
    np.testing.assert_allclose(
        embedded(both, pixels), np.concatenate([tokens[:, 0], mean], axis=1), rtol=1e-4, atol=2e-5
    )
    (tmp_path / "mean").mkdir()
    np.testing.assert_allclose(
        embedded(loaded(family, presets(family), tmp_path / "mean", tokens="mean"), pixels), mean, rtol=1e-4, atol=2e-5
    )


@needs_hub
@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_trains_saves_and_loads_to_the_same_logits(family, presets, pixels, tmp_path):
    import keras

    from graft.network.assembly import assemble, parts_of
    from graft.network.blocks import block_names
    from graft.network.ensemble import side_by_side
    from graft.network.forms import in_embedding_form, in_saved_form, in_training_form, take_weights, twin
    from graft.network.head import build_head
    from graft.network.hub import opened
    from graft.network.model_file import load_model, save_model
    from graft.training.finetune import block_optimizer, folded, unfreeze

    keras.utils.set_random_seed(0)
    network = loaded(family, presets(family), tmp_path)
    assert len(set(block_names(opened(network)))) == N_BLOCKS[family]
    fast = in_embedding_form(network, "float32")
    np.testing.assert_allclose(embedded(fast, pixels), embedded(network, pixels), rtol=1e-3, atol=1e-4)
    half = in_embedding_form(network, "mixed_bfloat16")
    assert np.corrcoef(embedded(half, pixels).ravel(), embedded(network, pixels).ravel())[0, 1] > 0.99

    head = build_head(Head(), embedded(network, pixels).shape[1], 3, 0)
    model = assemble(network, head, "none", "avg")
    phase = FineTuning(epochs=2, batch_size=3, unfreeze="all", layer_decay=0.8, optimizer={"learning_rate": 0.01})
    alone = twin(model, "none")
    plain = folded(model)
    before = parts_of(plain)[0].get_weights()
    tuned = in_saved_form(plain, "none")
    np.testing.assert_allclose(tuned.predict(pixels, verbose=0), model.predict(pixels, verbose=0), rtol=1e-3, atol=1e-4)
    training = in_training_form(plain, "none", "float32")
    again = [training(pixels, training=True) for _ in range(2)]
    np.testing.assert_array_equal(*map(np.asarray, again))  # nothing random is left in it
    np.testing.assert_allclose(np.asarray(again[0]), model.predict(pixels, verbose=0), rtol=1e-3, atol=1e-4)
    assert unfreeze(parts_of(training)[0], phase) > 3
    optimizer = block_optimizer(training, parts_of(training)[0], phase, 2)
    training.compile(optimizer=optimizer, loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = training.fit(pixels, np.array([0, 1, 2, 0, 1, 2]), batch_size=3, epochs=4, verbose=0).history["loss"]
    assert history[-1] < history[0]
    take_weights(tuned, training)

    logits = tuned.predict(pixels, verbose=0)
    np.testing.assert_allclose(logits, training.predict(pixels, verbose=0), rtol=1e-4, atol=1e-5)
    weights = parts_of(tuned)[0].weights
    changed = [
        weight.name
        for weight, old, new in zip(weights, before, parts_of(tuned)[0].get_weights(), strict=True)
        if not np.array_equal(old, new)
    ]
    assert len(changed) > len(weights) / 3
    assert not [name for name in changed if name.startswith("moving")]  # statistics are kept
    save_model(tuned, {"classes": ["a", "b", "c"], "size": SIZE, "backbone": f"hub/{family}"}, tmp_path / "model.keras")
    again, _ = load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(pixels, verbose=0), logits)

    both = side_by_side(alone, tuned, 0.5, "none")  # as `finetune.ensemble` does
    save_model(both, {"classes": ["a", "b", "c"], "size": SIZE, "backbone": f"hub/{family}"}, tmp_path / "both.keras")
    again, _ = load_model(tmp_path / "both.keras")
    mean = (alone.predict(pixels, verbose=0) + logits) / 2
    np.testing.assert_allclose(again.predict(pixels, verbose=0), mean, rtol=1e-3, atol=1e-4)


@needs_hub
def test_the_last_block_alone_can_be_unfrozen(presets, tmp_path):
    from graft.network.hub import opened
    from graft.training.finetune import unfreeze

    network = opened(loaded("vit", presets("vit"), tmp_path))
    unfreeze(network, FineTuning(epochs=1, batch_size=2, unfreeze=1))
    assert [layer.name for layer in network.layers if layer.weights and layer.trainable] == [
        "vit_encoder_transformer_block_3",
        "vit_encoder_ln",
    ]


@needs_hub
def test_dinov2_takes_photos_of_another_size(presets, tmp_path):
    network = loaded("dinov2", presets("dinov2"), tmp_path, size=48)
    assert network.input_shape == (None, 48, 48, 3)
    assert embedded(network, np.zeros((1, 48, 48, 3), np.float32)).shape == (1, 16)


@needs_hub
def test_positions_learnt_for_one_size_are_not_used_for_another(presets, tmp_path):
    with pytest.raises(UserError, match=r"backbone.size is 48, but hub/tiny_vit has learnt positions for photos of 32"):
        loaded("vit", presets("vit"), tmp_path, size=48)


@needs_hub
def test_a_feature_map_has_no_tokens_and_swin_no_class_token(presets, tmp_path):
    with pytest.raises(UserError, match="tokens is 'mean', but hub/tiny_efficientnet makes a feature map"):
        loaded("efficientnet", presets("efficientnet"), tmp_path, tokens="mean")
    with pytest.raises(UserError, match="tokens is 'class', but hub/tiny_swin has no class token"):
        loaded("swin", presets("swin"), tmp_path, tokens="class")


@needs_hub
def test_a_preset_without_its_image_converter_is_refused(presets, tmp_path):
    folder = shutil.copytree(presets("vit"), tmp_path / "preset")
    (folder / "image_converter.json").unlink()
    with pytest.raises(UserError, match=r"image_converter.json is not there; it says how pixels are scaled"):
        loaded("vit", folder, tmp_path)


@needs_hub
def test_a_preset_whose_weights_do_not_fit_is_refused(presets, tmp_path):
    folder = shutil.copytree(presets("vit"), tmp_path / "preset")
    shutil.copy(presets("deit") / "model.weights.h5", folder)
    with pytest.raises(UserError, match=r"the preset of hub/tiny_vit in .*preset cannot be built"):
        loaded("vit", folder, tmp_path)


@needs_hub
def test_the_table_of_presets_is_that_of_the_installed_release():
    import list_hub_presets
    from graft.config.hub import TABLE
    from graft.storage.files import read_table

    known = list_hub_presets.known_presets()
    assert read_table(TABLE).astype(str).equals(known.astype(str)), "run workflow/commands/list_hub_presets.py"


# What needs no KerasHub.


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"name": "hub/dinov2_smal"},
            "backbone: name is 'hub/dinov2_smal', no preset of KerasHub's image backbones; did ",
        ),
        (
            {"name": "hub/mine", "weights": "nowhere"},
            "weights is 'nowhere', which is no folder of a KerasHub preset: its",
        ),
        (
            {"name": "hub/dinov2_small", "weights": "imagenet"},
            "weights is 'imagenet', but those of hub/dinov2_small are",
        ),
        ({"name": "hub/dinov2_small", "alpha": 0.5}, "alpha is 0.5, but hub/dinov2_small has no width multiplier"),
        ({"name": "hub/dinov2_small", "tokens": "first"}, "backbone.tokens is 'first'"),
        ({"name": "ResNet50", "tokens": "mean"}, "tokens is 'mean', but ResNet50 makes a feature map, no tokens"),
    ],
)
def test_a_mistake_is_one_sentence(values, said):
    with pytest.raises(UserError) as error:
        parse(Backbone, values, "backbone")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_preset_has_its_own_size_unless_another_is_asked_for():
    assert Backbone(name="hub/siglip_base_patch16_384").size == 384
    assert Backbone(name="hub/dinov2_small").size == 224
    assert Backbone(name="hub/dinov2_small", size=518).size == 518


def test_other_backbones_are_written_as_before():
    assert Backbone(name="ResNet50").model_dump(mode="json") == {
        **{"name": "ResNet50", "weights": "imagenet", "size": 224, "alpha": 1.0}
    }
    assert Backbone(name="hub/dinov2_small", tokens="mean").model_dump()["tokens"] == "mean"


def test_a_missing_library_is_said_with_the_command_that_installs_it(monkeypatch, tmp_path):
    import sys

    from graft.network.hub import library

    monkeypatch.setitem(sys.modules, "keras_hub", None)
    with pytest.raises(UserError, match=r"backbones named hub/... need KerasHub .*: run make hub-setup"):
        library()


def test_a_model_file_says_which_library_it_lacks(monkeypatch, tmp_path):
    import zipfile

    from graft.network.model_file import add_facts, load_model

    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w"):
        pass
    add_facts(path, {"backbone": "hub/dinov2_small"})
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"has layers of KerasHub .* is not installed: run make hub-setup"):
        load_model(path)


@needs_hub
@pytest.mark.parametrize("family", TRANSFORMERS)
def test_grad_cam_reads_the_tokens_of_the_patches(family, presets, pixels, tmp_path):
    from graft.figures.gradcam import heat_of
    from graft.figures.token_maps import split_at_tokens
    from graft.network.assembly import assemble
    from graft.network.head import build_head
    from graft.network.hub_weights import facts_of

    network = loaded(family, presets(family), tmp_path)
    facts = facts_of(tmp_path / "own.weights.h5")
    model = assemble(network, build_head(Head(), network.output_shape[-1], 3, 0), "none", "avg")
    lower, upper = split_at_tokens(model)
    between = lower(pixels)
    np.testing.assert_allclose(np.asarray(upper(between)), model.predict(pixels, verbose=0), rtol=1e-4, atol=1e-5)
    side = 4  # 32 pixels in patches of 8, or, of Swin, in patches of 4, halved once
    heat = heat_of(lower, upper, pixels, np.array([0, 1, 2, 0, 1, 2]), facts["tokens"])
    assert heat.shape == (6, side, side)
    assert heat.max(axis=(1, 2)).min() > 0.99


@needs_hub
def test_a_network_is_counted_and_timed_from_the_file_that_describes_it(presets, tmp_path):
    from graft.config.model_table import Timing
    from graft.network.timing import time_network

    loaded("vit", presets("vit"), tmp_path)
    settings = Timing(backbone=spec_of("vit", presets("vit")), repeats=3, threads=2)
    found = time_network(settings, [], tmp_path / "own.weights.h5")
    assert found["cpu_ms_1"] > 0
    block = 2 * (16 + 16) + 4 * (16 * 16 + 16) + (16 * 32 + 32) + (32 * 16 + 16)  # norms, attention, its two layers
    assert found["parameters"] == 16 * (8 * 8 * 3 + 1) + 16 + 17 * 16 + 3 * block + 2 * 16
    assert "multiply_adds" not in found  # which a block does not tell


def test_a_sweep_takes_a_preset_by_its_name():
    from graft.config.sweeps import label

    assert label("backbone", "backbone", {"name": "hub/dinov2_small"}) == "dinov2_small"
