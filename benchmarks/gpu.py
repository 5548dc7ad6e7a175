"""Images a second of fine-tuning and of embedding on a GPU, Keras on JAX against timm in PyTorch, and the chip's share.

    KERAS_BACKEND=jax python benchmarks/gpu.py --peak-tflops 989       # an H200's bfloat16 peak, by its data sheet
    KERAS_BACKEND=jax python benchmarks/gpu.py --rounds 1 --backbones ResNet50 --tasks finetune     # a part, in minutes
    KERAS_BACKEND=jax python benchmarks/gpu.py --torch-python ~/torch/bin/python
    KERAS_BACKEND=jax python benchmarks/gpu.py --device cpu --size 64 --batches 4 --seconds 1 --rounds 1  # it works?

Needs JAX, Keras and NumPy alone; timm is measured where an interpreter has it. Every measurement is a process of its
own; compiling and the first steps are not counted; all loops get the same pixels from the host's memory, every batch
anew. `share_of_peak` is floating point operations a second (two for every multiplication of a convolution, three passes
in training) over `--peak-tflops`, whatever the precision: the idle rest is transfers, launches, normalisation and what
float32 costs.
"""

import argparse
import os
import subprocess
import sys

import timing
from train import SPEED, parser_of_loops, pythons_of_loops, rows_of, variants_of

# By task: who, script, form, precision. The first is what the others are compared with.
WAYS = {
    "finetune": [
        ("Keras as in the lesson", "loop_keras.py", "lesson", "float32"),
        ("Keras as in the lesson", "loop_keras.py", "lesson", "bfloat16"),
        ("Keras, folded as Graft does", "loop_keras.py", "folded", "float32"),
        ("Keras, folded as Graft does", "loop_keras.py", "folded", "bfloat16"),
        ("timm", "loop_timm.py", "frozen", "float32"),
        ("timm", "loop_timm.py", "frozen", "bfloat16"),
    ],
    "embed": [
        ("Keras's predict", "loop_keras.py", "lesson", "float32"),
        ("Keras's predict", "loop_keras.py", "lesson", "bfloat16"),
        ("Keras's predict, folded", "loop_keras.py", "folded", "bfloat16"),
        ("timm", "loop_timm.py", "frozen", "float32"),
        ("timm", "loop_timm.py", "frozen", "bfloat16"),
    ],
}
PASSES = {"finetune": 3, "embed": 1}  # forward; gradients of inputs; gradients of weights


def main() -> None:
    arguments = parsed()
    os.environ.setdefault("KERAS_BACKEND", "jax")
    if arguments.device == "cpu":
        os.environ["JAX_PLATFORMS"] = "cpu"
    pythons = pythons_of_loops(arguments.torch_python)
    device = device_name()
    if arguments.device == "gpu" and not device.startswith("gpu"):
        raise SystemExit(f"JAX finds no GPU ({device}); for the processor: --device cpu")
    print(f"Keras on {os.environ['KERAS_BACKEND']}, {device}", flush=True)
    settings = ["--size", arguments.size, "--seconds", arguments.seconds, "--device", arguments.device]
    variants = variants_of(WAYS, arguments, pythons, settings, arguments.batches)
    rows = rows_of(timing.rounds_of(variants, arguments.rounds), WAYS)
    timing.report(with_shares(rows, arguments.peak_tflops), arguments.output)


def parsed() -> argparse.Namespace:
    """Return the command line's settings."""
    parser = parser_of_loops(__doc__, "gpu.csv")
    parser.add_argument("--batches", type=int, nargs="+", default=[32, 256], help="photos a step")
    parser.add_argument("--device", choices=["gpu", "cpu"], default="gpu")
    parser.add_argument("--peak-tflops", type=float, help="the chip's, in 1e12 operations a second, as its maker says")
    return parser.parse_args()


def device_name() -> str:
    """Return what JAX runs on, or why it does not."""
    code = "import jax; print(', '.join(f'{one.platform} {one.device_kind}' for one in jax.devices()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() or timing.reason_in(done.stderr)


def with_shares(rows: list[dict], peak_tflops: float | None) -> list[dict]:
    """Return rows with the operations of a photo, those a second, and their share of the chip's peak.

    timm does not count its own: it has the same networks, so Keras's count stands for it.
    """
    counts = {row["backbone"]: row["gflop_per_image"] for row in rows if row.get("gflop_per_image")}
    result = []
    for row in rows:
        gflop = PASSES[row["task"]] * counts.get(row["backbone"], float("nan"))
        tflops = gflop * row[SPEED] / 1000
        row = {name: value for name, value in row.items() if name != "gflop_per_image"}
        row |= {"gflop_per_image": gflop, "tflops": tflops}
        result.append(row | ({"share_of_peak": tflops / peak_tflops} if peak_tflops else {}))
    return result


if __name__ == "__main__":
    main()
