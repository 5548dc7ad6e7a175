"""The fast path: one setting turns it off, it is taken where it was measured, and it outlives a private name."""

import ast
from pathlib import Path

import keras
import numpy as np
import pytest
import yaml
from keras import layers

from graft.config.backbone import Backbone
from graft.config.keys import features_key
from graft.config.recipe import Head, Optimizer, Schedule
from graft.config.resolution import Job
from graft.config.slices import SLICES, slice_of
from graft.network import fast_path
from graft.network.assembly import assemble, parts_of
from graft.network.backbones import build_backbone
from graft.network.forms import FixedBatchNormalization, in_embedding_form, in_training_form
from graft.network.head import build_head
from graft.training.optimizers import build_optimizer
from graft.training.resume import Resume
from places import ROOT

only_tensorflow = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the fast path is TensorFlow's")
PARTS = set(SLICES) - {"export", "sweep", "model_table", "timing"}  # which this job has none of
POLICIES = ["float32", "mixed_bfloat16"]


@pytest.fixture(autouse=True)
def looked_up_anew():
    """Let every test look the private names up itself."""
    fast_path.has_private_names.cache_clear()
    yield
    fast_path.has_private_names.cache_clear()


def job(**changes) -> Job:
    values = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    return Job(values | changes, ROOT / "config" / "recipes")


def slices_of(one: Job) -> dict[str, str]:
    run = one.run("lesson")
    at = {"run": "lesson", "dataset": "urban_rural", "features": features_key(run.embedding)}
    parts = [part for part in PARTS if part != "test_views"]  # of runs that average over views, which this one does not
    return {part: slice_of(one, part, **at, backbone=next(iter(one.backbones))) for part in parts}


def test_the_switch_reaches_what_embeds_and_trains_and_what_repeats_it_and_nothing_else():
    taken, off = slices_of(job()), slices_of(job(fast_path=yaml.safe_load("off")))
    assert {part for part in taken if taken[part] != off[part]} == {
        *("embed", "head", "finetune", "predict", "unlabelled", "provenance"),
    }
    assert taken["embed"] == slices_of(job(fast_path=True))["embed"]


def test_features_in_plain_keras_have_a_name_of_their_own():
    keys = [features_key(job(fast_path=value).run("lesson").embedding) for value in (True, False)]
    assert keys[1] == keys[0].replace("-views", "-plain-views")


def network() -> keras.Model:
    backbone = build_backbone(Backbone(name="ResNet50", weights="none", size=32))
    return assemble(backbone, build_head(Head(), 2048, 3, 0), "caffe", "avg")


def own_layers(model: keras.Model) -> set[str]:
    """Return the layers of a model's backbone that are Graft's, but for the one that keeps statistics still."""
    own = {type(layer) for layer in parts_of(model)[0].layers if not type(layer).__module__.startswith("keras.")}
    return {kind.__name__ for kind in own - {FixedBatchNormalization}}


@only_tensorflow
def test_where_it_helps_training_uses_grafts_own_layers():
    kinds = [own_layers(in_training_form(network(), "caffe", policy)) for policy in POLICIES]
    assert kinds == [{"MergedConv2D", "AbsorbedBatchNormalization"}, {"ProductConv2D", "ResidualAdd"}]
    assert type(build_optimizer(Optimizer(), Schedule(), 1, 1)) is not keras.optimizers.RMSprop


def switched_off(monkeypatch) -> bool:
    return False


def on_a_gpu(monkeypatch) -> bool:
    monkeypatch.setattr("graft.machine.runtime.on_gpu", lambda: True)
    return True


def on_another_framework(monkeypatch) -> bool:
    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    return True


def without_the_private_names(monkeypatch) -> bool:
    for part in fast_path.PRIVATE_NAMES:
        monkeypatch.setitem(fast_path.PRIVATE_NAMES, part, ("keras.layers.Add._gone",))
    return True


@only_tensorflow
@pytest.mark.parametrize("case", [switched_off, on_a_gpu, on_another_framework, without_the_private_names])
def test_elsewhere_every_layer_and_step_is_kerass_own(case, monkeypatch):
    model = network()
    fast = case(monkeypatch)
    trainings = [in_training_form(model, "caffe", policy, fast) for policy in POLICIES]
    optimizer = build_optimizer(Optimizer(), Schedule(), 1, 1, fast=fast)
    monkeypatch.undo()
    assert [own_layers(training) for training in trainings] == [set(), set()]
    assert type(optimizer) is keras.optimizers.RMSprop


@pytest.mark.parametrize("policy", POLICIES)
def test_training_computes_the_same_either_way(policy):
    model, pixels = network(), np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    fast, plain = (np.asarray(in_training_form(model, "caffe", policy, fast)(pixels)) for fast in (True, False))
    assert np.abs(fast - plain).max() <= (1e-4 if policy == "float32" else 5e-2) * np.abs(plain).max()


def test_photos_are_embedded_without_folding_where_the_switch_is_off():
    backbone = build_backbone(Backbone(name="MobileNet", alpha=0.25, weights="none", size=32))
    counts = [
        sum(
            isinstance(layer, layers.BatchNormalization)
            for layer in in_embedding_form(backbone, "float32", fast).layers
        )
        for fast in (True, False)
    ]
    assert counts == [0, 27]


@only_tensorflow
@pytest.mark.parametrize("part", list(fast_path.PRIVATE_NAMES))
def test_the_private_names_are_there_in_the_versions_of_the_lock(part, capsys):
    assert fast_path.has_private_names(part)
    assert capsys.readouterr().out == ""


@only_tensorflow
def test_a_private_name_that_is_gone_is_said_once_and_keras_does_the_work(monkeypatch, capsys):
    monkeypatch.delattr(keras.layers.Add, "_merge_function")
    monkeypatch.delattr(keras.layers.Add.__mro__[1], "_merge_function")
    assert not fast_path.is_taken("convolution", wanted=True)
    assert not fast_path.is_taken("convolution", wanted=True)
    assert fast_path.is_taken("one_pass", wanted=True)
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert f"Keras {keras.__version__} as installed has no keras.layers.Add._merge_function: gradients of" in said


@only_tensorflow
def test_what_only_an_object_has_is_looked_up_in_one(monkeypatch):
    monkeypatch.setattr(keras.optimizers.RMSprop, "build", keras.Optimizer.build)
    assert not fast_path.exists("keras.optimizers.RMSprop()._velocities")


def test_without_the_name_that_says_which_weights_are_in_a_model_no_state_of_averages_is_kept(monkeypatch, tmp_path):
    averages = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    assert Resume(tmp_path / "state.npz", [averages]).complete
    fast_path.has_private_names.cache_clear()
    monkeypatch.setitem(fast_path.PRIVATE_NAMES, "averages", ("keras.callbacks.SwapEMAWeights()._gone",))
    assert not Resume(tmp_path / "state.npz", [averages]).complete
    assert Resume(tmp_path / "state.npz", []).complete


def test_looking_leaves_kerass_numbering_of_optimisers_alone():
    keras.backend.clear_session()
    assert fast_path.exists("keras.optimizers.Adam()._velocities")
    assert keras.optimizers.Adam().name == "adam"


LISTED = {
    step.removesuffix("()") for names in fast_path.PRIVATE_NAMES.values() for name in names for step in name.split(".")
}


@pytest.mark.parametrize("room", ["network", "training", "predicting", "figures", "machine"])
def test_every_private_name_of_another_library_is_listed(room):
    for path in sorted((ROOT / "workflow" / "scripts" / "graft" / room).glob("*.py")):
        assert foreign_names(path) <= LISTED, f"{path.name}: list it in graft/network/fast_path.py, or do without"


def foreign_names(path: Path) -> set[str]:
    """Return the attributes with a leading underscore that a module uses and does not itself make."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    attributes = [node for node in nodes if isinstance(node, ast.Attribute) and ast.unparse(node) != "os._exit"]
    made = {node.attr for node in attributes if isinstance(node.ctx, ast.Store)}
    made |= {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    return {node.attr for node in attributes if node.attr.startswith("_") and not node.attr.startswith("__")} - made
