"""Networks: every preprocessing is Keras's own, folding changes nothing, a saved model says the same."""

import importlib
import itertools
import json

import keras
import numpy as np
import pytest
from keras import layers

from graft.config.backbone import NATIVE_SIZE, OWN, Backbone
from graft.config.recipe import Head
from graft.errors import UserError
from graft.network.assembly import assemble, embedder, parts_of, pooling_of
from graft.network.backbones import build_backbone, fetch_backbone
from graft.network.blocks import block_names
from graft.network.convolution import trainable_class
from graft.network.folding import fold_batch_norm, foldable
from graft.network.forms import copied, in_embedding_form
from graft.network.head import build_head
from graft.network.merging import AbsorbedBatchNormalization, merged_layers
from graft.network.model_file import copy_model, load_model, read_facts, save_model
from graft.network.precision import policy_of
from graft.network.preprocessing import mode_of, preprocess

SMALL = Backbone(name="MobileNet", alpha=0.25, weights="none", size=32)
PREPROCESSING_MODULES = {
    "ResNet50": "resnet50", "ResNet101": "resnet", "ResNet152": "resnet", "VGG16": "vgg16", "VGG19": "vgg19",
    "ResNet50V2": "resnet_v2", "ResNet101V2": "resnet_v2", "ResNet152V2": "resnet_v2", "Xception": "xception",
    "InceptionV3": "inception_v3", "InceptionResNetV2": "inception_resnet_v2", "MobileNet": "mobilenet",
    "MobileNetV2": "mobilenet_v2", "NASNetMobile": "nasnet", "NASNetLarge": "nasnet", "DenseNet121": "densenet",
    "DenseNet169": "densenet", "DenseNet201": "densenet", "MobileNetV3Small": "mobilenet_v3",
    "MobileNetV3Large": "mobilenet_v3",
}  # fmt: skip


def module_of(name: str):
    """Return the module of keras.applications that a backbone's preprocess_input stands in."""
    families = {"EfficientNetV2": "efficientnet_v2", "EfficientNet": "efficientnet", "ConvNeXt": "convnext"}
    family = next((module for start, module in families.items() if name.startswith(start)), None)
    return importlib.import_module(f"keras.applications.{PREPROCESSING_MODULES.get(name, family)}")


def shaken(model: keras.Model, seed: int = 0) -> keras.Model:
    """Return a model whose batch normalisations have statistics, scales and offsets of their own."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, weight.shape) for weight in layer.get_weights()])
    return model


def photos(n: int, size: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (n, size, size, 3)).astype(np.float32)


@pytest.mark.parametrize("name", sorted(NATIVE_SIZE))
def test_preprocessing_is_that_of_keras(name):
    inputs = keras.Input((8, 8, 3))
    ours = keras.Model(inputs, preprocess(inputs, mode_of(name)))
    theirs = module_of(name).preprocess_input(photos(2, 8).copy())
    assert np.allclose(np.asarray(ours(photos(2, 8))), theirs, atol=2e-5)


@pytest.mark.parametrize("name", ["ResNet50", "MobileNet", "MobileNetV2", "EfficientNetB0", "ResNet50V2"])
def test_folding_batch_normalisation_changes_nothing_but_rounding(name):
    backbone = shaken(build_backbone(Backbone(name=name, weights="none", size=32)))
    folded = fold_batch_norm(backbone)
    left = [layer for layer in folded.layers if isinstance(layer, keras.layers.BatchNormalization)]
    before = [layer for layer in backbone.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert len(foldable(backbone)) > 0
    assert len(left) == len(before) - len(foldable(backbone))
    x = np.random.default_rng(0).normal(0, 1, (2, 32, 32, 3)).astype(np.float32)
    expected, result = (np.asarray(model(x, training=False)) for model in (backbone, folded))
    assert np.abs(expected - result).max() <= 1e-4 * max(1.0, np.abs(expected).max())


@pytest.mark.parametrize(("policy", "tolerance"), [("float32", 1e-4), ("mixed_bfloat16", 3e-2)])
def test_the_form_that_embeds_computes_the_same_features(policy, tolerance):
    backbone = shaken(build_backbone(Backbone(name="ResNet50", weights="none", size=64)))
    plain, fast = embedder(backbone, "caffe", "avg"), embedder(in_embedding_form(backbone, policy), "caffe", "avg")
    expected, result = (model.predict_on_batch(photos(4, 64)) for model in (plain, fast))
    assert np.linalg.norm(expected - result) <= tolerance * np.linalg.norm(expected)
    assert (policy == "float32") or not np.allclose(expected, result, rtol=1e-6)


@pytest.mark.parametrize("name", OWN)
def test_the_form_that_embeds_fits_our_own_networks_and_baselines_too(name):
    weights = "textures" if name == "Rootstock" else "none"
    backbone = fetch_backbone(Backbone(name=name, weights=weights, size=96))
    fast = in_embedding_form(backbone, "float32")
    expected, result = (
        embedder(model, mode_of(name), "avg").predict_on_batch(photos(4, 96)) for model in (backbone, fast)
    )
    assert np.allclose(expected, result, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("name", "fast_processor", "gpu", "expected"),
    [
        ("ResNet50", True, False, "mixed_bfloat16"),
        ("ResNet50", False, False, "float32"),
        ("ResNet50", False, True, "mixed_bfloat16"),
        ("MobileNet", True, False, "float32"),
        ("MobileNet", True, True, "mixed_bfloat16"),
        ("ConvNeXtTiny", True, False, "float32"),
    ],
)
def test_the_precision_is_chosen_by_the_hardware_and_the_network(monkeypatch, name, fast_processor, gpu, expected):
    monkeypatch.setattr("graft.machine.runtime.multiplies_bfloat16", lambda: fast_processor)
    monkeypatch.setattr("graft.machine.runtime.on_gpu", lambda: gpu)
    backbone = build_backbone(Backbone(name=name, weights="none", size=32))
    assert policy_of("auto", backbone) == expected
    assert policy_of("float32", backbone) == "float32"
    assert policy_of("bfloat16", backbone) == "mixed_bfloat16"


only_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="other frameworks need no such layer"
)


def value_and_gradients(layer, inputs):
    """Return what a layer gives, and the gradients of the sum of its cubes by its inputs and weights."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(inputs)
        y = layer(inputs)
        loss = tf.reduce_sum(tf.cast(y, tf.float32) ** 3)
    return [y, *tape.gradient(loss, [*tf.nest.flatten(inputs), *(weight.value for weight in layer.weights)])]


@only_tensorflow
@pytest.mark.parametrize(
    ("kernel", "strides", "padding", "size"),
    [
        (1, 1, "valid", 7), (1, 2, "valid", 7), (1, 2, "same", 7), (1, 3, "same", 8),  # products
        (3, 1, "same", 14), (3, 1, "same", 1),  # products of neighbourhoods
        (3, 1, "same", 15), (3, 1, "valid", 7), (3, 2, "same", 7), (5, 1, "same", 7),  # TensorFlow's own
    ],
)  # fmt: skip
def test_a_convolution_that_trains_is_kerass_own(kernel, strides, padding, size):
    rng = np.random.default_rng(0)
    x = keras.ops.convert_to_tensor(rng.normal(0, 1, (2, size, size, 3)), "float32")
    plain = layers.Conv2D(5, kernel, strides=strides, padding=padding, activation="tanh")
    plain.build(x.shape)
    quick = trainable_class(plain).from_config(plain.get_config())
    quick.build(x.shape)
    assert type(quick) is not layers.Conv2D
    quick.set_weights([rng.normal(0, 1, weight.shape) for weight in plain.get_weights()])
    plain.set_weights(quick.get_weights())
    for one, other in zip(value_and_gradients(quick, x), value_and_gradients(plain, x), strict=True):
        assert np.allclose(one, other, rtol=1e-4, atol=1e-3)


@only_tensorflow
def test_the_gradient_of_a_bias_in_bfloat16_loses_no_small_addends():
    import tensorflow as tf

    plain = layers.Conv2D(4, 1, dtype="mixed_bfloat16")
    layer = trainable_class(plain).from_config(plain.get_config())
    layer.build((None, 56, 56, 4))
    upstream = np.random.default_rng(0).normal(0, 1, (8, 56, 56, 4)).astype(np.float32)
    with tf.GradientTape() as tape:
        y = tf.cast(layer(np.zeros((8, 56, 56, 4), np.float32)), tf.float32)
        loss = tf.reduce_sum(y * upstream)
    of_bias = np.asarray(tape.gradient(loss, layer.bias.value))
    assert np.allclose(of_bias, upstream.sum((0, 1, 2)), atol=2)  # the sums are of about 158; bfloat16 has 8 bits


@only_tensorflow
def test_a_sum_that_trains_is_kerass_own():
    rng = np.random.default_rng(0)
    x = [keras.ops.convert_to_tensor(rng.normal(0, 1, (2, 3, 3, 4)), "float32") for _ in range(3)]
    plain = layers.Add()
    plain([keras.Input((3, 3, 4)) for _ in x])
    quick = trainable_class(plain)()
    assert type(quick) is not layers.Add
    for one, other in zip(value_and_gradients(quick, x), value_and_gradients(plain, x), strict=True):
        assert np.allclose(one, other)


def normalised(**norm) -> keras.Model:
    """Return a small backbone: a convolution with a bias, a depthwise one of two filters a channel, normalised."""
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, strides=2, use_bias=True, bias_initializer="ones", name="conv")(inputs)
    x = layers.ReLU(name="relu")(layers.BatchNormalization(name="conv_bn", **norm)(x))
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False, padding="same", name="depthwise")(x)
    return keras.Model(inputs, layers.BatchNormalization(name="depthwise_bn", **norm)(x))


@only_tensorflow
@pytest.mark.parametrize("norm", [{}, {"scale": False}, {"center": False}, {"epsilon": 0.1}])
def test_a_merged_normalisation_has_the_values_and_gradients_of_one_by_itself(norm):
    backbone = shaken(normalised(**norm))
    plain, merged = (
        copied(backbone, "float32", fixed=True),
        copied(backbone, "float32", True, made=merged_layers(backbone)),
    )
    assert [type(layer) for layer in plain.layers] != [type(layer) for layer in merged.layers]
    assert [weight.path for weight in plain.weights] == [weight.path for weight in merged.weights]
    x = keras.ops.convert_to_tensor(np.random.default_rng(0).normal(0, 1, (2, 8, 8, 3)), "float32")
    for one, other in zip(value_and_gradients(merged, x), value_and_gradients(plain, x), strict=True):
        if other is not None:  # of a statistic, which is fixed
            assert np.allclose(one, other, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", ["MobileNet", "ResNet50"])
def test_in_training_every_foldable_normalisation_is_merged(name):
    backbone = shaken(build_backbone(Backbone(name=name, weights="none", size=32)))
    merged = copied(backbone, "float32", fixed=True, made=merged_layers(backbone))
    absorbed = [layer.name for layer in merged.layers if isinstance(layer, AbsorbedBatchNormalization)]
    assert absorbed == list(foldable(backbone))
    assert len(absorbed) == {"MobileNet": 27, "ResNet50": 53}[name]
    theirs, ours = (np.asarray(model(photos(2, 32) / 255)) for model in (backbone, merged))
    assert np.allclose(theirs, ours, rtol=1e-3, atol=1e-4 * np.abs(theirs).max())


def test_other_layers_keep_their_class():
    broadcast = layers.Add()
    broadcast([keras.Input((3, 3, 4)), keras.Input((1, 1, 4))])
    kept = [layers.Conv2D(4, 3, dilation_rate=2), layers.Conv2D(4, 1, groups=2), layers.DepthwiseConv2D(1), broadcast]
    assert [trainable_class(layer) for layer in kept] == [type(layer) for layer in kept]


def test_resnets_convolutions_all_take_in_their_normalisation():
    backbone = build_backbone(Backbone(name="ResNet50", weights="none", size=32))
    assert len(foldable(backbone)) == 53  # 1 stem + 16 blocks x 3 + 4 shortcuts


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ResNet50", ["stem", "conv2_block1", "conv2_block2", "conv2_block3", "conv3_block1"]),
        ("VGG16", ["stem", "block1", "block2", "block3", "block4"]),
        ("MobileNet", ["stem", "1", "2", "3", "4"]),
    ],
)
def test_blocks_have_the_names_of_their_papers(name, expected):
    names = block_names(build_backbone(Backbone(name=name, weights="none", size=32)))
    assert list(dict.fromkeys(names))[:5] == expected
    assert len([one for one, following in itertools.pairwise(names) if one != following]) == len(set(names)) - 1


@pytest.mark.parametrize("pooling", ["avg", "max", "avg+max", "flatten"])
def test_a_model_remembers_how_it_pools(pooling):
    backbone = build_backbone(SMALL)
    features = embedder(backbone, "tf", pooling)
    model = assemble(backbone, build_head(Head(), features.output_shape[-1], 2, 0), "tf", pooling)
    assert pooling_of(model) == pooling
    assert model.output_shape == (None, 2)


def test_pooling_joins_average_and_maximum():
    model = embedder(build_backbone(SMALL), "tf", "avg+max")
    x = photos(2, 32)
    both = np.asarray(model(x))
    backbone = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    feature_map = np.asarray(backbone(x / 127.5 - 1, training=False))
    assert np.allclose(both, np.hstack([feature_map.mean((1, 2)), feature_map.max((1, 2))]), atol=1e-5)


def test_a_saved_model_carries_its_classes_and_keras_still_reads_it(tmp_path):
    backbone = build_backbone(SMALL)
    model = assemble(backbone, build_head(Head(output="logit"), 256, 2, 0), "tf", "avg")
    save_model(model, {"classes": ["café", "10"], "size": 32}, tmp_path / "model.keras")
    copy_model(tmp_path / "model.keras", {"temperature": 1.5}, tmp_path / "copy.keras")
    assert read_facts(tmp_path / "copy.keras") == {"classes": ["café", "10"], "size": 32, "temperature": 1.5}
    plain = keras.models.load_model(tmp_path / "copy.keras", compile=False)  # without this project's help
    assert np.array_equal(np.asarray(plain(photos(2, 32))), np.asarray(model(photos(2, 32))))


def test_a_file_that_is_no_model_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "x.keras").write_text("hello")
    with pytest.raises(UserError, match="is no model of Graft's"):
        read_facts(tmp_path / "x.keras")
    with pytest.raises(UserError, match="does not exist"):
        read_facts(tmp_path / "y.keras")


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
def test_a_users_weights_file_is_taken(suffix, tmp_path):
    donor = shaken(build_backbone(SMALL))
    path = tmp_path / f"mine{suffix}"
    donor.save_weights(path) if suffix == ".weights.h5" else donor.save(path)
    taken = fetch_backbone(SMALL.model_copy(update={"weights": str(path)}))
    assert all(np.array_equal(a, b) for a, b in zip(donor.get_weights(), taken.get_weights(), strict=True))


def test_a_backbone_inside_a_saved_model_is_taken(tmp_path):
    donor = shaken(build_backbone(SMALL))
    whole_model = assemble(donor, build_head(Head(), 256, 2, 0), "tf", "avg")
    whole_model.save(tmp_path / "model.keras")
    taken = fetch_backbone(SMALL.model_copy(update={"weights": str(tmp_path / "model.keras")}))
    assert np.array_equal(donor.get_weights()[0], taken.get_weights()[0])


def test_weights_of_another_network_are_refused(tmp_path):
    path = tmp_path / "other.weights.h5"
    build_backbone(Backbone(name="MobileNetV2", alpha=0.35, weights="none", size=32)).save_weights(path)
    with pytest.raises(UserError, match=r"the weights in .*other.weights.h5 do not fit this"):
        fetch_backbone(SMALL.model_copy(update={"weights": str(path)}))


def test_one_logit_is_for_two_classes():
    with pytest.raises(UserError, match="'logit', which is for two classes, but there are 3; use 'softmax'"):
        build_head(Head(output="logit"), 4, 3, 0)


def test_the_head_of_the_fourth_lesson_starts_small_and_uniform():
    head = build_head(Head(hidden=[100], kernel="random_uniform"), 50, 2, 0)
    kernel = head.get_layer("logits").get_weights()[0]
    assert kernel.shape == (100, 2)
    assert np.abs(kernel).max() <= 0.05
    assert np.abs(kernel).max() > 0.04


def test_parts_of_a_reloaded_model_are_its_backbone_and_head(tmp_path):
    model = assemble(build_backbone(SMALL), build_head(Head(), 256, 2, 0), "tf", "avg")
    save_model(model, {"classes": ["a", "b"], "size": 32}, tmp_path / "m.keras")
    backbone, head = parts_of(load_model(tmp_path / "m.keras")[0])
    assert head.name == "head"
    assert backbone.output_shape[-1] == 256
    assert json.dumps(read_facts(tmp_path / "m.keras"))


def test_weights_that_cannot_be_downloaded_are_one_sentence_that_says_where_to_put_them(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    address = "https://example.invalid/resnet/resnet50_notop.h5"

    def unreachable(**options):
        raise Exception(f"URL fetch failure on {address}: None -- [Errno 111] Connection refused")

    monkeypatch.setattr(keras.applications, "ResNet50", unreachable)
    with pytest.raises(UserError) as caught:
        fetch_backbone(Backbone(name="ResNet50"))
    said = str(caught.value)
    assert "ResNet50 could not be downloaded ([Errno 111] Connection refused)" in said
    assert f"put resnet50_notop.h5 into {tmp_path}/models" in said


def test_weights_of_another_hash_than_keras_expects_are_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))

    def damaged(**options):
        raise ValueError("Incomplete or corrupted file detected. The md5 file hash does not match the provided value")

    monkeypatch.setattr(keras.applications, "ResNet50", damaged)
    with pytest.raises(UserError, match=r"ResNet50 could not be downloaded.*put their file into"):
        fetch_backbone(Backbone(name="ResNet50"))
