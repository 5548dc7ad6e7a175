"""The first lesson, from photos on disk to its end: as published, and as Graft's whole chain does it.

    python benchmarks/lesson.py                        # ResNet50, random weights, 72 + 20 drawn photos: an hour
    python benchmarks/lesson.py --weights resnet50.h5 --photos urban_rural/    # accuracies that mean something
    python benchmarks/lesson.py --backbone MobileNet --alpha 0.25 --weights mobilenet_2_5_224_tf_no_top.h5
    python benchmarks/lesson.py --short --size 64 --backbone MobileNet --alpha 0.25 --rounds 1     # does it work?

Whole processes, in turn: `lesson_as_published.py`, which ends when the validation photos are predicted, and Snakemake
in a fresh folder, which ends with report.html: audit, split, intervals, figures, model card and Snakemake itself are in
its seconds. `head_s` and `finetune_s` are the two phases within by the process's own clock, once the network is loaded:
of the lesson's script, and of `embed_images`, `train_head` and `fine_tune`. `head_jobs_s` and `finetune_jobs_s` are
those jobs whole, starts of Python included; the lesson starts once, which is in its `head_jobs_s`. The judging of the
head, which the lesson does not do, is not in its seconds.
"""

import argparse
import functools
import sys
import tempfile
from pathlib import Path

import timing
from chain import ROOT, SCRIPTS, rows_of, rule_seconds, run_chain, work_seconds

sys.path.insert(0, str(SCRIPTS))

# Of the chain: a recipe, and what is changed of it. A recipe that is not there is skipped.
FAST = {"finetune": {"batch_norm": "folded", "precision": "auto"}, "frozen": {"precision": "auto"}}
OURS = {
    "graft: lesson": ("lesson", {}),
    "graft: lesson, folded, auto precision": ("lesson", FAST),
    "graft: graft": ("graft", {}),
    "graft: lesson's head, no views": ("lesson", {"frozen": {"views": 0}, "finetune": None}),
}
SHORT = {"frozen": {"epochs": 2, "steps_per_epoch": 2}, "finetune": {"epochs": 1, "steps_per_epoch": 2}}
SHORT_LESSON = ["--epochs", 2, "--finetune-epochs", 1, "--steps", 2]
N_TRAIN, N_VAL = 36, 10  # drawn photos a class: the 72 + 20 of the lesson


def main() -> None:
    arguments = parsed()
    with tempfile.TemporaryDirectory() as room:
        photos = arguments.photos or drawn(Path(room) / "photos")
        variants = theirs(arguments, photos) | ours(arguments, photos, Path(room))
        measured = timing.rounds_of(variants, arguments.rounds)
    rows = [
        {"variant": name, **timing.medians(rounds), "seconds_range": timing.spread(rounds, "seconds")}
        for name, rounds in measured.items()
    ]
    base = next((row for row in rows if row["variant"] == "lesson as published"), None)
    timing.report(timing.with_ratios(rows, "seconds", base, "times_lesson", faster_is="less"), arguments.output)


def parsed() -> argparse.Namespace:
    """Return the command line's settings."""
    parser = timing.parser_of(__doc__, "lesson.csv")
    parser.add_argument("--photos", type=Path, help="train/ and val/, a folder a class, two classes; default: drawn")
    parser.add_argument("--backbone", default="ResNet50", help="ResNet50, VGG16, MobileNet or MobileNetV2")
    parser.add_argument("--alpha", type=float, default=1.0, help="MobileNet's width")
    parser.add_argument("--size", type=int, default=224, help="pixels; default 224")
    parser.add_argument(
        "--weights", type=Path, help="the backbone's, without its top; default: random, for timing only"
    )
    parser.add_argument("--cores", type=int, default=2, help="Snakemake's; default 2")
    parser.add_argument("--short", action="store_true", help="a few steps on both sides: to try, not to measure")
    return parser.parse_args()


def drawn(folder: Path) -> Path:
    """Draw the sample's photos, as many as the lesson has, and return their folder."""
    from graft.sample.photos import write_sample

    write_sample(folder, seed=0, n_train_per_class=N_TRAIN, n_val_per_class=N_VAL)
    return folder


def theirs(arguments: argparse.Namespace, photos: Path) -> dict:
    """Return the lesson's script, by its name in the table.

    With one preprocessing it takes as long; only its accuracy differs, and that means something with weights alone.
    """
    command = timing.this_python("lesson_as_published.py", photos, "--backbone", arguments.backbone)
    command += ["--alpha", arguments.alpha, "--size", arguments.size]
    command += ["--weights", arguments.weights.resolve()] if arguments.weights else []
    command += SHORT_LESSON if arguments.short else []
    variants = {"lesson as published": functools.partial(lesson, command)}
    if arguments.weights:
        consistent = [*command, "--preprocessing", "consistent"]
        variants["lesson, one preprocessing"] = functools.partial(lesson, consistent)
    return variants


def lesson(command: list) -> timing.Numbers:
    """Run the lesson's script; return its seconds, without those that judged the head, and what it told."""
    finished = timing.whole_process(command)
    told = finished.numbers()
    return {
        "seconds": finished.seconds - told["judge_head_s"],
        "head_s": told["head_s"],
        "finetune_s": told["finetune_s"],
        "head_jobs_s": told["start_s"] + told["head_s"],
        "finetune_jobs_s": told["finetune_s"],
        "peak_mb": finished.peak_mb,
        "accuracy_head": told["accuracy_head"],
        "accuracy_finetuned": told["accuracy_finetuned"],
    }


def ours(arguments: argparse.Namespace, photos: Path, room: Path) -> dict:
    """Return the chain's variants, by their names in the table."""
    variants = {}
    for name, (recipe, override) in OURS.items():
        if not (ROOT / "config" / "recipes" / f"{recipe}.yaml").exists():
            print(f"left out: {name}: there is no recipe {recipe}")
            continue
        variants[name] = functools.partial(chain, arguments, job_of(arguments, photos, recipe, override), room)
    return variants


def job_of(arguments: argparse.Namespace, photos: Path, recipe: str, override: dict) -> dict:
    """Return the configuration of one run on the photos."""
    backbone = {"name": arguments.backbone, "size": arguments.size, "alpha": arguments.alpha}
    backbone["weights"] = str(arguments.weights.resolve()) if arguments.weights else "none"
    if arguments.short:
        override = override | {phase: (override.get(phase) or {}) | SHORT[phase] for phase in SHORT}
    experiment = {"dataset": "photos", "recipe": recipe, "backbone": backbone, "override": override}
    source = {"folder": str(photos.resolve())}
    return {
        "runs": ["measured"],
        "datasets": {"photos": {"source": source, "split": {"method": "folders"}}},
        "experiments": {"measured": experiment},
    }


def chain(arguments: argparse.Namespace, job: dict, room: Path) -> timing.Numbers:
    """Run the whole chain in a folder of its own; return its seconds, phases, memory and accuracies."""
    with tempfile.TemporaryDirectory(dir=room) as folder:
        results = Path(folder) / "results"
        finished = run_chain(job, Path(folder), arguments.cores)
        if not (results / "report.html").exists():
            raise timing.Failed("it made no report.html")
        accuracies = accuracies_in(results / "runs" / "measured" / "evaluation.csv")
        return {
            "seconds": finished.seconds,
            "head_s": work_seconds(results, "embed_images") + work_seconds(results, "train_head"),
            "finetune_s": work_seconds(results, "fine_tune"),
            "head_jobs_s": rule_seconds(results, "embed_images") + rule_seconds(results, "train_head"),
            "finetune_jobs_s": rule_seconds(results, "fine_tune"),
            "peak_mb": finished.peak_mb,
            "accuracy_head": accuracies.get("head", float("nan")),
            "accuracy_finetuned": accuracies.get("finetuned", float("nan")),
        }


def accuracies_in(evaluation: Path) -> dict[str, float]:
    """Return each stage's accuracy on the validation photos."""
    rows = [row for row in rows_of(evaluation) if row["role"] == "val" and row["fold"] == "all"]
    return {row["stage"]: float(row["accuracy"]) for row in rows}


if __name__ == "__main__":
    main()
