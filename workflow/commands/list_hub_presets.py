"""Write workflow/resources/hub_presets.csv: the presets of KerasHub's image backbones, of the installed release.

With it the configuration knows a preset's name and size where KerasHub is not installed.
"""

import argparse
import re
from pathlib import Path

import library  # noqa: F401

# isort: split
import pandas as pd

from graft.config.hub import TABLE, USUAL_SIZE
from graft.errors import run_script
from graft.storage.files import write_table

FAMILIES = (
    *("CLIPBackbone", "DINOV2Backbone", "DINOV3Backbone", "DeiTBackbone", "EfficientNetBackbone", "HGNetV2Backbone"),
    *("MetaCLIP2Backbone", "MobileNetV5Backbone", "SigLIPBackbone", "SwinTransformerBackbone", "ViTBackbone"),
)
SIZE_TOLD = r"(?:resolution|image size)(?: of)? (\d{3})"  # in a preset's description
SIZES = {  # those that neither name nor description tells; source: timm, whose weights they are
    "efficientnet_b2_ra_imagenet": 256,
    "efficientnet_b3_ra2_imagenet": 288,
    "efficientnet_b4_ra2_imagenet": 320,
    "efficientnet_b5_sw_imagenet": 416,
    "efficientnet_b5_sw_ft_imagenet": 448,
    "efficientnet2_rw_m_agc_imagenet": 320,
    "efficientnet2_rw_s_ra2_imagenet": 288,
    "mobilenetv5_300m_enc_gemma3n": 768,
}


def main(argv: list[str] | None = None) -> None:
    """Ask KerasHub for its presets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=TABLE, help="the CSV to write")
    arguments = parser.parse_args(argv)
    write_table(known_presets(), arguments.output, sealed=False)


def known_presets() -> pd.DataFrame:
    """Return a row for each preset of an image backbone, by family and name."""
    from graft.network.hub import library as keras_hub

    rows = []
    for family in FAMILIES:
        for name, about in getattr(keras_hub().models, family).presets.items():
            handle = about["kaggle_handle"].removeprefix("kaggle://")
            if handle.split("/")[3] != name:
                continue  # KerasHub 0.32 has three whose handle is that of another preset
            told = re.search(r"_r?(\d{3})(_|$)", name) or re.search(SIZE_TOLD, about["metadata"]["description"])
            size = SIZES.get(name, int(told[1]) if told else USUAL_SIZE)
            row = {"preset": name, "family": family, "handle": handle, "size": size}
            rows.append(row | {"parameters": about["metadata"]["params"]})
    return pd.DataFrame(rows).sort_values(["family", "preset"], ignore_index=True)


if __name__ == "__main__":
    run_script(main)
