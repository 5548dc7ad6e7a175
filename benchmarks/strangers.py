"""How well photos unlike the training photos are told: AUROC and false alarms, on real sets of photos, both ways.

    KERAS_HOME=folder python benchmarks/strangers.py --data ../shared/data
    KERAS_HOME=folder python benchmarks/strangers.py --more      # what was tried beside them, and not kept
    python benchmarks/strangers.py --data ../shared/data --run results/runs/mine      # a run's own model

Each set is at home in turn, and the others are strangers. At home, five fifths judge in turn: what tells strangers is
fitted to the other four, and its threshold set on them alone, as `evaluate` does where no photos choose. So each photo
at home is judged once. AUROC is the mean over the fifths of the chance that a stranger lies farther off than a photo at
home that trained nothing; its interval resamples the photos of both sets. False alarms are photos at home that are
called unlike, with Wilson's interval; `told` is the share of strangers that are. Features are the pretrained network's.

With --run, the photos that judged the run are at home, and the threshold is the one in its model file.
"""

import argparse
import functools
import hashlib
import io
import itertools
import os
import sys
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np

import timing
from chain import SCRIPTS

sys.path.insert(0, str(SCRIPTS))
SETS = {"flowers": "flowers5.zip", "ants and bees": "hymenoptera.zip", "urban": "urban-and-rural-photos.zip"}
SIZE = 224
FIFTHS = 5
RESAMPLES = 1000
Fit = Callable[
    [np.ndarray, np.ndarray], Callable[[np.ndarray], np.ndarray]
]  # features, labels to distances of features


def main() -> None:
    arguments = parsed()
    with ProcessPoolExecutor(arguments.threads) as pool:
        photos = {name: read_set(arguments.data / file, pool) for name, file in SETS.items()}

    from graft.machine import runtime

    runtime.start(seed=0, threads=arguments.threads)
    rows = of_run(arguments, photos) if arguments.run else of_sets(arguments, photos)
    timing.report(rows, arguments.output)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="the folder of the zip files")
    parser.add_argument("--run", type=Path, help="a run's folder, whose model is asked instead")
    parser.add_argument("--home", choices=SETS, help="with --run: the set that it was trained on, which is left out")
    parser.add_argument("--networks", nargs="+", default=["MobileNet:0.25", "MobileNetV2:0.35"], metavar="NAME:ALPHA")
    parser.add_argument("--more", action="store_true", help="other ways: scores of a classifier, more layers")
    parser.add_argument("--rate", type=float, default=0.05, help="of false alarms that is asked for; default 0.05")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path, default=timing.RESULTS / "strangers.csv")
    return parser.parse_args()


# ---------------------------------------------------------------------------------------------------- photos


def read_set(path: Path, pool: ProcessPoolExecutor) -> SimpleNamespace:
    """Return the photos of a zip, a class a folder, each of those with the same bytes once."""
    with zipfile.ZipFile(path) as archive:
        names = sorted(name for name in archive.namelist() if name.lower().endswith((".jpg", ".jpeg", ".png")))
        by_digest = {hashlib.sha256(archive.read(name)).hexdigest(): name for name in reversed(names)}
    kept = sorted(by_digest.values())
    pixels = list(pool.map(functools.partial(square_in, path), kept, chunksize=16))
    return SimpleNamespace(pixels=np.stack(pixels), labels=np.array([name.split("/")[-2] for name in kept]))


def square_in(path: Path, name: str, size: int = SIZE) -> np.ndarray:
    """Return one photo of a zip as the network gets it."""
    from graft.data.pictures import squared, upright_rgb

    with zipfile.ZipFile(path) as archive:
        return np.asarray(squared(upright_rgb(io.BytesIO(archive.read(name)), 2 * size), size, "squash"))


# ------------------------------------------------------------------------------------------ ways to tell strangers


def mahalanobis(features: np.ndarray, labels: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return Graft's distance."""
    from graft.judging.strangers import fit

    return fit(features, labels).distances


def nearest(k: int) -> Fit:
    """Return the distance to the k-th nearest training photo, features of length 1.

    Source: Sun et al., "Out-of-Distribution Detection with Deep Nearest Neighbors", ICML 2022.
    """

    def fitted(features: np.ndarray, labels: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        from graft.predicting.likeness import of_length_1

        known = of_length_1(features)
        return lambda asked: np.sort(1 - of_length_1(asked) @ known.T, axis=1)[:, k - 1]

    return fitted


def residual(features: np.ndarray, labels: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return how far features of length 1 lie outside the directions that hold nine tenths of the spread.

    Source: Wang et al., "ViM: Out-Of-Distribution with Virtual-logit Matching", CVPR 2022, its residual.
    """
    from graft.predicting.likeness import of_length_1

    known = of_length_1(features)
    mean = known.mean(axis=0)
    _, lengths, axes = np.linalg.svd(known - mean, full_matrices=False)
    spread = np.cumsum(lengths**2) / np.sum(lengths**2)
    kept = axes[: int(np.searchsorted(spread, 0.9)) + 1]

    def outside(asked: np.ndarray) -> np.ndarray:
        centred = of_length_1(asked) - mean
        return np.linalg.norm(centred - centred @ kept.T @ kept, axis=1) + 1  # above 0, as a threshold divides it

    return outside


def energy(features: np.ndarray, labels: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return the energy of a logistic regression's answers: how little evidence for any class it finds.

    Source: Liu et al., "Energy-based Out-of-distribution Detection", NeurIPS 2020.
    """
    from scipy.special import logsumexp
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=2000)).fit(features, labels)

    def little(asked: np.ndarray) -> np.ndarray:
        logits = model.decision_function(asked)
        logits = np.stack([-logits / 2, logits / 2], axis=1) if logits.ndim == 1 else logits
        return 1000 - logsumexp(logits, axis=1)  # above 0, as a threshold divides it

    return little


WAYS = {"Mahalanobis": mahalanobis} | {f"{k} nearest": nearest(k) for k in (1, 5, 20)}
MORE = {"residual": residual, "energy": energy}
MORE_OF_LAYERS = {"Mahalanobis, three layers": mahalanobis, "5 nearest, three layers": nearest(5)}
LAYERS = {  # beside the last one
    "MobileNet": ("conv_pw_5_relu", "conv_pw_11_relu"),
    "MobileNetV2": ("block_6_expand_relu", "block_13_expand_relu"),
}


# ------------------------------------------------------------------------------------------------------- measuring


def of_sets(arguments: argparse.Namespace, photos: dict[str, SimpleNamespace]) -> list[dict]:
    """Return the table of pretrained networks: a row a network, way, and ordered pair of sets."""
    rows = []
    asked = [(False, MORE), (True, MORE_OF_LAYERS)] if arguments.more else [(False, WAYS)]
    for network, (deep, ways) in itertools.product(arguments.networks, asked):
        layers = LAYERS[network.partition(":")[0]] if deep else ()
        features = {name: embedded(network, one.pixels, layers) for name, one in photos.items()}
        for home, one in photos.items():
            for way, fit in ways.items():
                strangers = {name: features[name] for name in photos if name != home}
                judged = judge(features[home], one.labels, strangers, fit, arguments.rate)
                rows += [{"network": network, "way": way, "home": home} | row for row in judged]
                print(timing.table_of(rows[-len(judged) :]), flush=True)
    return rows


def embedded(network: str, pixels: np.ndarray, layers: Sequence[str] = ()) -> np.ndarray:
    """Return the pooled features of a pretrained network, and before them those of more layers, each of length 1."""
    import keras

    from graft.network.assembly import embedder
    from graft.predicting.likeness import of_length_1

    name, _, alpha = network.partition(":")
    backbone = getattr(keras.applications, name)(alpha=float(alpha), include_top=False, input_shape=(SIZE, SIZE, 3))
    parts = [keras.Model(backbone.input, backbone.get_layer(name).output) for name in layers]
    found = [embedder(part, "tf", "avg").predict(pixels.astype(np.float32), verbose=0) for part in [*parts, backbone]]
    return np.hstack([of_length_1(part) for part in found]) if layers else found[0]


def judge(
    home: np.ndarray, labels: np.ndarray, strangers: dict[str, np.ndarray], fit: Fit, rate: float
) -> list[dict[str, object]]:
    """Return, for each set of strangers, how well it is told from the photos at home."""
    from sklearn.model_selection import KFold, StratifiedKFold

    from graft.judging.strangers import FOLDS, threshold_of

    own, far = np.zeros(len(home)), {name: [] for name in strangers}
    fold_of = np.zeros(len(home), int)
    for number, (train, held) in enumerate(StratifiedKFold(FIFTHS, shuffle=True, random_state=0).split(home, labels)):
        inner = np.zeros(len(train))
        for part, left in KFold(FOLDS, shuffle=True, random_state=1).split(train):
            inner[left] = fit(home[train[part]], labels[train[part]])(home[train[left]])
        threshold = threshold_of(inner, rate) or np.inf
        distance = fit(home[train], labels[train])
        own[held], fold_of[held] = distance(home[held]) / threshold, number
        for name, features in strangers.items():
            far[name].append(distance(features) / threshold)
    return [row_of(own, fold_of, np.stack(of_set), name) for name, of_set in far.items()]


def row_of(own: np.ndarray, fold_of: np.ndarray, far: np.ndarray, name: str) -> dict[str, object]:
    """Return the numbers of one pair of sets.

    Args:
        own: (n,), distances at home, in thresholds; fold_of: (n,), which fit made each.
        far: (n_fits, n_strangers), distances of the strangers by each fit.
        name: of the strangers.
    """
    from graft.judging.metrics import accuracy_interval

    alarms, rng = int((own > 1).sum()), np.random.default_rng(0)
    low, high = accuracy_interval(alarms, len(own))
    drawn = []
    for _ in range(RESAMPLES):
        at_home, away = rng.integers(0, len(own), len(own)), rng.integers(0, far.shape[1], far.shape[1])
        drawn.append(auroc(own[at_home], fold_of[at_home], far[:, away]))
    least, most = np.percentile(drawn, [2.5, 97.5])
    return {
        "strangers": name,
        "auroc": f"{auroc(own, fold_of, far):.3f} ({least:.3f} to {most:.3f})",
        "false_alarms": f"{alarms} of {len(own)}",
        "rate": f"{alarms / len(own):.3f} ({low:.3f} to {high:.3f})",
        "told": f"{(far > 1).mean():.3f}",
    }


def auroc(own: np.ndarray, fold_of: np.ndarray, far: np.ndarray) -> float:
    """Return the mean over fits of the chance that a stranger lies farther off than a photo at home."""
    values = []
    for number, of_fit in enumerate(far):
        here = np.sort(own[fold_of == number])
        if len(here):
            below, upto = (np.searchsorted(here, of_fit, side) for side in ("left", "right"))
            values.append(((below + upto) / 2 / len(here)).mean())
    return float(np.mean(values))


def of_run(arguments: argparse.Namespace, photos: dict[str, SimpleNamespace]) -> list[dict]:
    """Return the table of a run's model: a row a set of strangers."""
    from graft.judging.outcomes import judging_role
    from graft.judging.strangers import in_words
    from graft.predicting.classify import load_classifier
    from graft.predicting.run_features import read_features

    model, facts, likeness = load_classifier(arguments.run / "model.keras")
    rows, features = read_features(sorted(arguments.run.glob("features*.npz")))
    print(in_words(facts["unlike"]))
    judged = (rows["role"] == judging_role(rows["role"])).to_numpy()
    own = likeness.distances(features[judged]) / facts["unlike"]["threshold"]
    table = []
    for name, one in photos.items():
        if name != arguments.home:
            _, theirs = model.predict(one.pixels.astype(np.float32), verbose=0)
            far = likeness.distances(theirs)[None] / facts["unlike"]["threshold"]
            table.append({"run": arguments.run.name} | row_of(own, np.zeros(len(own), int), far, name))
    return table


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    main()
