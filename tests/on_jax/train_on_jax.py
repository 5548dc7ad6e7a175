"""Trains a head on cached features, fine-tunes, saves and predicts, on JAX: `test_jax.py` starts it.

python train_on_jax.py FOLDER       # leaves the models, their histories and logits in FOLDER
python train_on_jax.py --again FOLDER       # loads the saved models anew, and predicts with them
"""

import argparse
from pathlib import Path

import numpy as np


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--again", action="store_true")
    arguments = parser.parse_args()
    from graft.machine import runtime

    runtime.start(seed=0, threads=2)
    print(f"backend: {backend()}, device: {runtime.device_name()}")
    if not arguments.again:
        np.save(arguments.folder / "pixels.npy", photos())
        train(arguments.folder)
    for stage in ("head", "finetuned"):
        name = f"{stage}-again.npy" if arguments.again else f"{stage}.npy"
        np.save(arguments.folder / name, logits_of(arguments.folder, stage))


def backend() -> str:
    import keras

    return keras.backend.backend()


def photos() -> np.ndarray:
    """Return 12 photos of 32 pixels, dark and light ones in turn."""
    noise = np.random.default_rng(0).integers(0, 128, (12, 32, 32, 3))
    return (noise + 100 * (np.arange(12) % 2)[:, None, None, None]).astype(np.uint8)


def train(folder: Path) -> None:
    """Embed photos and two views of each, train the head on them, then the whole network for an epoch."""
    import pandas as pd

    from graft.config.backbone import Backbone
    from graft.config.experiment import Choosing, EmbedSettings, FineTuneSettings, HeadSettings, Views
    from graft.config.recipe import Augmentation, FineTuning, FrozenPhase, Head, Optimizer
    from graft.network.assembly import assemble
    from graft.network.backbones import build_backbone, load_backbone
    from graft.network.model_file import save_model
    from graft.training.features import embed_photos
    from graft.training.finetune import fine_tune
    from graft.training.frozen import train_head
    from graft.training.roles import Roles
    from networks import lively

    spec = Backbone(name="MobileNet", alpha=0.25, weights="none", size=32)
    classes, codes = ["dark", "light"], np.arange(12) % 2
    role = ["train"] * 8 + ["val"] * 4
    split = pd.DataFrame({"path": [f"{row}.png" for row in range(12)], "fold": 0, "role": role})
    split["label"] = [classes[code] for code in codes]
    augmentation = Augmentation(rotation=10, zoom=0.1, horizontal_flip=True)
    shared = {"preprocessing": "consistent", "class_weights": "none", "seed": 0}
    views = Views(augmentation=augmentation, count=2, phase=None, choosing=None, seed=0)
    embedding = EmbedSettings(
        backbone=spec, pooling="avg", preprocessing="consistent", precision="float32", views=views
    )
    frozen = FrozenPhase(epochs=4, batch_size=4, views=2, optimizer=Optimizer(name="adam", learning_rate=0.01))
    tuning = FineTuning(epochs=1, batch_size=4, optimizer=Optimizer(name="rmsprop", learning_rate=1e-4))
    weights = folder / "backbone.weights.h5"
    lively(build_backbone(spec)).save_weights(weights)
    paths = split.path.tolist()
    roles = Roles.of_fold(split, 0, paths, classes, Choosing(on="val", chooses=True))

    embed_photos(embedding, weights, folder / "pixels.npy", split, paths, folder / "features.npy")
    head, history, _ = train_head(
        HeadSettings(backbone=spec, head=Head(output="logit"), frozen=frozen, **shared),
        np.load(folder / "features.npy"), roles, "train_head", folder / "head-state.npz",
    )  # fmt: skip
    model = assemble(load_backbone(spec, weights), head, "tf", "avg")
    save_model(model, {"classes": classes, "size": 32}, folder / "head.keras")
    history.to_csv(folder / "head.csv")
    tuned, history, _ = fine_tune(
        FineTuneSettings(label_smoothing=0, augmentation=augmentation, finetune=tuning, **shared),
        model, ("tf", "tf"), np.load(folder / "pixels.npy"), roles, "fine_tune", folder / "tuned-state.npz",
    )  # fmt: skip
    save_model(tuned, {"classes": classes, "size": 32}, folder / "finetuned.keras")
    history.to_csv(folder / "finetuned.csv")


def logits_of(folder: Path, stage: str) -> np.ndarray:
    """Return what a saved model says of every photo, as predict.py asks it."""
    from graft.network.model_file import load_model
    from graft.predicting.predictions import predict_logits

    model, _ = load_model(folder / f"{stage}.keras")
    return predict_logits(model, np.load(folder / "pixels.npy"), np.arange(12), "predict")


if __name__ == "__main__":
    main()
