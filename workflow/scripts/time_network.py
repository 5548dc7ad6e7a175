"""A network's specification in, what it costs on this machine out: weights, depth, milliseconds, memory."""

import argparse
import json
from pathlib import Path

from graft.config.base import parse
from graft.config.model_table import Timing
from graft.errors import run_script


def main(argv: list[str] | None = None) -> None:
    """Build the network, count, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", required=True, help="network, repeats and threads, as JSON")
    parser.add_argument("--weights", nargs="*", type=Path, help="of a KerasHub backbone, the file that describes it")
    parser.add_argument("--output", required=True, type=Path, help="the JSON file to write")
    parser.add_argument("--gpus", type=int, default=0, help="GPUs to use, if there are any")
    arguments = parser.parse_args(argv)
    settings = parse(Timing, json.loads(arguments.settings), "settings")

    from graft.machine import gpus, runtime
    from graft.storage.files import write_json

    with gpus.lease(arguments.gpus):
        runtime.start(seed=0, threads=settings.threads)
        from graft.network.timing import time_network

        found = time_network(settings, runtime.gpus(), arguments.weights[0] if arguments.weights else None)
        found |= {"threads": settings.threads, "processor": runtime.processor_name()}
        found |= {"gpu": runtime.device_name()} if "gpu_ms_1" in found else {}
        write_json(found, arguments.output)
    print(
        f"time_network: {settings.backbone.name}, {settings.backbone.size} pixels: {found['cpu_ms_1']:.1f} ms a photo, "
        f"{found['cpu_ms_32']:.1f} in batches of 32, on {settings.threads} threads; {found['parameters']:,} weights"
    )


if __name__ == "__main__":
    run_script(main)
