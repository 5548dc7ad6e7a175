"""Where every result lies, written once: the rules, the library and the tests take their paths from here.

A pattern names its wildcards in braces, as Snakemake's rules do. Each starts with the folder of results, which lies in
the working directory.
"""

import re
from pathlib import Path

RESULTS = "results"
STAGES = ("head", "finetuned")

# A data set: what arrived, what was kept of it, who trains and who judges, and the photos at a network's size.
ARCHIVE = "results/data/{dataset}/archive.zip"
DOWNLOAD = "results/data/{dataset}/download.json"
IMAGES = "results/data/{dataset}/images"
MANIFEST = "results/data/{dataset}/manifest.csv"
AUDIT = "results/data/{dataset}/audit.csv"
AUDIT_SHEET = "results/data/{dataset}/audit.png"
CLASSES = "results/data/{dataset}/classes.json"
SOURCE = "results/data/{dataset}/source.json"
SPLIT = "results/data/{dataset}/split.csv"
PIXELS = "results/data/{dataset}/pixels-{size}{fit}.npy"  # fit: see `graft.config.keys.pictures_key`
LABEL_ISSUES = "results/data/{dataset}/label_issues.csv"  # on request
LABEL_ISSUES_FIGURE = "results/data/{dataset}/label_issues.png"
LOCK = "config/locks/{dataset}.json"

# What runs share.
WEIGHTS = "results/weights/{backbone}.weights.h5"
FEATURES = "results/features/{dataset}/{features}.npy"
TEST_VIEWS = "results/features/{dataset}/views/{views}.npy"  # of photos that are judged, where a recipe averages
STATES = "results/state"  # of killed trainings
BENCHMARKS = "results/benchmarks"

# A run.
RUN = "results/runs/{run}"
MODEL_OF_STAGE = "results/runs/{run}/fold{fold}/{stage}/model.keras"
HISTORY = "results/runs/{run}/fold{fold}/{stage}/history.csv"
RAW_PREDICTIONS = "results/runs/{run}/raw_predictions.csv"
FEATURES_OF_RUN = "results/runs/{run}/features{shard}.npz"  # shard: empty, or -i-of-n
PREDICTIONS = "results/runs/{run}/predictions.csv"
EVALUATION = "results/runs/{run}/evaluation.csv"
PER_CLASS = "results/runs/{run}/per_class.csv"
SIGNIFICANCE = "results/runs/{run}/significance.csv"
CALIBRATION = "results/runs/{run}/calibration.json"
PROVENANCE = "results/runs/{run}/provenance.json"
UNLABELLED_PREDICTIONS = "results/runs/{run}/unlabelled_predictions.csv"  # where photos without a label are kept
SUBMISSION = "results/runs/{run}/submission.csv"  # on request
MODEL_CARD = "results/runs/{run}/MODEL_CARD.md"
MODEL = "results/runs/{run}/model.keras"
EXPORT = "results/runs/{run}/exports/{export}"
EXPORT_ROW = "results/runs/{run}/exports/{export}.csv"
EXPORTS = "results/runs/{run}/exports.csv"
EXPORTS_CARD = "results/runs/{run}/exports/MODEL_CARD.md"
FIGURE = "results/runs/{run}/figures/{figure}.{format}"
REPORT_FIGURE = "results/runs/{run}/figures/report/{figure}.{format}"
FAILED_FIGURES = "results/runs/{run}/figures/failed.json"

# Sweeps and the table of networks.
RANKING = "results/sweeps/{sweep}.csv"
TIMING = "results/networks/{backbone}.json"
MODEL_TABLE = "results/model_table/table.csv"
MODEL_TABLE_FINETUNED = "results/model_table/finetuned.csv"

# All runs together.
COMPARISON = "results/comparison.csv"
COMPARISON_SIGNIFICANCE = "results/comparison_significance.csv"
FIGURE_OF_ALL = "results/{figure}.{format}"
SUMMARY = "results/summary.html"
REPORT = "results/report.html"


def device_of_features(features: Path) -> Path:
    """Return where it stands on which device, with how many threads, features were computed.

    >>> device_of_features(Path("results/features/photos/key.npy")).name
    'key.device.json'
    """
    return features.with_name(f"{features.stem}.device.json")


def log(rule: str, name: str = "") -> str:
    """Return the pattern of a rule's log.

    >>> log("predict", "{run}"), log("compare_runs")
    ('results/logs/predict/{run}.log', 'results/logs/compare_runs.log')
    """
    return f"{RESULTS}/logs/{rule}/{name}.log" if name else f"{RESULTS}/logs/{rule}.log"


def benchmark(rule: str, name: str) -> str:
    """Return the pattern of a rule's seconds and memory.

    >>> benchmark("predict", "{run}")
    'results/benchmarks/predict/{run}.tsv'
    """
    return f"{BENCHMARKS}/{rule}/{name}.tsv"


def below(results: Path, pattern: str, **wildcards: object) -> Path:
    """Return a path in a folder of results that may lie anywhere.

    >>> below(Path("elsewhere"), SPLIT, dataset="photos").as_posix()
    'elsewhere/data/photos/split.csv'
    """
    return results / pattern.removeprefix(f"{RESULTS}/").format(**wildcards)


def wildcards_of(pattern: str, path: str | Path) -> dict[str, str]:
    """Return the wildcards that a path gives a pattern; nothing if it does not fit, wherever its results lie.

    >>> wildcards_of(MODEL_OF_STAGE, "elsewhere/runs/lesson/fold0/head/model.keras")
    {'run': 'lesson', 'fold': '0', 'stage': 'head'}
    >>> wildcards_of(MODEL_OF_STAGE, "model.keras")
    {}
    """
    kinds = {"fold": r"\d+", "stage": "|".join(STAGES)}
    parts = re.split(r"\{(\w+)\}", pattern.removeprefix(f"{RESULTS}/"))
    text = "".join(
        f"(?P<{part}>{kinds.get(part, '[^/]+')})" if number % 2 else re.escape(part)
        for number, part in enumerate(parts)
    )
    found = re.fullmatch(rf"(?:.*/)?{text}", Path(path).as_posix())
    return found.groupdict() if found else {}
