"""Every recipe on your photos: accuracy after the head and after fine-tuning, and seconds.

    python benchmarks/recipes.py photos.zip --backbone MobileNet:0.25 MobileNetV2:0.35 --folds 5 --repeats 2
    python benchmarks/recipes.py hymenoptera.zip --backbone MobileNet:0.25 --seeds 5  # the archive's own train and val

Photos are checked, split and packed by the pipeline; the trainings run one after the other in this process, with the
functions that the rules call. Seconds go from packed photos to the last model: embedding, head, fine-tuning; nothing is
shared between trainings. What stands behind ± is half of Student's 95% interval over the trainings: seeds and repeats
share photos, so it tells how far training varies, and less than how far other photos would.
"""

import argparse
import contextlib
import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path

import yaml

from chain import ROOT, SCRIPTS, run_chain

sys.path.insert(0, str(SCRIPTS))
RECIPES = ROOT / "config" / "recipes"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, help="an archive, or a folder of folders")
    parser.add_argument("--recipes", nargs="+", default=sorted(path.stem for path in RECIPES.glob("*.yaml")))
    parser.add_argument("--variants", type=Path, help="in their place, a YAML file: recipe and override by name")
    parser.add_argument("--backbone", nargs="+", default=["MobileNet:0.25"], help="NAME or NAME:ALPHA")
    parser.add_argument("--size", type=int, default=224, help="pixels of a side")
    parser.add_argument("--weights", default="imagenet", help="as backbone.weights")
    parser.add_argument("--seeds", type=int, default=1, help="runs of each recipe on each fold")
    parser.add_argument("--folds", type=int, default=0, help="cross-validate with this many; 0: the photos' own split")
    parser.add_argument("--repeats", type=int, default=1, help="how often the folds are drawn anew")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "benchmarks" / "recipes.csv")
    arguments = parser.parse_args()
    from graft.config.job import Job

    with tempfile.TemporaryDirectory() as folder:
        configuration = configuration_of(arguments)
        job = Job(configuration, RECIPES)
        prepare(Path(folder), configuration, job)
        measured(Path(folder) / "results", job, arguments)


def configuration_of(arguments: argparse.Namespace) -> dict:
    """Return a job with an experiment for every recipe and backbone."""
    source = {"folder" if arguments.photos.is_dir() else "archive": str(arguments.photos.resolve())}
    kfold = {"method": "kfold", "k": arguments.folds, "repeats": arguments.repeats}
    own = Path(arguments.weights)
    weights = str(own.resolve()) if own.is_file() else arguments.weights
    variants = {recipe: {"recipe": recipe} for recipe in arguments.recipes}
    if arguments.variants:
        variants = yaml.safe_load(arguments.variants.read_text(encoding="utf-8"))
    experiments = {}
    for backbone in arguments.backbone:
        name, _, alpha = backbone.partition(":")
        network = {"name": name, "alpha": float(alpha or 1), "size": arguments.size, "weights": weights}
        for variant, settings in variants.items():
            common = {"dataset": "photos", "backbone": network, "seeds": arguments.seeds}
            experiments[f"{slug(variant)}-{name}{alpha}"] = common | settings
    return {
        "runs": list(experiments),
        "datasets": {"photos": {"source": source, "split": kfold if arguments.folds else {"method": "auto"}}},
        "experiments": experiments,
    }


def slug(variant: str) -> str:
    """Return a variant's name as experiments are named.

    >>> slug("avg+max"), slug("no views")
    ('avg.max', 'no.views')
    """
    return re.sub(r"[^A-Za-z0-9_]+", ".", variant)


def prepare(folder: Path, configuration: dict, job) -> None:
    """Let the pipeline check, split and pack the photos, and fetch the weights."""
    from graft.config.job import backbone_key

    sizes = {backbone.size for backbone in job.backbones.values()}
    targets = [f"results/data/photos/pixels-{size}.npy" for size in sizes] + ["results/data/photos/split.csv"]
    targets += [f"results/weights/{backbone_key(backbone)}.weights.h5" for backbone in job.backbones.values()]
    run_chain(configuration, folder, os.cpu_count(), "--replace-workflow-config", "--quiet", "all", "--", *targets)


def measured(results: Path, job, arguments: argparse.Namespace) -> None:
    """Train every run and fold, one line each as it ends; write the CSV and print the table of means."""
    from graft import runtime
    from graft.training.resume import EVERY_SECONDS

    os.environ[EVERY_SECONDS] = "inf"  # nothing here is resumed
    runtime.start(0, arguments.threads)
    import keras
    import pandas as pd

    rows = []
    for name in job.runs:
        run = job.run(name)
        for fold in job.folds(name):
            keras.backend.clear_session()
            row = {
                "backbone": label_of(run),
                "recipe": run.experiment_name.partition("-")[0],
                "seed": run.seed,
                "fold": fold,
            }
            rows.append(row | train_one(results, run, fold))
            print(", ".join(f"{key} {value}" for key, value in rows[-1].items()), flush=True)
            arguments.output.parent.mkdir(parents=True, exist_ok=True)
            pd.DataFrame(rows).to_csv(arguments.output, index=False, lineterminator="\n")
    print(table_of(pd.DataFrame(rows)).to_string(index=False))
    print(f"{arguments.photos.name}; {len(rows)} trainings: {arguments.output}")


def label_of(run) -> str:
    """Return a backbone's name and width."""
    backbone = run.experiment.backbone
    return f"{backbone.name} {backbone.alpha:g}"


def train_one(results: Path, run, fold: int) -> dict[str, float]:
    """Return the validation accuracy after each phase of one training, and its seconds; NaN where there is none."""
    import keras
    import numpy as np

    from graft.config.job import backbone_key, finetune_settings, head_settings
    from graft.features import embed_photos
    from graft.files import read_table
    from graft.network.assembly import assemble
    from graft.network.backbones import load_backbone
    from graft.network.preprocessing import modes
    from graft.training.finetune import fine_tune
    from graft.training.frozen import train_head
    from graft.training.roles import Roles

    backbone = run.experiment.backbone
    data, weights = results / "data" / "photos", results / "weights" / f"{backbone_key(backbone)}.weights.h5"
    split = read_table(data / "split.csv").query("fold == @fold")
    paths = read_table(data / "manifest.csv")["path"].tolist()
    roles = Roles.of_fold(split, fold, paths, json.loads((data / "classes.json").read_text()))
    packed, features = data / f"pixels-{backbone.size}.npy", results / "features.npy"
    pixels = np.load(packed, mmap_mode="r")
    training, prediction = modes(backbone.name, run.recipe.preprocessing)
    state = results / "none"
    keras.utils.set_random_seed(run.seed)
    start = time.perf_counter()
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        embed_photos(run.embedding, weights, packed, split, paths, features)
        cached = np.load(features, mmap_mode="r")
        head, _, _ = train_head(head_settings(run), cached, roles, run.name, state)
        model = assemble(load_backbone(backbone, weights), head, prediction, run.recipe.head.pooling)
        seconds = time.perf_counter() - start
        scores = {"head": accuracy(model, pixels, roles), "finetuned": np.nan}
        if run.recipe.finetune:
            keras.utils.set_random_seed(run.seed)
            start = time.perf_counter()
            model, _, _ = fine_tune(
                finetune_settings(run), model, (training, prediction), pixels, roles, run.name, state
            )
            seconds += time.perf_counter() - start
            scores["finetuned"] = accuracy(model, pixels, roles)
    return scores | {"seconds": round(seconds, 2)}


def accuracy(model, pixels, roles) -> float:
    """Return the share of a fold's validation photos that a model has right."""
    from graft.predictions import predict_logits, probabilities_of

    probabilities = probabilities_of(predict_logits(model, pixels, roles.val, "predict"))
    return round(float((probabilities.argmax(axis=1) == roles.codes[roles.val]).mean()), 4)


def table_of(trainings):
    """Return means and half widths of their 95% intervals, by backbone and recipe."""
    import pandas as pd
    from scipy import stats

    def mean(values: pd.Series) -> str:
        if values.isna().all():
            return ""
        if len(values) < 2:
            return f"{values.mean():.3f}"
        half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / len(values) ** 0.5
        return f"{values.mean():.3f} ± {half:.3f}"

    groups = trainings.groupby(["backbone", "recipe"], sort=False)
    columns = {"head": mean, "finetuned": mean, "seconds": lambda values: f"{values.median():.1f}"}
    return groups.agg(columns).reset_index()


if __name__ == "__main__":
    main()
