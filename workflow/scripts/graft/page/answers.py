"""What the page shows of one photo: answer, bars, where the model looked, and the training photos nearest to it."""

import base64
import io
import threading
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from graft import paths
from graft.data.pictures import pixels_in, upright_rgb
from graft.errors import UserError
from graft.figures import gradcam
from graft.network.features_of import with_features
from graft.network.model_file import load_model, pictures_of
from graft.predicting.classify import verdicts
from graft.predicting.decoding import Decoder, Pool
from graft.predicting.likeness import of_length_1, read_likeness
from graft.predicting.run_features import read_features
from graft.storage.files import read_json

MOST_PIXELS = 50_000_000  # of a photo that is decoded for the page
NEIGHBOURS, BARS = 5, 10  # that are shown
THUMBNAIL_PX = 160


class Answerer:
    """A run's model and training photos, asked about one photo at a time.

    Photos are decoded in a process of their own: a file that kills it costs its own answer alone.
    """

    def __init__(self, results: Path, run: str):
        self.folder = paths.below(results, paths.RUN, run=run)
        if not (self.folder / "model.keras").is_file():
            raise UserError(f"{self.folder / 'model.keras'} does not exist: name a run that was built")
        plain, self.facts = load_model(self.folder / "model.keras")
        if self.facts.get("output") == "sigmoid":
            raise UserError(f"{run} gives several labels a photo, which the page does not show; take classify.py")
        self.split = gradcam.split_at_feature_map(plain)  # before its layers are called again
        self.model = with_features(plain)
        self.likeness = read_likeness(self.folder / "model.keras") if self.facts.get("unlike") else None
        self.pictures = pictures_of(self.facts)
        self.decoders = Pool(Decoder(self.facts["size"], self.pictures), 1)
        self.images = self.folder / "no photos"
        self.known: list[dict[Any, Any]] = []
        self.known_features = np.zeros((0, 1), np.float32)
        self.learn_neighbours(results)
        self.alone = threading.Lock()  # one photo at a time

    def learn_neighbours(self, results: Path) -> None:
        """Read the training photos' names, labels and features, where the run left them."""
        files = sorted(self.folder.glob(Path(paths.FEATURES_OF_RUN.format(run="", shard="*")).name))
        record = self.folder / Path(paths.PROVENANCE).name
        if files and record.is_file():
            self.images = paths.below(results, paths.IMAGES, dataset=read_json(record)["dataset"])
            rows, features = read_features(files)
            trained = (rows["role"] == "train").to_numpy()
            self.known = rows[trained][["path", "label"]].to_dict("records")
            self.known_features = of_length_1(features[trained])

    def answer(self, path: Path) -> dict[str, Any]:
        """Return what the page shows of a photo; `fault` alone where it cannot be read."""
        with self.alone:
            if fault := too_large(path):
                return {"fault": fault}
            batch = self.decoders.result(deque([([str(path)], self.decoders.submit([str(path)]))]))
            # Without a likeness the features are still there, for the neighbours.
            (verdict,) = verdicts(self.model, self.facts, batch, likeness=self.likeness)
            if verdict.fault:
                return {"fault": verdict.fault}
            order = np.argsort(verdict.probabilities)[::-1][:BARS]
            return {
                "label": verdict.label,
                "probability": verdict.probability,
                "doubt": verdict.doubt,
                "sure": verdict.sure,
                "unlike": None if verdict.distance is None else verdict.unlike,
                "distance": verdict.distance,
                "bars": [[self.facts["classes"][place], verdict.probabilities[place]] for place in order],
                "probabilities": dict(zip(self.facts["classes"], verdict.probabilities, strict=True)),
                "photo": picture(Image.fromarray(batch.pixels[0])),
                "looked": self.looked(batch.pixels, verdict.label),
                "neighbours": self.neighbours(batch.pixels),
            }

    def looked(self, pixels: np.ndarray, label: str) -> str | None:
        """Return Grad-CAM over the photo; None where the network makes no feature map."""
        if self.split is None:
            return None
        answer = np.array([self.facts["classes"].index(label)])
        (heat,) = gradcam.heat_of(*self.split, pixels, answer)
        return picture(Image.fromarray(gradcam.overlay(pixels[0], heat)))

    def neighbours(self, pixels: np.ndarray) -> list[dict[str, Any]]:
        """Return the training photos whose features point most nearly the same way, of those that were described."""
        if not self.known:
            return []
        features = np.asarray(self.model.predict_on_batch(pixels.astype(np.float32))[1])
        alike = self.known_features @ of_length_1(features)[0]
        nearest = np.argsort(-alike)[:NEIGHBOURS]
        return [
            {**self.known[place], "alike": float(alike[place]), "photo": self.thumbnail(self.known[place]["path"])}
            for place in nearest
        ]

    def thumbnail(self, name: str) -> str | None:
        """Return a training photo, small; None where it is no longer there."""
        try:
            image = upright_rgb(self.images / name, at_least_px=THUMBNAIL_PX, pictures=self.pictures)
        except Exception:  # moved, or its folder is not mounted
            return None
        image.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
        return picture(image)


def too_large(path: Path) -> str:
    """Return that a photo has more pixels than are decoded, by its header, or nothing; other faults show later."""
    try:
        n_pixels = pixels_in(path)
    except Exception:
        return ""
    return f"{n_pixels:,} pixels, more than the {MOST_PIXELS:,} that are read here" if n_pixels > MOST_PIXELS else ""


def picture(image: Image.Image) -> str:
    """Return an image as the address of a JPEG that is inside the address itself."""
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
