"""A run as the chain leaves it for `export_model`, without any training: a small random network on drawn photos."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from graft.config.backbone import Backbone
from graft.config.recipe import Head
from graft.judging import multilabel
from graft.judging.calibration import Calibrator, apply
from graft.judging.multilabel_calibration import LabelCalibrator
from graft.judging.multilabel_calibration import apply as apply_to_labels
from graft.judging.strangers import fit
from graft.network.assembly import assemble
from graft.network.backbones import build_backbone
from graft.network.features_of import with_features
from graft.network.head import build_head
from graft.network.model_file import copy_model, load_model, save_model
from graft.predicting.label_predictions import label_predictions_table
from graft.predicting.likeness import MEMBER
from graft.predicting.predictions import predict_logits, predict_outputs, predictions_table
from graft.storage.files import read_table, write_table
from networks import lively
from places import ROOT

CLASSES = ("rural", "urban")
SIZE, TRAINED, JUDGED = 32, 12, 20


@dataclass(frozen=True)
class MadeRun:
    """Where the files of a made-up run `made` lie."""

    folder: Path

    @property
    def photos(self) -> Path:
        return self.folder / "photos"

    @property
    def model(self) -> Path:
        return self.folder / "model.keras"

    def arguments(self, output: str, **settings) -> list[str]:
        """Return the arguments of `export_model` for an export with these settings."""
        files = {"model": "model.keras", "predictions": "predictions.csv", "pixels": "pixels.npy"}
        files |= {"manifest": "manifest.csv", "split": "split.csv", "output": output, "table": f"{output}.csv"}
        words = ["--run", "made", "--settings", json.dumps(settings), "--threads", "1"]
        words += ["--requirements", str(ROOT / "envs" / "requirements-predict.txt")]
        return words + [word for name, file in files.items() for word in (f"--{name}", str(self.folder / file))]


def make_run(folder: Path, classes: tuple[str, ...] = CLASSES, output: str = "logit") -> MadeRun:
    """Draw photos of many kinds, pack them, build a network, predict, calibrate, publish."""
    run, rng = MadeRun(folder), np.random.default_rng(0)
    run.photos.mkdir(parents=True)
    names, n = [], TRAINED + JUDGED
    pixels = np.zeros((n, SIZE, SIZE, 3), np.uint8)
    for index in range(n):
        blocks = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        image = Image.fromarray(blocks).resize((40 + index, 60), Image.Resampling.BICUBIC)
        names.append(f"{index:02}.png")
        image.save(run.photos / names[-1])
        pixels[index] = np.asarray(image.resize((SIZE, SIZE), Image.Resampling.BILINEAR))
    np.save(folder / "pixels.npy", pixels)
    backbone = lively(build_backbone(Backbone(name="MobileNet", alpha=0.25, weights="none", size=SIZE)))
    head = build_head(Head(output=output), 256, len(classes), 0)
    shape = head.get_layer("logits").get_weights()[0].shape
    head.get_layer("logits").set_weights([rng.normal(0, 1, shape), np.zeros(shape[1])])
    threshold = 0.4 if len(classes) == 2 else None
    facts = {"classes": list(classes), "size": SIZE, "temperature": 2.0, "threshold": threshold, "unsure_below": 0.3}
    facts |= {"run": "made", "stage": "head", "fold": 0}
    model = assemble(backbone, head, "tf", "avg")
    _, features = predict_outputs(with_features(model), pixels, np.arange(n), "made")
    likeness = fit(features[:TRAINED], np.arange(TRAINED) % len(classes))
    middle = np.sort(likeness.distances(features))[n // 2 : n // 2 + 2].mean()  # between two photos, not upon one
    facts["unlike"] = {"threshold": float(middle), "rate": 0.05, "set_on": "photos", "n": n, "judged": None}
    save_model(model, facts, folder / "plain.keras")
    copy_model(folder / "plain.keras", {}, run.model, {MEMBER: likeness.to_bytes()})
    predict(run, pixels, classes, threshold)
    return run


def make_label_run(folder: Path, thresholds: list[float]) -> MadeRun:
    """Make a run whose photos may have several of as many labels as there are thresholds: the network is the same."""
    classes = tuple(f"label {place}" for place in range(len(thresholds)))
    run = make_run(folder, classes, "sigmoid")
    facts = {"classes": list(classes), "size": SIZE, "temperature": 2.0, "thresholds": thresholds, "output": "sigmoid"}
    model, _ = load_model(run.model)
    run.model.unlink()
    save_model(model, facts | {"run": "made", "stage": "head", "fold": 0, "unlike": None}, run.model)
    split = read_table(folder / "split.csv").rename(columns={"label": "labels"})
    asked = split.assign(group=range(len(split)), chose=0)[TRAINED:]
    pixels, rows = np.load(folder / "pixels.npy"), np.arange(TRAINED, len(split))
    logits = predict_logits(model, pixels, rows, "made")
    table = label_predictions_table(asked, logits, list(classes), "head")
    calibrated = apply_to_labels(table, LabelCalibrator(2.0, thresholds, "nothing", 0))
    write_table(multilabel.published_predictions(calibrated), folder / "predictions.csv")
    return run


def predict(run: MadeRun, pixels: np.ndarray, classes: tuple[str, ...], threshold: float | None) -> None:
    """Write manifest, split and predictions of a made-up run with one label a photo."""
    folder, n = run.folder, len(pixels)
    names = sorted(path.name for path in run.photos.iterdir())
    model, _ = load_model(run.model)
    labels = [classes[index % len(classes)] for index in range(n)]
    split = pd.DataFrame({"path": names, "label": labels, "fold": 0, "role": ["train"] * TRAINED + ["val"] * JUDGED})
    write_table(split[["path", "label"]], folder / "manifest.csv")
    write_table(split, folder / "split.csv")
    asked = split.assign(group=range(n), chose=0)[TRAINED:]
    logits = predict_logits(model, pixels, np.arange(TRAINED, n), "made")
    table = apply(
        predictions_table(asked, logits, list(classes), "head"), Calibrator(2.0, threshold, "nothing", 0), 0.3
    )
    write_table(table, folder / "predictions.csv")
