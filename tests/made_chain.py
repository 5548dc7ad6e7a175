"""The chain from photos to a published model, stage by stage in this process, as Snakemake's rules call it."""

import json
from pathlib import Path

import embed_images
import evaluate
import fetch_weights
import fine_tune
import ingest_dataset
import pack_images
import predict
import split_dataset
import train_head
from graft.config.backbone import Backbone
from graft.config.experiment import EmbedSettings, FineTuneSettings, HeadSettings
from graft.config.recipe import FineTuning, FrozenPhase, Head

SPEC = Backbone(name="Rootstock", weights="none", size=32)
HEAD = HeadSettings(
    backbone=SPEC,
    preprocessing="consistent",
    head=Head(output="softmax"),
    class_weights="none",
    frozen=FrozenPhase(epochs=4, batch_size=8, steps_per_epoch=2),
    seed=0,
)
TUNING = FineTuneSettings(
    preprocessing="consistent",
    label_smoothing=0,
    class_weights="none",
    augmentation=None,
    finetune=FineTuning(epochs=1, batch_size=8, steps_per_epoch=1),
    seed=0,
)
EMBEDDING = EmbedSettings(backbone=SPEC, pooling="avg", preprocessing="consistent", precision="float32", views=None)
CONFIG = {
    "runs": ["quick"],
    "datasets": {"photos": {"source": {"folder": "photos"}}},
    "experiments": {"quick": {"dataset": "photos", "recipe": "lesson", "backbone": SPEC.model_dump(mode="json")}},
}
RECORD = {"run": "quick", "experiment": "quick", "seed": 0, "dataset": "photos", "features": "f", "config": CONFIG}


class Chain:
    """A folder of results, of one run `quick` with one fold, on the data set `photos`; a method a rule.

    Args:
        results: the folder of results.
        photos: a folder of photos, a folder a class.
    """

    stages = ("ingest", "split", "pack", "weights", "embed", "train_head", "fine_tune", "predict", "evaluate")

    def __init__(self, results: Path, photos: Path):
        self.results, self.photos = results, photos
        self.data, self.run = results / "data" / "photos", results / "runs" / "quick"
        self.manifest, self.table = self.data / "manifest.csv", self.data / "split.csv"
        self.pixels, self.features = self.data / "pixels-32.npy", results / "features" / "photos" / "f.npy"
        self.backbone = results / "weights" / "rootstock.weights.h5"

    def build(self) -> "Chain":
        """Run every stage."""
        for stage in self.stages:
            getattr(self, stage)()
        return self

    def file(self, stage: str, name: str) -> Path:
        """Return a file of the one fold."""
        return self.run / "fold0" / stage / name

    def ingest(self) -> None:
        call(ingest_dataset, photos=self.photos, output=self.data)

    def split(self) -> None:
        call(split_dataset, manifest=self.manifest, output=self.table)

    def pack(self) -> None:
        call(pack_images, manifest=self.manifest, images=self.data / "images", size=32, output=self.pixels)

    def weights(self) -> None:
        call(fetch_weights, settings=SPEC.model_dump_json(), output=self.backbone)

    def embed(self) -> None:
        call(
            embed_images,
            **{"settings": EMBEDDING.model_dump_json(), "weights": self.backbone, "pixels": self.pixels},
            **{"manifest": self.manifest, "split": self.table, "output": self.features},
        )

    def train_head(self, run: str = "quick", features: Path | None = None) -> None:
        folder = self.results / "runs" / run / "fold0" / "head"
        call(
            train_head,
            **{"settings": HEAD.model_dump_json(), "weights": self.backbone, "features": features or self.features},
            **self.of_training(run, folder),
            classes=self.data / "classes.json",
        )

    def fine_tune(self) -> None:
        call(
            fine_tune,
            **{"settings": TUNING.model_dump_json(), "pixels": self.pixels, "backbone": SPEC.name},
            **self.of_training("quick", self.run / "fold0" / "finetuned"),
            head_model=self.file("head", "model.keras"),
        )

    def of_training(self, run: str, folder: Path) -> dict:
        """Return what both trainings are given."""
        shared = {"manifest": self.manifest, "split": self.table, "fold": 0, "state": self.results / "state"}
        return shared | {
            "tag": f"{run}, fold 0",
            "model": folder / "model.keras",
            "history": folder / "history.csv",
        }

    @property
    def models(self) -> list[Path]:
        """Return the models of both stages."""
        return [self.file(stage, "model.keras") for stage in ("head", "finetuned")]

    def predict(self) -> None:
        call(
            predict,
            **{"settings": '{"roles":["val"],"choosing":{}}', "tag": "quick", "models": self.models},
            **{"pixels": self.pixels, "manifest": self.manifest, "split": self.table},
            predictions=self.run / "raw_predictions.csv",
            features=self.run / "features.npz",
        )

    def evaluate(self) -> None:
        call(
            evaluate,
            **{"record": json.dumps(RECORD), "predictions": self.run / "raw_predictions.csv", "models": self.models},
            **{"manifest": self.manifest, "split": self.table, "weights": self.backbone},
            features=self.run / "features.npz",
            benchmarks=self.results / "benchmarks",
            output=self.run,
        )


def call(script, **options) -> None:
    """Call a script's `main` with options; a list gives an option several values."""
    arguments = []
    for name, value in options.items():
        values = value if isinstance(value, list) else [value]
        arguments += [f"--{name.replace('_', '-')}", *map(str, values)]
    script.main(arguments)
