"""Where in a photo the model looked: Grad-CAM over right and wrong examples of each class.

Source: Selvaraju et al., "Grad-CAM", ICCV 2017, section 3. Only `maps_of_folds` and what it calls load a framework.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from graft.config.figures import GradCam
from graft.errors import UserError
from graft.figures.judged import also_chose, judged, role_of, stages_of
from graft.figures.names import class_labels, photo_label
from graft.figures.photos import Tile, tiled
from graft.figures.style import ROLE_NAMES, STAGE_NAMES, message_figure
from graft.figures.token_maps import as_maps, split_at_tokens
from graft.judging.outcomes import outcomes_of

if TYPE_CHECKING:
    import keras

BATCH = 16
NO_PLACE = "This backbone makes no feature map of a photo,\nso there is no place that it looks at."
NOTE = "bright: raised the logit of the answer   ·   ✓ solid frame: right   ·   ✗ dashed frame: wrong"


def chosen(predictions: pd.DataFrame, settings: GradCam) -> pd.DataFrame:
    """Return the examples, right before wrong within each class, classes in their order.

    Where there are more classes than may be shown, those with the most mistakes are.
    """
    rows = judged(predictions, stages_of(predictions)[-1])
    outcomes = outcomes_of(rows)
    return rows.iloc[picked(outcomes.labels, outcomes.correct, settings)].reset_index(drop=True)


def picked(kinds: np.ndarray, right: np.ndarray, settings: GradCam) -> list[int]:
    """Return the places of the examples: of each kind, right ones before wrong ones.

    Args:
        kinds: (n,) int: each photo's class, or the label that it stands for.
        right: (n,) bool: whether the answer is right.
        settings: how many examples of how many kinds; of more, those with the most mistakes.
    """
    present = np.unique(kinds).tolist()
    present.sort(key=lambda number: -np.count_nonzero(~right & (kinds == number)))
    drawn = np.random.default_rng(settings.seed).permutation(len(kinds))
    places: list[int] = []
    for number in sorted(present[: settings.classes]):
        for verdict in (True, False):
            fitting = [place for place in drawn if kinds[place] == number and right[place] == verdict]
            places += sorted(fitting[: settings.examples])
    return places


def places_of(rows: pd.DataFrame, manifest: pd.DataFrame) -> np.ndarray:
    """Return each row's place in the manifest, and so in the pixels.

    Raises: UserError if the manifest lacks a photo.
    """
    places = pd.Index(manifest["path"]).get_indexer(rows["path"])
    if (places < 0).any():
        raise UserError(f"the manifest lacks {rows['path'].iloc[int(np.argmin(places))]}, which was predicted")
    return places


def maps_of_folds(
    models: Sequence[str | Path], pixels: np.ndarray, rows: pd.DataFrame, answers: np.ndarray
) -> np.ndarray | None:
    """Return a heat map per row, (n, height, width) from 0 to 1; None if the backbone makes no feature map.

    Args:
        models: model.keras of each fold, in order.
        pixels: (n, size, size, 3) uint8, the rows' photos.
        rows: the examples; each is shown to the model of its own fold, which was not trained on it.
        answers: (n,) int: the class, or the label, whose logit the heat raised.
    """
    from graft.network.model_file import load_model

    maps: list[np.ndarray] = [np.zeros(0)] * len(rows)
    for fold in sorted(set(rows["fold"])):
        model, facts = load_model(models[int(fold)])
        tokens = facts.get("tokens")  # of a transformer
        split = split_at_tokens(model) if tokens else split_at_feature_map(model)
        if split is None:
            return None
        places = np.flatnonzero(rows["fold"] == fold)
        of_fold = answers[places]
        for start in range(0, len(places), BATCH):
            part = slice(start, start + BATCH)
            heats = heat_of(*split, pixels[places[part]], of_fold[part], tokens)
            for place, heat in zip(places[part], heats, strict=True):
                maps[place] = heat
    return np.stack(maps)


def split_at_feature_map(model: "keras.Model") -> tuple["keras.Model", "keras.Model"] | None:
    """Return the model up to the backbone's last feature map and the model from there to the logits.

    None for the baselines, which have no weights and look at no place in particular.
    """
    import keras

    from graft.network.assembly import parts_of

    backbone, _ = parts_of(model)
    if not backbone.weights or len(backbone.output_shape) != 4 or min(backbone.output_shape[1:3]) < 2:
        return None
    pooling = model.layers[model.layers.index(backbone) + 1]
    features = pooling.input
    return keras.Model(model.input, features), keras.Model(features, model.output)


def heat_of(
    lower: "keras.Model",
    upper: "keras.Model",
    pixels: np.ndarray,
    answers: np.ndarray,
    tokens: dict[str, int] | None = None,
) -> np.ndarray:
    """Return (n, height, width), 0 to 1: the feature map's channels, weighted by how they raise the answer's logit.

    Of a transformer, `tokens` says how its tokens make a map.
    """
    features = lower(np.asarray(pixels, np.float32), training=False)
    slopes = slopes_of(upper, features, answers)
    if tokens:
        return heat_from(as_maps(features, tokens), as_maps(slopes, tokens))
    return heat_from(np.asarray(features, np.float32), np.asarray(slopes, np.float32))


def heat_from(features: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """Return Grad-CAM of feature maps and the gradients at them, both (n, height, width, channels).

    >>> features = np.array([[[[1.0, 0], [0, 2.0]]]])
    >>> heat_from(features, np.array([[[[1.0, -1.0], [1.0, -1.0]]]])).tolist()
    [[[1.0, 0.0]]]
    """
    weights = slopes.mean(axis=(1, 2), keepdims=True)
    heat = np.maximum((features * weights).sum(axis=-1), 0)
    return heat / np.maximum(heat.max(axis=(1, 2), keepdims=True), 1e-12)


def signs_of(answers: np.ndarray, outputs: int) -> np.ndarray:
    """Return (n, outputs): what the logits are multiplied by so that their sum is the answer's logit.

    >>> signs_of(np.array([0, 1]), 1).tolist(), signs_of(np.array([2]), 3).tolist()
    ([[-1.0], [1.0]], [[0.0, 0.0, 1.0]])
    """
    if outputs == 1:  # the second class's logit; the first's is its opposite
        return np.where(answers == 1, 1.0, -1.0)[:, None].astype(np.float32)
    return np.eye(outputs, dtype=np.float32)[answers]


def slopes_of(upper: "keras.Model", features: "keras.KerasTensor", answers: np.ndarray) -> "keras.KerasTensor":
    """Return the gradient of each answer's logit at the feature map."""
    import keras

    signs = signs_of(answers, upper.output_shape[-1])
    if keras.backend.backend() == "jax":
        import jax

        weights = ([v.value for v in upper.trainable_variables], [v.value for v in upper.non_trainable_variables])
        return jax.grad(lambda x: (upper.stateless_call(*weights, x, training=False)[0] * signs).sum())(features)
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(features)
        score = tf.reduce_sum(tf.cast(upper(features, training=False), tf.float32) * signs)
    return tape.gradient(score, features)


def overlay(photo: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Return a photo (size, size, 3) uint8, dark and grey where the heat is low, bright and tinted where it is high."""
    size = (photo.shape[1], photo.shape[0])
    wide = Image.fromarray(heat.astype(np.float32)).resize(size, Image.Resampling.BICUBIC)
    warmth = np.clip(np.asarray(wide), 0, 1)[..., None]
    grey = photo.mean(axis=-1, keepdims=True)
    tint = matplotlib.colormaps["inferno"](warmth[..., 0])[..., :3] * 255
    return (0.55 * (grey + warmth * (photo - grey)) + 0.45 * tint).clip(0, 255).astype(np.uint8)


def draw(rows: pd.DataFrame, pixels: np.ndarray, maps: np.ndarray | None, run: str) -> Figure:
    """Return a row per class: right examples, then wrong ones; words where the backbone makes no feature map."""
    stage = STAGE_NAMES[rows["stage"].iloc[0]]
    title = f"{run}, {stage}: where it looks in {ROLE_NAMES[role_of(rows)]} photos{also_chose(rows)}"
    if maps is None:
        return message_figure(title, NO_PLACE)
    outcomes = outcomes_of(rows)
    names = class_labels(outcomes.classes, 18)
    truth, answer, confidence = outcomes.labels, outcomes.predicted, outcomes.confidence
    tiles = [
        Tile(
            photo=overlay(pixels[row], maps[row]),
            lines=(
                f"{names[answer[row]]} {confidence[row]:.2f}",
                f"truth: {names[truth[row]]}",
                photo_label(outcomes.paths[row]),
            ),
            right=bool(outcomes.correct[row]),
        )
        for row in range(len(rows))
    ]
    grid, columns = in_rows(tiles, truth)
    headings = {row: names[number] for row, number in enumerate(dict.fromkeys(truth.tolist()))}
    return tiled(title, grid, columns, note=NOTE, headings=headings)


def in_rows(tiles: list[Tile], truth: np.ndarray) -> tuple[list[Tile | None], int]:
    """Return the tiles in a row per class, gaps as None, and the columns; wrong ones start in the same column."""
    rows = {number: [tile for tile, of in zip(tiles, truth, strict=True) if of == number] for number in truth.tolist()}
    wide = {right: max(sum(tile.right == right for tile in row) for row in rows.values()) for right in (True, False)}
    grid: list[Tile | None] = []
    for row in rows.values():
        for right, width in wide.items():
            part = [tile for tile in row if tile.right == right]
            grid += [*part, *([None] * (width - len(part)))]
    return grid, sum(wide.values())
