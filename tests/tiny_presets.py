"""Presets of KerasHub so small that a test builds them: one or two of each family, random, but all alike in kind."""

from pathlib import Path

SIZE = 32
MEANS, SCALES = [-2.1, -2.0, -1.8], [0.017, 0.0175, 0.0174]  # of a preset's image converter


def vit(models):
    return models.ViTBackbone((SIZE, SIZE, 3), 8, 3, 2, 16, 32, dropout_rate=0.1)


def deit(models):
    return models.DeiTBackbone((SIZE, SIZE, 3), 8, 2, 2, 16, 32, dropout_rate=0.1)


def dinov2(models):
    shapes = {"image_shape": (SIZE, SIZE, 3), "position_embedding_shape": (48, 48, 3)}
    return models.DINOV2Backbone(8, 3, 16, 2, 32, 1e-1, 2, drop_path_rate=0.1, **shapes)


def dinov3(models):
    return models.DINOV3Backbone(8, 3, 16, 2, 32, 0.1, 2, drop_path_rate=0.1, image_shape=(SIZE, SIZE, 3))


def swin(models):
    return models.SwinTransformerBackbone((SIZE, SIZE, 3), 8, (2, 2), (2, 2), 4)


def clip(models):
    images = models.CLIPVisionEncoder(8, 16, 2, 2, 32, image_shape=(SIZE, SIZE, 3))
    return models.CLIPBackbone(images, models.CLIPTextEncoder(20, 16, 16, 1, 2, 32, max_sequence_length=8), 12)


def siglip(models):
    images = models.SigLIPVisionEncoder(8, 16, 2, 2, 32, image_shape=(SIZE, SIZE, 3))
    text = models.SigLIPTextEncoder(20, 16, 16, 1, 2, 32, max_sequence_length=8)
    return models.SigLIPBackbone(images, text)


def metaclip_2(models):
    images = models.MetaCLIP2VisionEncoder(8, 16, 2, 2, 32, image_shape=(SIZE, SIZE, 3))
    return models.MetaCLIP2Backbone(images, models.MetaCLIP2TextEncoder(20, 16, 16, 1, 2, 32), 12)


def hgnetv2(models):
    return models.HGNetV2Backbone(
        depths=[1, 1],
        embedding_size=8,
        hidden_sizes=[8, 16],
        stem_channels=[3, 4, 8],
        hidden_act="relu",
        use_learnable_affine_block=True,
        stackwise_stage_filters=[[8, 4, 8, 1, 1, 3], [8, 4, 16, 2, 2, 3]],
        apply_downsample=[False, True],
        use_lightweight_conv_block=[False, True],
        image_shape=(None, None, 3),
    )


def efficientnet(models, kinds=("v1", "v1")):
    return models.EfficientNetBackbone(
        stackwise_width_coefficients=[1.0] * 2,
        stackwise_depth_coefficients=[1.0] * 2,
        stackwise_kernel_sizes=[3, 3],
        stackwise_num_repeats=[1, 2],
        stackwise_input_filters=[16, 8],
        stackwise_output_filters=[8, 8],
        stackwise_expansion_ratios=[1, 4],
        stackwise_squeeze_and_excite_ratios=[0.25, 0.25],
        stackwise_strides=[1, 2],
        stackwise_block_types=list(kinds),
        stackwise_force_input_filters=[0, 0],
        stackwise_nores_option=[False, False],
        dropout=0.2,
    )


def efficientnet_v2(models):
    return efficientnet(models, ("fused", "unfused"))


def mobilenetv5(models):
    return models.MobileNetV5Backbone(
        stackwise_block_types=[["er"], ["uir", "uir"], ["uir", "mqa"]],
        stackwise_num_blocks=[1, 2, 2],
        stackwise_num_filters=[[8], [8, 8], [16, 16]],
        stackwise_strides=[[2], [2, 1], [2, 1]],
        stackwise_act_layers=[["gelu"], ["gelu", "gelu"], ["gelu", "gelu"]],
        stackwise_exp_ratios=[[4.0], [4.0, 4.0], [2.0, 1.0]],
        stackwise_se_ratios=[[0.0], [0.0, 0.0], [0.0, 0.0]],
        stackwise_dw_kernel_sizes=[[0], [5, 0], [0, 0]],
        stackwise_dw_start_kernel_sizes=[[0], [3, 0], [0, 0]],
        stackwise_dw_end_kernel_sizes=[[0], [0, 0], [0, 0]],
        stackwise_exp_kernel_sizes=[[3], [0, 0], [0, 0]],
        stackwise_pw_kernel_sizes=[[1], [0, 0], [0, 0]],
        stackwise_num_heads=[[0], [0, 0], [0, 2]],
        stackwise_key_dims=[[0], [0, 0], [0, 8]],
        stackwise_value_dims=[[0], [0, 0], [0, 8]],
        stackwise_kv_strides=[[0], [0, 0], [0, 1]],
        stackwise_use_cpe=[[False], [False, False], [False, False]],
        num_features=24,
        msfa_output_resolution=4,
        layer_scale_init_value=0.1,
        drop_path_rate=0.1,
    )


CONVERTERS = {  # by family, whose name ends in ImageConverter
    **{"vit": "ViT", "deit": "DeiT", "dinov2": "DINOV2", "dinov3": "DINOV3", "swin": "SwinTransformer"},
    **{"clip": "CLIP", "siglip": "SigLIP", "metaclip_2": "MetaCLIP2", "hgnetv2": "HGNetV2"},
    **{"efficientnet": "EfficientNet", "efficientnet_v2": "EfficientNet", "mobilenetv5": "MobileNetV5"},
}
FAMILIES = tuple(CONVERTERS)


def save_preset(family: str, folder: Path) -> Path:
    """Save a family's tiny preset, every weight random, and return its folder."""
    import keras
    import keras_hub
    import numpy as np

    keras.utils.set_random_seed(0)
    backbone = globals()[family](keras_hub.models)
    rng = np.random.default_rng(0)
    for weight in backbone.weights:  # no zeros and ones that hide a mistake, such as a class token of zeros
        if "float" in str(weight.dtype):
            value = keras.ops.convert_to_numpy(weight)
            noise = rng.uniform(0.0, 0.2, value.shape) if "variance" in weight.name else rng.normal(0, 0.1, value.shape)
            weight.assign(value + noise)
    backbone.save_to_preset(str(folder))
    converter = getattr(keras_hub.layers, f"{CONVERTERS[family]}ImageConverter")
    converter(image_size=(SIZE, SIZE), scale=SCALES, offset=MEANS).save_to_preset(str(folder))
    return folder
