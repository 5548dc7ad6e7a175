"""What a paragraph of methods cites: entries of workflow/resources/references.bib."""

import re
from pathlib import Path

FILE = Path(__file__).resolve().parents[3] / "resources" / "references.bib"
NETWORKS = {
    "ResNet50": "resnet",
    "ResNet101": "resnet",
    "ResNet152": "resnet",
    "VGG16": "vgg",
    "VGG19": "vgg",
    "MobileNet": "mobilenet",
    "MobileNetV2": "mobilenetv2",
    "DenseNet121": "densenet",
    "DenseNet169": "densenet",
    "DenseNet201": "densenet",
    **{f"EfficientNetB{number}": "efficientnet" for number in range(8)},
}


def network(name: str) -> str:
    """Return the key of a network's paper; nothing for one whose paper is not listed here.

    >>> network("ResNet50"), network("Rootstock")
    ('resnet', '')
    """
    return NETWORKS.get(name, "")


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
