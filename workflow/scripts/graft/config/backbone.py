"""Which network the head is grafted on, at what size, with which weights."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from graft.config import hub
from graft.config.base import Settings, nearest

# Native input sizes, in pixels: the sizes that the published ImageNet weights were trained at
# (keras.io/api/applications, and the papers it names).
NATIVE_SIZE = {
    "Xception": 299,
    "VGG16": 224,
    "VGG19": 224,
    "ResNet50": 224,
    "ResNet101": 224,
    "ResNet152": 224,
    "ResNet50V2": 224,
    "ResNet101V2": 224,
    "ResNet152V2": 224,
    "InceptionV3": 299,
    "InceptionResNetV2": 299,
    "MobileNet": 224,
    "MobileNetV2": 224,
    "MobileNetV3Small": 224,
    "MobileNetV3Large": 224,
    "DenseNet121": 224,
    "DenseNet169": 224,
    "DenseNet201": 224,
    "NASNetMobile": 224,
    "NASNetLarge": 331,
    "EfficientNetB0": 224,
    "EfficientNetB1": 240,
    "EfficientNetB2": 260,
    "EfficientNetB3": 300,
    "EfficientNetB4": 380,
    "EfficientNetB5": 456,
    "EfficientNetB6": 528,
    "EfficientNetB7": 600,
    "EfficientNetV2B0": 224,
    "EfficientNetV2B1": 240,
    "EfficientNetV2B2": 260,
    "EfficientNetV2B3": 300,
    "EfficientNetV2S": 384,
    "EfficientNetV2M": 480,
    "EfficientNetV2L": 480,
    "ConvNeXtTiny": 224,
    "ConvNeXtSmall": 224,
    "ConvNeXtBase": 224,
    "ConvNeXtLarge": 224,
    "ConvNeXtXLarge": 224,
}
SMALLEST_SIZE = {"Xception": 71, "InceptionV3": 75, "InceptionResNetV2": 75}  # others: 32; keras refuses less
PUBLISHED_WIDTHS = {  # the width multipliers that have ImageNet weights
    "MobileNet": (0.25, 0.5, 0.75, 1.0),
    "MobileNetV2": (0.35, 0.5, 0.75, 1.0, 1.3, 1.4),
    "MobileNetV3Small": (0.75, 1.0),
    "MobileNetV3Large": (0.75, 1.0),
}
BASELINES = ("ColourHistogram", "Pixels16")  # no network at all: what a backbone has to beat
OWN = ("Rootstock", *BASELINES)
SHIPPED_WEIGHTS = Path(__file__).resolve().parents[3] / "resources" / "rootstock.npz"  # Rootstock's `textures`


class Backbone(Settings):
    """A network of keras.applications without its top, one of KerasHub's, or one of Graft's own small ones."""

    name: str = "ResNet50"
    """Any of the 40 models of keras.applications, `Rootstock` (the demo's, pretrained on drawn
    textures), or a baseline without a network: `ColourHistogram`, `Pixels16`; or `hub/PRESET`, an image backbone of
    KerasHub such as `hub/dinov2_small`, or `hub/NAME` with a preset's folder in `weights` (docs/hub.md)."""

    weights: str = "imagenet"
    """`imagenet`; `textures` (Rootstock's own); `none` (random, from the seed 0); or the path of a
    `.weights.h5`, `.h5` or `.keras` file. Of `hub/` names: `preset` (from Kaggle), or the path of a preset's folder."""

    size: int = Field(0, ge=0, le=2048)
    """Side of the square input in pixels; 0 is the size that the published weights were trained at."""

    alpha: float = Field(1.0, gt=0, le=4)
    """Width multiplier; MobileNet, MobileNetV2 and MobileNetV3 only."""

    tokens: Literal["auto", "class", "mean", "class+mean"] = "auto"
    """What a transformer of KerasHub says of a photo: its `class` token, the `mean` of its patches' tokens, or both;
    `auto` is KerasHub's own: the class token, or attention pooling (SigLIP), or the mean where there is neither."""

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Resolve the defaults that depend on the name."""
        if not isinstance(values, dict):
            return values
        name = values.get("name", "ResNet50")
        if hub.is_hub(str(name)):
            return hub.filled(values)
        known = [*NATIVE_SIZE, *OWN]
        if name not in known:
            raise ValueError(f"name is {name!r}, which Keras does not have{nearest(str(name), known)}")
        filled = dict(values)
        if not filled.get("size"):
            filled["size"] = NATIVE_SIZE.get(name, 96)
        if name in OWN:
            filled.setdefault("weights", "textures" if name == "Rootstock" else "none")
        return filled

    @model_validator(mode="after")
    def _check(self) -> "Backbone":
        """Refuse what Keras would refuse later, after the downloads."""
        if hub.is_hub(self.name):
            hub.check(self.name, self.alpha)
            return self
        if self.tokens != "auto":
            raise ValueError(f"tokens is {self.tokens!r}, but {self.name} makes a feature map, no tokens; leave it out")
        smallest = SMALLEST_SIZE.get(self.name, 32)
        if self.size < smallest:
            raise ValueError(f"size is {self.size}, but {self.name} needs at least {smallest} pixels")
        if self.alpha != 1.0 and self.name not in PUBLISHED_WIDTHS:
            raise ValueError(f"alpha is {self.alpha}, but {self.name} has no width multiplier; leave it out")
        widths = PUBLISHED_WIDTHS.get(self.name, (1.0,))
        if self.weights == "imagenet" and self.alpha not in widths:
            raise ValueError(
                f"alpha is {self.alpha}, but ImageNet weights of {self.name} exist for {', '.join(map(str, widths))}"
            )
        if self.weights == "imagenet" and self.name in OWN:
            raise ValueError(f"weights is 'imagenet', but {self.name} has none; use 'textures' or 'none'")
        if self.weights == "textures" and self.name != "Rootstock":
            raise ValueError(f"weights is 'textures', which belong to Rootstock, not to {self.name}; use 'imagenet'")
        if self.name in BASELINES and self.weights != "none":
            raise ValueError(f"weights is {self.weights!r}, but {self.name} has no weights; leave it out")
        named = self.weights in ("imagenet", "textures", "none")
        if not named and not self.weights.endswith((".h5", ".keras")):
            raise ValueError(
                f"weights is {self.weights!r}; write imagenet, none, or the path of a .weights.h5, .h5 or .keras file"
            )
        return self

    @model_serializer(mode="wrap")
    def _as_before(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave `tokens` out where it is the default, so that settings of other backbones read as ever."""
        written: dict[str, Any] = handler(self)
        return {key: value for key, value in written.items() if (key, value) != ("tokens", "auto")}


class Embedding(Settings):
    """How a photo becomes a vector: everything that decides the cached features."""

    backbone: Backbone
    """The network."""

    pooling: Literal["avg", "max", "avg+max", "flatten"]
    """How its last feature map becomes a vector."""
