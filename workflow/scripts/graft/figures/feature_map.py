"""The photos in the space of the frozen backbone's features, laid on a plane."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from graft.config.figures import FeatureMap
from graft.errors import UserError
from graft.figures.judged import judged, role_of, stages_of
from graft.figures.names import class_labels
from graft.figures.style import ROLE_NAMES, STAGE_NAMES, canvas, class_look, photos
from graft.judging.outcomes import classes_of, indices
from graft.storage.arrays import open_array

NAMED = 40  # classes whose looks can be told apart; of more, those with most mistakes
ROUNDS = 12  # of subspace iteration: the first two directions are then exact to far more digits than a dot shows


def clean_features(path: str | Path) -> np.ndarray:
    """Return (n_photos, n_features), still on disk: the first view, which is the photo as it is.

    Raises: UserError if the file holds no features of photos.
    """
    views = open_array(path)
    if views.ndim != 3:
        raise UserError(f"{path} has shape {views.shape}; features are (views, photos, features)")
    return views[0]


def principal(features: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return each photo's place along the two directions of most variance, (n, 2), and their shares of it, (2,).

    Subspace iteration (Halko, Martinsson and Tropp, SIAM Review 2011, algorithm 4.4): a hundred times faster than
    a full decomposition of 2,048 features. The sign is fixed: a direction's largest part is positive.

    >>> places, shares = principal(np.array([[2.0, 0, 0], [-2.0, 0, 0], [0, 1.0, 0], [0, -1.0, 0]]))
    >>> np.abs(places).round(6).tolist(), shares.round(3).tolist()
    ([[2.0, 0.0], [2.0, 0.0], [0.0, 1.0], [0.0, 1.0]], [0.8, 0.2])
    """
    centred = features - features.mean(axis=0)
    start = np.random.default_rng(seed).normal(size=(centred.shape[1], 12)).astype(centred.dtype)
    basis, _ = np.linalg.qr(start)
    for _ in range(ROUNDS):
        basis, _ = np.linalg.qr(centred.T @ (centred @ basis))
    within = centred @ basis
    _, lengths, turn = np.linalg.svd(within, full_matrices=False)
    directions = basis @ turn[:2].T
    largest = directions[np.abs(directions).argmax(axis=0), np.arange(directions.shape[1])]
    places = np.zeros((len(features), 2))
    places[:, : directions.shape[1]] = centred @ (directions * np.where(largest < 0, -1, 1))
    total = float(np.square(centred).sum()) or 1.0
    shares = np.zeros(2)
    shares[: len(lengths[:2])] = lengths[:2] ** 2 / total
    return places, shares


def neighbours(features: np.ndarray, perplexity: float, seed: int) -> np.ndarray:
    """Return each photo's place on scikit-learn's t-SNE map, (n, 2)."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    few = PCA(min(50, *features.shape), random_state=seed).fit_transform(features)
    perplexity = min(perplexity, max(1.0, (len(features) - 1) / 3))
    return TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(few)


def marks(paths: pd.Series, rows: pd.DataFrame) -> np.ndarray:
    """Return for each path "" (not judged), "right" or "wrong" (in any fold).

    >>> rows = pd.DataFrame({"path": ["a", "b"], "label": ["x", "x"], "predicted": ["x", "y"]})
    >>> marks(pd.Series(["a", "b", "c"]), rows).tolist()
    ['right', 'wrong', '']
    """
    wrong = set(rows["path"][rows["label"] != rows["predicted"]])
    known = set(rows["path"])
    return np.array(["wrong" if path in wrong else "right" if path in known else "" for path in paths], object)


def draw(
    features: np.ndarray, manifest: pd.DataFrame, predictions: pd.DataFrame, settings: FeatureMap, run: str
) -> Figure:
    """Return the map: a dot per photo in its class's colour and shape, the last stage's mistakes crossed and ringed."""
    check_features(features, manifest)
    classes, stage = classes_of(predictions), stages_of(predictions)[-1]
    kept = few(np.flatnonzero(manifest["label"].isin(classes)), settings)
    table = manifest.iloc[kept]
    mark = marks(table["path"], judged(predictions, stage))
    labels = indices(table["label"], classes)
    every_name = class_labels(classes, 22)
    named = named_classes(labels, mark, len(classes))
    title = None
    if len(named) < len(classes):
        title = f"the {len(named)} classes with most mistakes; grey: {len(classes) - len(named):,} others"
    kinds = Kinds(labels, named, [every_name[number] for number in named], title)
    wrong = mistakes_phrase(mark == "wrong", stage, predictions)
    return mapped(np.asarray(features[kept], np.float32), kinds, mark, wrong, settings, run)


@dataclass(frozen=True)
class Kinds:
    """What gives the dots of a map their colours.

    Attributes:
        of_photo: (n,) int: each photo's kind.
        named: the kinds that have a colour and a name; the others are grey.
        names: of these.
        title: of the legend; None where every kind is named.
    """

    of_photo: np.ndarray
    named: list[int]
    names: list[str]
    title: str | None


def check_features(features: np.ndarray, manifest: pd.DataFrame) -> None:
    """Refuse features of other photos than the manifest's."""
    if len(features) != len(manifest):
        raise UserError(f"there are features of {len(features)} photos, but the manifest has {len(manifest)}")


def few(kept: np.ndarray, settings: FeatureMap) -> np.ndarray:
    """Return the places of the photos that are drawn: all, or a sample of many."""
    if len(kept) <= settings.photos:
        return kept
    return np.sort(np.random.default_rng(settings.seed).permutation(kept)[: settings.photos])


def mapped(
    features: np.ndarray, kinds: Kinds, mark: np.ndarray, wrong_in_words: str, settings: FeatureMap, run: str
) -> Figure:
    """Return a map of photos.

    Args:
        features: (n, n_features), float32.
        kinds: what colours the dots.
        mark: (n,) object: "" (not judged), "right" or "wrong".
        wrong_in_words: whose mistakes are marked, and how many.
        settings: how the photos are laid on the plane.
        run: its name, for the title.
    """
    labels, named, names = kinds.of_photo, kinds.named, kinds.names
    places, axis_names = placed(features, settings)
    across = 1 + (len(names) - 1) // 20
    figure = canvas(5.8 + 2.1 * across, max(4.6, 0.19 * min(len(names), 20) + 1.5), [run, *names])
    axes = figure.subplots()
    size = ring = float(np.clip(6000 / len(features), 5, 36))
    x, y = places.T
    others = ~np.isin(labels, named)
    axes.scatter(x[others], y[others], s=size * 0.7, alpha=0.5, lw=0, color="#BBBBBB", marker="o")
    size *= 3 if others.any() else 1  # few dots of many, which must be found
    for position, number in enumerate(named):
        look = class_look(position)
        for judged_here, alpha in ((False, 0.35), (True, 0.95)):
            here = (labels == number) & ((mark != "") == judged_here)
            axes.scatter(x[here], y[here], s=size * (1.3 if judged_here else 0.7), alpha=alpha, lw=0, **plain(look))
    wrong = mark == "wrong"
    axes.scatter(x[wrong], y[wrong], s=ring * 3.5, facecolors="none", edgecolors="black", lw=1, zorder=4)
    axes.scatter(x[wrong], y[wrong], s=ring, marker="x", color="black", lw=1, zorder=5)
    axes.set_xlabel(axis_names[0])
    axes.set_ylabel(axis_names[1])
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(f"{photos(len(features))}; faint: not judged; ringed cross: {wrong_in_words}", size=9)
    figure.suptitle(f"{run}: the space of the backbone's features", x=0.01, ha="left")
    handles = [Line2D([], [], ls="none", ms=6, **class_look(position)) for position in range(len(named))]
    figure.legend(handles, names, loc="outside right center", ncols=across, title=kinds.title, title_fontsize=8)
    return figure


def named_classes(labels: np.ndarray, mark: np.ndarray, n_classes: int) -> list[int]:
    """Return the classes that have a colour and a name, in class order: all, or those with most marked mistakes.

    >>> named_classes(np.array([0, 1, 2]), np.array(["right", "wrong", ""]), 3)
    [0, 1, 2]
    """
    if n_classes <= NAMED:
        return list(range(n_classes))
    mistakes = np.bincount(labels[mark == "wrong"], minlength=n_classes)
    return sorted(np.argsort(-mistakes, kind="stable")[: NAMED // 2].tolist())


def mistakes_phrase(wrong: np.ndarray, stage: str, predictions: pd.DataFrame) -> str:
    """Say whose mistakes are marked, and how many."""
    kind = ROLE_NAMES[role_of(predictions)]
    return f"{STAGE_NAMES[stage]} model's {kind} mistake{'' if wrong.sum() == 1 else 's'} ({int(wrong.sum())})"


def placed(features: np.ndarray, settings: FeatureMap) -> tuple[np.ndarray, tuple[str, str]]:
    """Return the photos' places, (n, 2), and what the axes are called."""
    if settings.method == "tsne" and len(features) > 3:
        return neighbours(features, settings.perplexity, settings.seed), ("t-SNE, first axis", "t-SNE, second axis")
    places, shares = principal(features)
    first, second = (f"principal component ({share:.0%} of variance)" for share in shares)
    return places, (f"first {first}", f"second {second}")


def plain(look: dict[str, Any]) -> dict[str, Any]:
    """Return a look as `scatter` takes it."""
    return {"color": look["color"], "marker": look["marker"]}
