"""The head's model and the packed pixels in, the fine-tuned model and its history.csv out."""

import argparse
import json
import time
from pathlib import Path

from graft.config.base import parse
from graft.config.experiment import FineTuneSettings
from graft.errors import run_script
from graft.training.command import parser_of


def main(argv: list[str] | None = None) -> None:
    """Fine-tune the model of one run and fold."""
    parser = parser_of(__doc__)
    parser.add_argument("--backbone", required=True, help="the backbone's name, which decides the preprocessing")
    parser.add_argument("--head-model", required=True, type=Path, help="model.keras of train_head")
    parser.add_argument("--pixels", required=True, type=Path, help="the packed photos")
    arguments = parser.parse_args(argv)
    settings = parse(FineTuneSettings, json.loads(arguments.settings), "settings")

    from graft.machine import gpus, runtime

    with gpus.lease(arguments.gpus):
        runtime.start(settings.seed, arguments.threads)
        train(settings, arguments)


def train(settings: FineTuneSettings, arguments: argparse.Namespace) -> None:
    """Train and save."""
    from graft.machine import runtime
    from graft.network.model_file import load_model, save_model
    from graft.network.preprocessing import modes
    from graft.storage.arrays import open_array
    from graft.storage.files import read_table, write_json, write_table
    from graft.training.finetune import Expected, fine_tune
    from graft.training.resume import clear_states, state_path
    from graft.training.roles import Roles

    model, facts = load_model(arguments.head_model)
    paths = read_table(arguments.manifest)["path"].tolist()
    roles = Roles.of_fold(read_table(arguments.split), arguments.fold, paths, facts["classes"], settings.choosing)
    pixels = open_array(arguments.pixels)
    print(
        f"fine_tune: {arguments.tag}, seed {settings.seed}: {len(roles.train)} photos to train, {len(roles.choose)} to "
        f"choose, {len(facts['classes'])} classes",
        flush=True,
    )
    inputs = [arguments.head_model, arguments.pixels, arguments.manifest, arguments.split]
    devices = runtime.gpus()
    several = len(devices) > 1  # whose optimiser has other variables, so that neither takes up the other's state
    described = f"{arguments.settings} {arguments.backbone} {arguments.fold}, several devices {several}"
    state = state_path(arguments.state, "fine_tune.py", arguments.tag, described, inputs)
    both = modes(arguments.backbone, settings.preprocessing)
    tag = f"fine_tune: {arguments.tag}"
    began = time.monotonic()
    expected = Expected(facts.pop("cross_validated_loss", None), facts.pop("cross_validated_mistakes", None))
    tuned, history, _ = fine_tune(settings, model, both, pixels, roles, tag, state, devices, expected)
    if tuned is not model:
        facts.pop("cross_validated", None)  # thresholds of the head's model are none of this one's
    print(f"{tag}: trained in {time.monotonic() - began:.1f} s", flush=True)
    save_model(tuned, facts, arguments.model)
    write_table(history.assign(watched=roles.watched), arguments.history)
    write_json(
        {"device": runtime.device_name(), "threads": arguments.threads}, arguments.model.with_name("device.json")
    )  # for its provenance
    clear_states(arguments.state, state)


if __name__ == "__main__":
    run_script(main)
