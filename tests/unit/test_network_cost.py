"""What a network costs: counted by hand where that can be done, measured by a clock where it cannot."""

import keras
import numpy as np
import pytest
from keras import layers

from graft.config.backbone import Backbone
from graft.config.model_table import Timing
from graft.network import timing
from graft.network.backbones import build_backbone
from graft.network.cost import cost_of


def network(*parts) -> keras.Model:
    """Return a network of some layers on 8 x 8 pixels."""
    inputs = outputs = keras.Input((8, 8, 3))
    for part in parts:
        outputs = part(outputs)
    return keras.Model(inputs, outputs)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (layers.Conv2D(4, 3, strides=2, padding="same"), 4 * 4 * 3 * 3 * 3 * 4),  # places x kernel x channels
        (layers.Conv2D(6, 3, padding="same", groups=3), 8 * 8 * 3 * 3 * 1 * 6),
        (layers.DepthwiseConv2D(3, padding="valid"), 6 * 6 * 3 * 3 * 3),
        (layers.SeparableConv2D(5, 3, padding="same"), 8 * 8 * (3 * 3 * 3 + 3 * 5)),
        (layers.Dense(7), 8 * 8 * 3 * 7),  # at every place, as in ConvNeXt
        (layers.BatchNormalization(), 0),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_every_number_of_a_kernel_works_once_at_each_place(layer, expected):
    assert cost_of(network(layer)).multiply_adds == expected


def test_layers_of_nested_models_count_too():
    inner = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(4, 1), layers.ReLU(), layers.Conv2D(2, 1)])
    cost = cost_of(network(inner, layers.BatchNormalization()))
    assert cost.multiply_adds == 8 * 8 * (3 * 4 + 4 * 2)
    assert (cost.depth, cost.features, cost.depthwise) == (3, 2, False)  # two convolutions, one normalisation


def test_a_mobilenet_is_known_to_take_longer_than_its_multiply_adds_say():
    cost = cost_of(build_backbone(Backbone(name="MobileNet", alpha=0.25, weights="none", size=32)))
    assert cost.depthwise
    assert (cost.parameters, cost.features) == (218_544, 256)


class Clock:
    """A model that takes the seconds it is told to take, one after the other, by a clock of its own."""

    def __init__(self, *seconds: float):
        self.seconds, self.now, self.calls = list(seconds), 0.0, 0

    def predict_on_batch(self, photos):
        self.now += self.seconds[min(self.calls, len(self.seconds) - 1)]
        self.calls += 1

    def perf_counter(self) -> float:
        return self.now


def test_milliseconds_are_the_median_of_the_repeats_a_photo_once_it_is_warm(monkeypatch):
    model = Clock(9, 9, 0.4, 8, 0.2, 0.3, 0.3)  # two to warm up
    monkeypatch.setattr(timing.time, "perf_counter", model.perf_counter)
    assert timing.milliseconds(model, np.zeros((2, 1)), repeats=5) == pytest.approx(150)  # 0.3 s for two photos


def test_a_slow_network_is_repeated_for_no_longer_than_it_must_be(monkeypatch):
    model = Clock(15)
    monkeypatch.setattr(timing.time, "perf_counter", model.perf_counter)
    timing.milliseconds(model, np.zeros((1, 1)), repeats=100)
    assert model.calls == 2 + timing.FEWEST


def test_a_network_is_timed_on_the_processor():
    spec = Backbone(name="MobileNet", alpha=0.25, weights="none", size=32)
    found = timing.time_network(Timing(backbone=spec, repeats=3, threads=2), gpus=[])
    assert found["cpu_ms_1"] > found["cpu_ms_32"] > 0
    assert found["peak_memory_mb"] > 100
    assert "gpu_ms_1" not in found
