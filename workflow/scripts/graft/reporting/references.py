"""What a paragraph of methods cites: entries of workflow/resources/references.bib."""

import re
from pathlib import Path

from graft.config import hub

FILE = Path(__file__).resolve().parents[3] / "resources" / "references.bib"
PAPERS = {  # of Keras's networks, by how their names begin: the longest beginning counts
    "Xception": "xception",
    "VGG": "vgg",
    "ResNet": "resnet",
    "ResNet50V2": "resnetv2",
    "ResNet101V2": "resnetv2",
    "ResNet152V2": "resnetv2",
    "InceptionV3": "inceptionv3",
    "InceptionResNet": "inceptionresnet",
    "MobileNet": "mobilenet",
    "MobileNetV2": "mobilenetv2",
    "MobileNetV3": "mobilenetv3",
    "DenseNet": "densenet",
    "NASNet": "nasnet",
    "EfficientNet": "efficientnet",
    "EfficientNetV2": "efficientnetv2",
    "ConvNeXt": "convnext",
}
FAMILIES = {  # of KerasHub's presets; HGNetV2 and MobileNetV5 were described in no paper of their own
    "CLIPBackbone": "clip",
    "DeiTBackbone": "deit",
    "DINOV2Backbone": "dinov2",
    "DINOV3Backbone": "dinov3",
    "EfficientNetBackbone": "efficientnet",
    "MetaCLIP2Backbone": "metaclip2",
    "SigLIPBackbone": "siglip",
    "SwinTransformerBackbone": "swin",
    "ViTBackbone": "vit",
}


def network(name: str) -> str:
    """Return the key of a network's paper; nothing for one whose paper is not listed here.

    >>> network("ResNet50"), network("ResNet50V2"), network("hub/dinov2_small"), network("Rootstock")
    ('resnet', 'resnetv2', 'dinov2', '')
    """
    if hub.is_hub(name):
        preset = hub.presets().get(name.removeprefix(hub.PREFIX))
        return FAMILIES.get(preset.family, "") if preset else ""
    beginnings = [beginning for beginning in PAPERS if name.startswith(beginning)]
    return PAPERS[max(beginnings, key=len)] if beginnings else ""


def entries() -> dict[str, str]:
    """Return every entry by its key.

    >>> entries()["wilson"].splitlines()[0]
    '@article{wilson,'
    """
    found = FILE.read_text(encoding="utf-8").strip().split("\n\n")
    return {re.split(r"[{,]", entry)[1]: entry for entry in found}


def bibliography(keys: list[str]) -> str:
    """Return the entries of these keys."""
    known = entries()
    return "\n\n".join(known[key] for key in keys) + "\n"
