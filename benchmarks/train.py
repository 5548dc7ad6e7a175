"""Images a second of fine-tuning and of embedding on the processor: Graft's own functions, plain Keras, timm.

    python benchmarks/train.py --threads 2                            # ResNet50 and MobileNet, batches of 8 and 32
    python benchmarks/train.py --torch-python ~/torch/bin/python      # with timm, in an environment of its own
    python benchmarks/train.py --seconds 1 --rounds 1 --size 64 --backbones MobileNet --batches 8    # does it work?

Every measurement is a process of its own, one after the other, in rounds; compiling and the first steps are not
counted. All loops get the same pixels from memory, so what is compared is the networks' arithmetic and the frameworks;
but for one, which augments photos from disk and shows how long training waits for its input.
Plain Keras is fine-tuning as in the lesson (everything unfrozen, `backbone(x, training=False)`), and `model.predict`.
"""

import argparse
import functools
import subprocess
import sys

import timing

# By task: who, script, form, precision. The first is what the others are compared with.
WAYS = {
    "finetune": [
        ("Keras as in the lesson", "loop_keras.py", "lesson", "float32"),
        ("Graft, batch_norm: lesson", "loop_graft.py", "lesson", "float32"),
        ("Graft, batch_norm: folded", "loop_graft.py", "folded", "float32"),
        ("Graft, batch_norm: folded", "loop_graft.py", "folded", "bfloat16"),
        ("Graft, folded, augmented photos from disk", "loop_graft.py", "streamed", "bfloat16"),
        ("timm", "loop_timm.py", "frozen", "float32"),
        ("timm", "loop_timm.py", "frozen", "bfloat16"),
    ],
    "embed": [
        ("Keras's predict", "loop_keras.py", "lesson", "float32"),
        ("Graft", "loop_graft.py", "lesson", "float32"),
        ("Graft", "loop_graft.py", "lesson", "bfloat16"),
        ("timm", "loop_timm.py", "frozen", "float32"),
        ("timm", "loop_timm.py", "frozen", "bfloat16"),
    ],
}
NAMES = ("task", "backbone", "batch", "who", "precision")
SPEED = "images_per_s"
EMBED_BATCH = 32  # graft.training.features.BATCH, and Keras's own default; others are not compared


def main() -> None:
    arguments = parsed()
    pythons = pythons_of_loops(arguments.torch_python)
    settings = ["--size", arguments.size, "--threads", arguments.threads, "--seconds", arguments.seconds]
    variants = variants_of(WAYS, arguments, pythons, settings, [EMBED_BATCH])
    rows = rows_of(timing.rounds_of(variants, arguments.rounds), WAYS)
    for row in rows:
        row.pop("gflop_per_image", None)  # for gpu.py
    timing.report(rows, arguments.output)


def parsed() -> argparse.Namespace:
    """Return the command line's settings."""
    parser = parser_of_loops(__doc__, "train.csv")
    parser.add_argument("--batches", type=int, nargs="+", default=[8, 32], help="photos a step of fine-tuning")
    parser.add_argument("--threads", type=int, default=2, help="default 2")
    return parser.parse_args()


def parser_of_loops(text: str, output: str) -> argparse.ArgumentParser:
    """Return a parser with what every benchmark of training loops takes."""
    parser = timing.parser_of(text, output)
    parser.add_argument("--tasks", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--backbones", nargs="+", choices=["ResNet50", "MobileNet"], default=["ResNet50", "MobileNet"])
    parser.add_argument("--size", type=int, default=224, help="pixels; default 224")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each measurement, about; default 8")
    parser.add_argument("--torch-python", default=sys.executable, metavar="PYTHON", help="one that has torch and timm")
    return parser


def pythons_of_loops(torch_python: str) -> dict[str, str | None]:
    """Return timm's interpreter by its script, for `variants_of`; None, and a line, where it lacks what it needs."""
    if importable(torch_python, "torch, timm"):
        return {"loop_timm.py": torch_python}
    print(f"left out: timm: {torch_python} has no torch or no timm; name another: --torch-python")
    return {"loop_timm.py": None}


def importable(python: str, modules: str) -> bool:
    """Return whether an interpreter has all of some modules."""
    return not subprocess.run([python, "-c", f"import {modules}"], stderr=subprocess.DEVNULL, check=False).returncode


def variants_of(
    ways: dict, arguments: argparse.Namespace, pythons: dict, settings: list, embed_batches: list[int]
) -> dict:
    """Return what to measure, by task, backbone, batch, who and precision.

    Args:
        ways: by task: who, script, form, precision.
        arguments: tasks, backbones, and batches of fine-tuning.
        pythons: by script, the interpreter, where it is not this one; None leaves the script out.
        settings: options of every loop.
        embed_batches: batches of embedding.
    """
    variants = {}
    for task in arguments.tasks:
        batches = embed_batches if task == "embed" else arguments.batches
        for backbone in arguments.backbones:
            for batch in batches:
                for who, script, form, precision in ways[task]:
                    python, *command = timing.this_python(script, "--task", task, "--backbone", backbone)
                    python = pythons.get(script, python)
                    command += ["--batch", batch, "--form", form, "--precision", precision, *settings]
                    if python:
                        variants[task, backbone, batch, who, precision] = functools.partial(loop, [python, *command])
    return variants


def loop(command: list) -> timing.Numbers:
    """Return what one loop told."""
    return timing.whole_process(command).numbers()


def rows_of(measured: dict, ways: dict) -> list[dict]:
    """Return the table: of every task, backbone and batch the ways, and how many times faster than the first."""
    rows = []
    for group in dict.fromkeys(name[:3] for name in measured):
        group_rows = [
            dict(zip(NAMES, name, strict=True)) | timing.medians(rounds) | {"range": timing.spread(rounds, SPEED)}
            for name, rounds in measured.items()
            if name[:3] == group
        ]
        base = next((row for row in group_rows if is_first(row, ways)), None)
        rows += timing.with_ratios(group_rows, SPEED, base, "times_first", faster_is="more")
    return rows


def is_first(row: dict, ways: dict) -> bool:
    """Return whether a row is what the others of its group are compared with."""
    who, _, _, precision = ways[row["task"]][0]
    return (row["who"], row["precision"]) == (who, precision)


if __name__ == "__main__":
    main()
