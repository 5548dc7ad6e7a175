"""What chooses never judges: other validation photos never change a weight, whatever the recipe."""

import keras
import numpy as np
import pandas as pd
import pytest
import yaml

from graft.config.backbone import Backbone
from graft.config.base import parse
from graft.config.experiment import Choosing, Experiment, PredictSettings
from graft.config.recipe import Recipe
from graft.config.resolution import Run, merged
from graft.config.slices import finetune_settings, head_settings
from graft.data.selection import choosing_role, photos_to_predict, roles_in_run
from graft.errors import UserError
from graft.network.assembly import assemble
from graft.network.backbones import build_backbone
from graft.network.preprocessing import modes
from graft.training.features import embed_photos
from graft.training.finetune import fine_tune
from graft.training.frozen import train_head
from graft.training.roles import Roles
from networks import lively
from places import ROOT

RECIPES = sorted((ROOT / "config" / "recipes").glob("*.yaml"))
SPEC = Backbone(name="MobileNet", alpha=0.25, weights="none", size=32)
SHORT = {"epochs": 3, "batch_size": 8, "steps_per_epoch": 3}
N_TRAIN, N_PHOTOS = 30, 42


@pytest.mark.parametrize(
    ("on", "chooses", "roles", "role"),
    [
        ("auto", True, {"train", "val"}, "inner"),
        ("auto", False, {"train", "val"}, ""),  # the lesson: nothing is chosen, so every training photo trains
        ("auto", True, {"train", "val", "test"}, "val"),
        ("auto", False, {"train", "val", "test"}, "val"),  # temperature and threshold
        ("val", True, {"train", "val"}, "val"),  # on request
        ("inner", False, {"train", "val", "test"}, "inner"),
        ("none", False, {"train", "val", "test"}, ""),
        ("held_out", False, {"train", "val"}, "inner"),  # a sweep chooses, even if its recipe does not
        ("held_out", False, {"train", "val", "test"}, "val"),
    ],
)
def test_who_chooses_follows_from_who_is_there_to_judge(on, chooses, roles, role):
    assert choosing_role(roles, Choosing(on=on, chooses=chooses)) == role


def test_the_inner_part_neither_trains_nor_judges():
    split = pd.DataFrame({"role": ["train", "train", "val", "val"], "inner": [0, 1, 0, 1]})
    roles, chooser = roles_in_run(split, Choosing(on="inner"))
    assert chooser == "inner"
    assert roles.tolist() == ["train", "inner", "val", "val"]


def test_an_inner_part_without_photos_chooses_nothing_and_the_validation_photos_are_only_watched():
    split = pd.DataFrame({"path": list("abc"), "label": "x", "fold": 0, "role": ["train", "train", "val"], "inner": 0})
    roles = Roles.of_fold(split, 0, list("abc"), ["x"], Choosing(chooses=True))
    assert (roles.train.tolist(), roles.choose.tolist(), roles.watch.tolist()) == ([0, 1], [], [2])
    assert roles.watched == "val"


def test_a_recipe_that_chooses_by_no_photos_is_refused():
    with pytest.raises(
        UserError, match=r"selection\.on is 'none', but early stopping, a plateau or keep: better needs"
    ):
        parse(Recipe, {"frozen": {"early_stopping": {}}, "selection": {"on": "none"}}, "recipe")


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_the_same_training_photos_give_the_same_weights_whatever_the_validation_photos(path, tmp_path):
    one, other = (weights_of(shortened(path), validation, tmp_path) for validation in (range(30, 36), range(36, 42)))
    assert len(one) == len(other)
    for first, second in zip(one, other, strict=True):
        assert np.array_equal(first, second)


def shortened(path) -> Run:
    """Return a run of a recipe with short phases on a small network."""
    values = yaml.safe_load(path.read_text())
    short = {"frozen": SHORT | ({"views": 2} if values["frozen"].get("views") else {})}
    if "finetune" in values:
        short["finetune"] = SHORT
    experiment = Experiment(dataset="photos", recipe=path.stem, backbone=SPEC)
    return Run("run", "run", experiment, parse(Recipe, merged(values, short), "recipe"), 0)


def weights_of(run: Run, validation: range, folder) -> list[np.ndarray]:
    """Return all weights that a run's training ends with, in a split that has these validation photos."""
    rng = np.random.default_rng(0)
    codes = np.arange(N_PHOTOS) % 2
    pixels = (rng.integers(0, 128, (N_PHOTOS, 32, 32, 3)) + 60 * codes[:, None, None, None]).astype(np.uint8)
    np.save(folder / "pixels.npy", pixels)
    paths = [f"{row}.png" for row in range(N_PHOTOS)]
    role = ["train" if row < N_TRAIN else "val" if row in validation else "" for row in range(N_PHOTOS)]
    split = pd.DataFrame({"path": paths, "label": np.array(["a", "b"])[codes], "fold": 0, "role": role})
    split["inner"] = [int(row < 8) for row in range(N_PHOTOS)]
    split = split[split["role"] != ""]
    keras.utils.set_random_seed(run.seed)
    lively(build_backbone(SPEC)).save_weights(folder / "w.weights.h5")
    embed_photos(run.embedding, folder / "w.weights.h5", folder / "pixels.npy", split, paths, folder / "f.npy")
    settings = head_settings(run)
    roles = Roles.of_fold(split, 0, paths, ["a", "b"], settings.choosing)
    keras.utils.set_random_seed(run.seed)
    head, _, _ = train_head(settings, np.load(folder / "f.npy"), roles, "test", folder / "state")
    both = modes(SPEC.name, run.recipe.preprocessing)
    backbone = build_backbone(SPEC)
    backbone.load_weights(folder / "w.weights.h5")
    model = assemble(backbone, head, both[1], run.recipe.head.pooling)
    if run.recipe.finetune:
        keras.utils.set_random_seed(run.seed)
        model, _, _ = fine_tune(finetune_settings(run), model, both, pixels, roles, "test", folder / "state")
    return model.get_weights()


def test_photos_of_a_role_that_the_split_lacks_are_one_sentence():
    split = pd.DataFrame({"path": list("ab"), "role": ["train", "val"], "fold": 0, "inner": 0})
    settings = PredictSettings(roles=["test"], choosing=Choosing())
    with pytest.raises(
        UserError, match="predict names test photos, and fold 0 of the split has none; it has train, val"
    ):
        photos_to_predict(split, 0, settings)


def test_the_photos_that_choose_are_always_predicted():
    split = pd.DataFrame({"path": list("abc"), "role": ["train", "train", "val"], "fold": 0, "inner": [0, 1, 0]})
    found = photos_to_predict(split, 0, PredictSettings(roles=["val"], choosing=Choosing(chooses=True)))
    assert found[["path", "role", "chose"]].values.tolist() == [["b", "inner", 1], ["c", "val", 0]]
