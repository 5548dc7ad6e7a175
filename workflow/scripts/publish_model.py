"""A run's last model and its calibration in, the one model.keras to take away out: all that a prediction needs."""

import argparse
from pathlib import Path

from graft.errors import run_script
from graft.network.model_file import copy_model
from graft.storage.files import read_json


def main(argv: list[str] | None = None) -> None:
    """Copy the model of the last stage, with temperature, threshold and the bound of what is not sure in it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True, help="its name")
    parser.add_argument("--stage", required=True, help="which stage the model is of")
    parser.add_argument("--fold", default=0, type=int, help="which fold the model is of")
    parser.add_argument("--model", required=True, type=Path, help="model.keras of that stage and fold")
    parser.add_argument("--calibration", required=True, type=Path, help="calibration.json of the run")
    parser.add_argument("--output", required=True, type=Path, help="the model.keras to write")
    arguments = parser.parse_args(argv)
    stages = read_json(arguments.calibration)["stages"]
    fitted = stages[arguments.stage]["folds"][str(arguments.fold)]
    facts = {name: fitted[name] for name in ("temperature", "threshold", "unsure_below")}
    facts |= {"run": arguments.run, "stage": arguments.stage, "fold": arguments.fold}
    copy_model(arguments.model, facts, arguments.output)
    print(f"publish_model: {arguments.run}: the {arguments.stage} of fold {arguments.fold}, {facts}")


if __name__ == "__main__":
    run_script(main)
