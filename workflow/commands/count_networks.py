"""Write workflow/resources/networks.csv: what each network of Keras costs, counted from its layers.

Sweeps and the model table estimate time and disk by it, without building a network.
"""

import argparse
from pathlib import Path
from typing import Any

import library  # noqa: F401

# isort: split
import pandas as pd

from graft.config.backbone import NATIVE_SIZE, Backbone
from graft.errors import run_script
from graft.storage.files import write_table

TABLE = Path(__file__).resolve().parents[1] / "resources" / "networks.csv"


def main(argv: list[str] | None = None) -> None:
    """Build every network with random weights at its native size, and count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=TABLE, help="the CSV to write")
    arguments = parser.parse_args(argv)

    from graft.machine import runtime

    runtime.start(seed=0)
    import keras

    from graft.network.backbones import build_backbone
    from graft.network.cost import cost_of

    rows: list[dict[str, Any]] = []
    for name in [*NATIVE_SIZE, "Rootstock"]:
        spec = Backbone(name=name, weights="none")
        rows.append({"name": name, "size": spec.size} | cost_of(build_backbone(spec)).as_row())
        keras.backend.clear_session()
        print(
            f"count_networks: {name}: {rows[-1]['multiply_adds'] / 1e9:.2f} thousand million multiply-adds", flush=True
        )
    write_table(pd.DataFrame(rows), arguments.output, sealed=False)


if __name__ == "__main__":
    run_script(main)
