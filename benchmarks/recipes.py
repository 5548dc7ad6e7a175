"""Every recipe on your photos, judged on photos that chose nothing: accuracy, log loss, optimism, verdict, seconds.

    python benchmarks/recipes.py photos.zip --backbone MobileNet:0.25 MobileNetV2:0.35 --folds 5 --repeats 2
    python benchmarks/recipes.py hymenoptera.zip --backbone MobileNet:0.25 --seeds 5  # the archive's own train and val
    python benchmarks/recipes.py hymenoptera.zip --recipes probe --fit squash pad crop --folds 5

Photos are checked, split and packed by the pipeline; the trainings run one after the other in this process, with the
functions that the rules call. Recipes that choose anything choose on an inner part of the training photos; the
validation photos only judge. Seconds go from packed photos to the last model: embedding, head, fine-tuning; nothing is
shared between trainings. The milliseconds that predicting a photo takes are beside them.

A row is a recipe's stage, all folds and seeds together. Each photo counts once, with the share of trainings that have
it right, and the interval is over photos. The verdict compares with the recipe `probe` on the same photos. With
`--choose val` the judging photos choose too: the number that is reported where nothing is held out. With `--average`
a further row tells what the head's model and the fine-tuned one answer together: the mean of their logits.
"""

import argparse
import contextlib
import itertools
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
VERSUS = ("first_only", "second_only", "p_value", "log_loss_difference", "log_loss_difference_low")
VERSUS += ("log_loss_difference_high",)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, help="an archive, or a folder of folders")
    parser.add_argument("--recipes", nargs="+", default=sorted(path.stem for path in RECIPES.glob("*.yaml")))
    parser.add_argument("--variants", type=Path, help="in their place, a YAML file: recipe and override by name")
    parser.add_argument("--backbone", nargs="+", default=["MobileNet:0.25"], help="NAME or NAME:ALPHA")
    parser.add_argument("--size", type=int, default=224, help="pixels of a side")
    parser.add_argument("--fit", nargs="+", default=["squash"], help="how photos become squares: squash, pad, crop")
    parser.add_argument("--weights", default="imagenet", help="as backbone.weights")
    parser.add_argument("--seeds", type=int, default=1, help="runs of each recipe on each fold")
    parser.add_argument("--folds", type=int, default=0, help="cross-validate with this many; 0: the photos' own split")
    parser.add_argument("--repeats", type=int, default=1, help="how often the folds are drawn anew")
    parser.add_argument("--choose", default="auto", choices=["auto", "val"], help="val: by the photos that judge")
    parser.add_argument("--average", action="store_true", help="a row for the answers of both stages together, too")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "benchmarks" / "recipes.csv")
    arguments = parser.parse_args()
    from graft.config.resolution import Job

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
    for backbone, fit in itertools.product(arguments.backbone, arguments.fit):
        name, _, alpha = backbone.partition(":")
        network = {"name": name, "alpha": float(alpha or 1), "size": arguments.size, "weights": weights}
        for variant, settings in variants.items():
            experiment = {"dataset": fit, "backbone": network, "seeds": arguments.seeds} | settings
            selection = {"selection": {"on": arguments.choose}}
            experiment["override"] = experiment.get("override", {}) | selection
            told = slug(variant) if fit == "squash" else f"{slug(variant)}.{fit}"
            experiments[f"{told}-{name}{alpha}"] = experiment
    split = kfold if arguments.folds else {"method": "auto"}
    return {
        "runs": list(experiments),
        "datasets": {fit: {"source": source, "split": split, "fit": fit} for fit in arguments.fit},
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
    from graft.config.keys import backbone_key, pictures_key

    sizes = {backbone.size for backbone in job.backbones.values()}
    keys = {name: pictures_key(job.dataset(name).pictures) for name in job.datasets}
    targets = [f"results/data/{name}/pixels-{size}{key}.npy" for name, key in keys.items() for size in sizes]
    targets += [f"results/data/{name}/split.csv" for name in keys]
    targets += [f"results/weights/{backbone_key(backbone)}.weights.h5" for backbone in job.backbones.values()]
    run_chain(configuration, folder, os.cpu_count(), "--replace-workflow-config", "--quiet", "all", "--", *targets)


def measured(results: Path, job, arguments: argparse.Namespace) -> None:
    """Train every run and fold, one line each as it ends; write their predictions and print the table."""
    from graft.machine import runtime
    from graft.training.resume import EVERY_SECONDS

    os.environ[EVERY_SECONDS] = "inf"  # nothing here is resumed
    runtime.start(0, arguments.threads)
    import keras
    import pandas as pd

    tables, seconds = [], []
    for name in job.runs:
        run = job.run(name)
        for fold in job.folds(name):
            keras.backend.clear_session()
            took, predictions = train_one(results, run, fold, arguments.average)
            key = {"backbone": label_of(run), "recipe": run.experiment_name.rpartition("-")[0], "run": run.name}
            tables.append(predictions.assign(**key))
            seconds.append(key | {"fold": fold, "seconds": took})
            right = (predictions["label"] == predictions["predicted"])[predictions["role"] != "inner"]
            told = right.groupby(predictions["stage"], sort=False).mean().round(4).to_dict()
            print(f"{run.name}, fold {fold}: {told}, {took:.1f} s", flush=True)
    table = table_of(pd.concat(tables, ignore_index=True), pd.DataFrame(seconds))
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(arguments.output, index=False, lineterminator="\n")
    print(markdown(table))
    print(f"{arguments.photos.name}; {len(seconds)} trainings: {arguments.output}")


def label_of(run) -> str:
    """Return a backbone's name and width."""
    backbone = run.experiment.backbone
    return f"{backbone.name} {backbone.alpha:g}"


def train_one(results: Path, run, fold: int, average: bool = False):
    """Return the seconds of one training and its predictions, a table of all stages, and of their mean if asked for."""
    import keras
    import numpy as np
    import pandas as pd

    from graft.config.keys import backbone_key, pictures_key
    from graft.config.slices import finetune_settings, head_settings, predict_settings
    from graft.data.selection import photos_to_predict
    from graft.network.assembly import assemble
    from graft.network.backbones import load_backbone
    from graft.network.preprocessing import modes
    from graft.storage.files import read_table
    from graft.training.features import embed_photos
    from graft.training.finetune import Expected, fine_tune
    from graft.training.frozen import EXPECTED, train_head
    from graft.training.roles import Roles

    backbone, settings = run.experiment.backbone, head_settings(run)
    data = results / "data" / run.experiment.dataset
    weights = results / "weights" / f"{backbone_key(backbone)}.weights.h5"
    split = read_table(data / "split.csv")
    paths = read_table(data / "manifest.csv")["path"].tolist()
    roles = Roles.of_fold(split, fold, paths, json.loads((data / "classes.json").read_text()), settings.choosing)
    packed, features = data / f"pixels-{backbone.size}{pictures_key(run.pictures)}.npy", results / "features.npy"
    pixels = np.load(packed, mmap_mode="r")
    both, state = modes(backbone.name, run.recipe.preprocessing), results / "none"
    asked = photos_to_predict(split, fold, predict_settings(run))
    rows = pd.Index(paths).get_indexer(asked["path"])
    keras.utils.set_random_seed(run.seed)
    start = time.perf_counter()
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        embed_photos(run.embedding, weights, packed, split, paths, features)
        head, history, _ = train_head(settings, np.load(features, mmap_mode="r"), roles, run.name, state)
        model = assemble(load_backbone(backbone, weights), head, both[1], run.recipe.head.pooling)
        seconds = time.perf_counter() - start
        views = predict_settings(run).test_views
        tables = [predicted(model, pixels, rows, asked, roles.classes, "head", views)]
        if run.recipe.finetune:
            keras.utils.set_random_seed(run.seed)
            start = time.perf_counter()
            expected = Expected(*(history[name].iloc[-1] if name in history else None for name in EXPECTED))
            model, _, _ = fine_tune(finetune_settings(run), model, both, pixels, roles, run.name, state, (), expected)
            seconds += time.perf_counter() - start
            tables.append(predicted(model, pixels, rows, asked, roles.classes, "finetuned", views))
            tables += [averaged(*tables, asked, roles.classes)] if average else []
    return seconds, pd.concat(tables, ignore_index=True)


def predicted(model, pixels, rows, asked, classes: list[str], stage: str, views):
    """Return a stage's predictions as the published model makes them, and the milliseconds that each took."""
    from graft.config.evaluation import Evaluation
    from graft.judging.calibration import calibrate
    from graft.predicting.predictions import predict_logits, predictions_table

    predict_logits(model, pixels, rows[:1], "predict", views)  # the first call compiles
    start = time.perf_counter()
    logits = predict_logits(model, pixels, rows, "predict", views)
    took = (time.perf_counter() - start) / len(rows) * 1000
    return calibrate(predictions_table(asked, logits, classes, stage), Evaluation())[0].assign(ms=took)


def averaged(head, finetuned, asked, classes: list[str]):
    """Return what two stages say together, by the mean of their logits, as a stage of its own.

    A photo takes the milliseconds of both, since two networks look at it. Source: Kumar et al., "Calibrated Ensembles
    Can Mitigate Accuracy Tradeoffs under Distribution Shift", UAI 2022.
    """
    import numpy as np

    from graft.config.evaluation import Evaluation
    from graft.judging.calibration import calibrate
    from graft.predicting.predictions import predictions_table

    names = [f"probability_{name}" for name in classes]
    smallest = np.finfo(float).tiny  # the logarithm of 0 is no number
    logits = [np.log(np.maximum(table[names].to_numpy(), smallest)) for table in (head, finetuned)]
    both = predictions_table(asked, np.mean(logits, axis=0), classes, "averaged")
    return calibrate(both, Evaluation())[0].assign(ms=head["ms"] + finetuned["ms"])


def table_of(predictions, seconds):
    """Return a row for each backbone, recipe and stage."""
    import pandas as pd

    from graft.config.evaluation import Evaluation
    from graft.judging import significance
    from graft.judging.answers import Answers
    from graft.judging.evaluation import numbers, optimism
    from graft.judging.outcomes import outcomes_of

    settings, rows = Evaluation(), []
    judging = predictions[predictions["role"] == ("test" if "test" in set(predictions["role"]) else "val")]
    for (backbone, recipe, stage), mine in judging.groupby(["backbone", "recipe", "stage"], sort=False):
        same = predictions[(predictions["backbone"] == backbone) & (predictions["recipe"] == recipe)]
        chose = same[(same["stage"] == stage) & (same["chose"] == 1) & (same["role"] != mine["role"].iloc[0])]
        answers = Answers.of(mine, outcomes_of)
        found = numbers(answers, settings)
        found |= optimism(answers.outcomes.correct, outcomes_of(chose).correct)
        probe = judging[(judging["backbone"] == backbone) & (judging["recipe"] == "probe")]
        compared = recipe != "probe" and len(probe)
        versus = significance.compare(outcomes_of(probe), answers.outcomes, settings) if compared else None
        names = ("accuracy", "accuracy_low", "accuracy_high", "log_loss", "chose_accuracy", "optimism")
        took = seconds[(seconds["backbone"] == backbone) & (seconds["recipe"] == recipe)]["seconds"].median()
        rows.append(
            {"backbone": backbone, "recipe": recipe, "stage": stage, "photos": found["photos"]}
            | {name: found[name] for name in names}
            | {name: versus[name] if versus else float("nan") for name in VERSUS}
            | {"seconds": took, "ms": mine["ms"].median()}
        )
    return pd.DataFrame(rows)


def markdown(table) -> str:
    """Return the table as the README has it."""
    heads = ("backbone", "recipe, stage", "accuracy", "95% interval", "log loss", "on the photos that chose")
    heads += ("against probe: better on, worse on, p", "log loss against probe, 95%", "s", "ms to predict a photo")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in table.to_dict("records"):
        chose = "" if row["chose_accuracy"] != row["chose_accuracy"] else f"{row['chose_accuracy']:.3f}"
        told = row["p_value"] == row["p_value"]
        versus = f"{row['second_only']:.0f}, {row['first_only']:.0f}, {row['p_value']:.2g} | " if told else " | "
        if told:
            less, low, high = (row[f"log_loss_difference{end}"] for end in ("", "_low", "_high"))
            versus += f"{less:+.3f} ({low:+.3f} to {high:+.3f})"
        lines.append(
            f"| {row['backbone']} | {row['recipe']}, {row['stage']} | {row['accuracy']:.3f} |"
            f" {row['accuracy_low']:.3f} to {row['accuracy_high']:.3f} | {row['log_loss']:.3f} | {chose} | {versus} |"
            f" {row['seconds']:.0f} | {row['ms']:.1f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
