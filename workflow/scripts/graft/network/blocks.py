"""The blocks of a backbone, from its input to its last feature map."""

import re

import keras

BLOCK_NAMES = [
    re.compile(pattern)
    for pattern in (
        r"(conv\d+_block\d+)_",  # ResNet, ResNetV2, DenseNet
        r"(stage_\d+_block_\d+)",  # ConvNeXt
        r"(block\d+_\d+)",  # InceptionResNetV2
        r"(block\d+[a-z]?)_",  # VGG, EfficientNet, EfficientNetV2, Xception
        r"(block_\d+)_",  # MobileNetV2, Rootstock
        r"(expanded_conv(?:_\d+)?)_",  # MobileNetV2's first, MobileNetV3
        r"conv_(?:dw|pw)_(\d+)",  # MobileNet: a depthwise and a pointwise layer are one block
        r"(?:normal|reduction)_.*?(?:_|^)((?:stem_)?\d+)$",  # NASNet
        # Of KerasHub, as `graft.network.hub` names them:
        r"(transformer_block_\d+)",  # ViT, DeiT
        r"(encoder_layers_\d+)",  # DINOv2, DINOv3
        r"(encoder_block_\d+)",  # the image towers of CLIP, MetaCLIP 2 and SigLIP
        r"(stage_\d+_blocks_\d+)",  # Swin
        r"^((?:universal_inverted|edge|cond_conv)_residual(?:_\d+)?|mobile_attention(?:_\d+)?)$",  # MobileNetV5
    )
]


def block_names(backbone: keras.Model) -> list[str]:
    """Return the block of each of a backbone's layers, in their order; a layer between blocks counts to the one before.

    Inception's modules end in a layer named `mixed...`; the layers after it begin the next.
    """
    inception = any(layer.name.startswith("mixed") for layer in backbone.layers)
    names, current = [], "stem"
    for layer in backbone.layers:
        if inception:
            names.append(current)
            if layer.name.startswith("mixed"):
                current = f"after_{layer.name}"
            continue
        found = next((match[1] for pattern in BLOCK_NAMES if (match := pattern.search(layer.name))), None)
        current = found or current
        names.append(current)
    return names
