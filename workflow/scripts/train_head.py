"""Cached features in, the trained head on its backbone out: model.keras and history.csv."""

import argparse
import json
import time
from pathlib import Path

from graft.config.base import parse
from graft.config.experiment import HeadSettings
from graft.errors import run_script
from graft.training.command import parser_of


def main(argv: list[str] | None = None) -> None:
    """Train the head of one run and fold, and join it to the backbone."""
    parser = parser_of(__doc__)
    parser.add_argument("--features", required=True, type=Path, help="features.npy of embed_images")
    parser.add_argument("--weights", required=True, type=Path, help="the backbone's weights")
    parser.add_argument("--classes", required=True, type=Path, help="classes.json")
    arguments = parser.parse_args(argv)
    settings = parse(HeadSettings, json.loads(arguments.settings), "settings")

    from graft.machine import gpus, runtime

    with gpus.lease(arguments.gpus):
        runtime.start(settings.seed, arguments.threads)
        train(settings, arguments)


def train(settings: HeadSettings, arguments: argparse.Namespace) -> None:
    """Train, join, save."""
    from graft.machine import runtime
    from graft.network.assembly import assemble
    from graft.network.backbones import load_backbone
    from graft.network.model_file import save_model
    from graft.network.preprocessing import modes
    from graft.storage.arrays import open_array
    from graft.storage.files import read_json, read_table, write_json, write_table
    from graft.training.frozen import EXPECTED, train_head
    from graft.training.resume import clear_states, state_path
    from graft.training.roles import Roles

    classes = read_json(arguments.classes)
    paths = read_table(arguments.manifest)["path"].tolist()
    roles = Roles.of_fold(read_table(arguments.split), arguments.fold, paths, classes, settings.choosing)
    features = open_array(arguments.features)
    print(
        f"train_head: {arguments.tag}, seed {settings.seed}: {len(roles.train)} photos to train, "
        f"{len(roles.choose)} to choose, {len(classes)} classes, {len(features) - 1} cached views each",
        flush=True,
    )
    inputs = [arguments.features, arguments.weights, arguments.manifest, arguments.split, arguments.classes]
    state = state_path(
        arguments.state, "train_head.py", arguments.tag, f"{arguments.settings} {arguments.fold}", inputs
    )
    began = time.monotonic()
    head, history, found = train_head(settings, features, roles, f"train_head: {arguments.tag}", state)
    print(f"train_head: {arguments.tag}: trained in {time.monotonic() - began:.1f} s", flush=True)
    _, mode = modes(settings.backbone.name, settings.preprocessing)
    backbone = load_backbone(settings.backbone, arguments.weights)
    facts = {"classes": classes, "size": settings.backbone.size, "backbone": settings.backbone.name}
    facts |= found | ({"output": "sigmoid"} if roles.several else {})
    facts |= {"pictures": settings.pictures.model_dump(mode="json")}  # so that `classify` prepares photos alike
    for name in EXPECTED:
        if name in history:
            facts |= {name: history[name].iloc[-1].item()}  # what fine-tuning must beat, and how much is left to mend
    save_model(assemble(backbone, head, mode, settings.head.pooling), facts, arguments.model)
    write_table(history.assign(watched=roles.watched), arguments.history)
    write_json(
        {"device": runtime.device_name(), "threads": arguments.threads}, arguments.model.with_name("device.json")
    )  # for its provenance
    clear_states(arguments.state, state)


if __name__ == "__main__":
    run_script(main)
