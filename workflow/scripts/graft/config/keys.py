"""Names that tell backbones, features and settings apart, in file names and in what a rule gets."""

import hashlib
import json
from pathlib import Path
from typing import Any

from graft.config.backbone import Backbone
from graft.config.base import Settings
from graft.config.dataset import Pictures
from graft.config.experiment import EmbedSettings, ViewedSettings
from graft.config.hub import PRESET


def backbone_key(backbone: Backbone) -> str:
    """Return a backbone's name in file names, different for different backbones.

    >>> backbone_key(Backbone(name="MobileNet", alpha=0.25))
    'MobileNet-a0.25-224-imagenet'
    >>> backbone_key(Backbone(name="hub/dinov2_small", tokens="class+mean"))
    'hub-dinov2_small-224-preset-classmean'
    """
    width = f"-a{backbone.alpha:g}" if backbone.alpha != 1.0 else ""
    named = backbone.weights in ("imagenet", "textures", "none", PRESET)
    weights = backbone.weights if named else f"{Path(backbone.weights).stem.split('.')[0]}-{digest(backbone.weights)}"
    tokens = f"-{backbone.tokens.replace('+', '')}" if backbone.tokens != "auto" else ""
    return f"{backbone.name.replace('/', '-')}{width}-{backbone.size}-{weights}{tokens}"


def features_key(embedding: EmbedSettings) -> str:
    """Return the folder of cached features: readable where it can be, a digest for the rest."""
    key = f"{backbone_key(embedding.backbone)}-{embedding.pooling.replace('+', '')}"
    if embedding.preprocessing != "consistent":
        key += f"-{embedding.preprocessing}"
    if embedding.precision != "float32":
        key += f"-{embedding.precision}"
    if not embedding.fast_path:
        key += "-plain"
    key += pictures_key(embedding.pictures)
    if embedding.views:
        key += f"-views-{digest(embedding.views)}"
    return key


def views_key(viewed: ViewedSettings) -> str:
    """Return the name of cached features of test-time views."""
    return f"{features_key(viewed.embedding)}-{viewed.test_views.count}-{digest(viewed.test_views)}"


def pictures_key(pictures: Pictures) -> str:
    """Return the end of a file's name that tells how photos became squares; nothing for the default.

    >>> pictures_key(Pictures()), pictures_key(Pictures(fit="pad", window=[-160, 240], page=2))
    ('', '-pad-from-160.0to240.0-page2')
    """
    parts: list[str] = [pictures.fit] if pictures.fit != "squash" else []
    if pictures.window != "full":
        window = pictures.window
        parts.append(window if isinstance(window, str) else "from{}to{}".format(*window))
    if pictures.page != 1:
        parts.append(f"page{pictures.page}")
    return "".join(f"-{part}" for part in parts)


def digest(value: Settings | str) -> str:
    """Return twelve hexadecimal digits of SHA-256 over a value's canonical JSON."""
    text = value if isinstance(value, str) else canonical(value)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def canonical(value: Any) -> str:
    """Return JSON with sorted keys and no spaces, the one form in which a rule gets its settings."""
    plain = value.model_dump(mode="json") if isinstance(value, Settings) else value
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
