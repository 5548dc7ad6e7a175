"""All models of a run, asked one after the other about the photos of their folds."""

from pathlib import Path

import keras
import numpy as np
import pandas as pd

from graft.config.experiment import PredictSettings
from graft.data.label_sets import COLUMN
from graft.data.selection import photos_to_predict
from graft.data.shards import rows_of_shard
from graft.errors import UserError
from graft.network.features_of import with_features
from graft.network.forms import in_prediction_form
from graft.network.model_file import load_model, place_of, published_of
from graft.predicting.averaging import is_cached, logits_from_cache
from graft.predicting.label_predictions import label_predictions_table
from graft.predicting.predictions import predict_outputs, predictions_table
from graft.predicting.run_features import training_sample


def predict_run(
    models: list[Path],
    pixels: np.ndarray,
    paths: pd.Series,
    split: pd.DataFrame,
    settings: PredictSettings,
    shard: str,
    tag: str,
    viewed: np.ndarray | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    """Return the rows of raw_predictions.csv: stage by stage in the order of `models`, fold by fold; and features.

    The features are those that the published model's head gets of the photos that it is asked about, and of some that
    trained it.

    Args:
        models: model.keras of every fold and stage, in the folders that name these.
        pixels: (n_photos, size, size, 3), uint8; may lie on disk.
        paths: (n_photos,), the photos' names, in the order of the pixels.
        split: split.csv, all folds.
        settings: whose predictions are wanted.
        shard: i-of-n, the part of each fold's photos that is asked about.
        tag: for the lines of progress.
        viewed: (views - 1, n_photos, n_features), the cached features of test-time views, for the head's stage.

    Returns: the rows; the photos that have features, and these, (n_photos, n_features).
    Raises: UserError if two models have different classes, or a fold has no photo of the wanted roles.
    """
    tables, classes, published = [], None, published_of(models)
    described, features = pd.DataFrame(), np.zeros((0, 0))
    for path in models:
        place = place_of(path)
        asked = part_of(photos_to_predict(split, place["fold"], settings), shard)
        model, facts = load_model(path)
        if facts["classes"] != (classes or facts["classes"]):
            raise UserError(f"{path} has other classes than {models[0]}: delete both and run again")
        classes = facts["classes"]
        tag_of_model = f"{tag}, fold {place['fold']}, {place['stage']}"
        rows = pd.Index(paths).get_indexer(asked["path"])
        form = in_prediction_form(model) if settings.fast_path else model
        cached = place["stage"] == "head" and viewed is not None and is_cached(viewed, rows)
        views = None if cached else settings.test_views
        form = with_features(form) if path == published else form
        logits, *own_features = predict_outputs(form, pixels, rows, tag_of_model, views)
        if path == published:
            sample = part_of(training_sample(split, place["fold"], settings.choosing), shard)
            described = pd.concat([asked, sample], ignore_index=True)
            sampled = pd.Index(paths).get_indexer(sample["path"])  # apart, and without views: they need none
            more = predict_outputs(form, pixels, sampled, f"{tag_of_model}, features")[1]
            features = np.concatenate([*own_features, more])
        if cached and viewed is not None:
            logits = logits_from_cache(model, logits, viewed, rows)
        several = COLUMN in asked
        tabulate = label_predictions_table if several else predictions_table
        table = tabulate(asked, logits, classes, place["stage"])
        right = table["predicted"] == table[COLUMN if several else "label"]
        print(f"{tag_of_model}: {int(right.sum())} of {len(table)} right", flush=True)
        tables.append(table)
        del model
        keras.backend.clear_session()  # the memory of one network at a time
    return pd.concat(tables, ignore_index=True), described, features


def part_of(photos: pd.DataFrame, shard: str) -> pd.DataFrame:
    """Return a shard's part of some photos."""
    part = rows_of_shard(shard, len(photos))
    return photos.iloc[part.start : part.stop]
