"""Nothing in but a seed; the weights of Rootstock out, pretrained on textures drawn here."""

import argparse
from pathlib import Path

from graft.errors import run_script


def main(argv: list[str] | None = None) -> None:
    """Draw the textures, pretrain the network on collages of them, and store its weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", required=True, type=Path, help="the .npz of weights, to be written")
    parser.add_argument(
        "--threads", type=int, default=2, help="processor threads; default 2, as for the shipped weights"
    )
    parser.add_argument("--textures", type=int, default=200, help="textures per class; default 200")
    parser.add_argument("--epochs", type=int, default=24, help="passes over as many collages as textures; default 24")
    parser.add_argument("--seed", type=int, default=0, help="of the textures, the collages and the network; default 0")
    arguments = parser.parse_args(argv)

    from graft.sample.textures import draw_textures

    textures, labels = draw_textures(arguments.textures, 96, arguments.seed, arguments.threads)
    print(f"pretrain_rootstock: {len(textures):,} textures of {labels.max() + 1} classes drawn")

    from graft.machine import runtime

    runtime.start(arguments.seed, arguments.threads)
    from graft.network.rootstock import save_rootstock_weights
    from graft.training.pretraining import pretrain

    rootstock = pretrain(textures, labels, arguments.epochs, arguments.seed)
    save_rootstock_weights(rootstock, arguments.output)
    print(f"pretrain_rootstock: {rootstock.count_params():,} weights, {arguments.output.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    run_script(main)
