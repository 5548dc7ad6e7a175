"""Every recipe, unchanged, to its end: on drawn scenes, and on the real ones with real ImageNet weights."""

import pytest
import yaml

from places import ROOT, SHARED
from project import Project

RECIPES = sorted(path.stem for path in (ROOT / "config" / "recipes").glob("*.yaml"))
PHASES = dict.fromkeys(("probe", "softmax", "vgg16"), 1) | dict.fromkeys(("graft", "lesson", "six_steps"), 2)


def all_recipes(folder, source: dict, backbone: dict, environment: dict | None = None) -> Project:
    """Return a project that has trained every recipe."""
    runs = {recipe: {"dataset": "photos", "recipe": recipe, "backbone": backbone} for recipe in RECIPES}
    configuration = {"runs": RECIPES, "datasets": {"photos": {"source": source}}, "experiments": runs}
    project = Project(folder, configuration, environment)
    project.run("--", *(f"results/runs/{recipe}/evaluation.csv" for recipe in RECIPES))
    return project


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Project:
    """Return every recipe on drawn scenes and the small network that ships, where there are no real ones to take."""
    if SHARED.is_dir():
        pytest.skip("every recipe runs on the lesson's own photos instead")
    scenes = {"sample": {"name": "scenes", "seed": 0, "train": 36, "val": 20}}
    backbone = {"name": "Rootstock", "weights": "textures", "size": 96}
    return all_recipes(tmp_path_factory.mktemp("drawn"), scenes, backbone)


@pytest.fixture(scope="module")
def real(tmp_path_factory, keras_home) -> Project:
    """Return every recipe on the first lesson's own photos."""
    archive = SHARED / "data" / "urban-and-rural-photos.zip"
    backbone = {"name": "MobileNet", "alpha": 0.25, "weights": "imagenet", "size": 224}
    environment = {"KERAS_HOME": str(keras_home)}
    return all_recipes(tmp_path_factory.mktemp("real"), {"archive": str(archive)}, backbone, environment)


def val_accuracies(project: Project, recipe: str) -> list[float]:
    """Return a recipe's validation accuracy, stage by stage."""
    evaluation = project.table(f"runs/{recipe}/evaluation.csv")
    return evaluation[(evaluation.role == "val") & (evaluation.fold == "all")].accuracy.tolist()


def test_every_recipe_is_here():
    assert set(RECIPES) == set(PHASES)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_runs_unchanged_on_drawn_scenes(drawn, recipe):
    accuracies = val_accuracies(drawn, recipe)
    assert len(accuracies) == PHASES[recipe]
    if recipe != "softmax":  # six steps of plain gradient descent are too few to promise anything
        assert min(accuracies) >= 0.8


@pytest.mark.shared
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_runs_unchanged_on_the_lessons_photos(real, recipe):
    expected = yaml.safe_load((ROOT / "config" / "recipes" / f"{recipe}.yaml").read_text())["expected"]
    evaluation = real.table(f"runs/{recipe}/evaluation.csv")
    found = evaluation[(evaluation.role == "val") & (evaluation.fold == "all")].set_index("stage")
    assert set(found.index) == set(expected)
    for stage, (low, high) in expected.items():  # 20 photos: their own interval and the recipe's have to meet
        assert found.at[stage, "accuracy_low"] <= high, stage
        assert found.at[stage, "accuracy_high"] >= low, stage


@pytest.mark.shared
def test_graft_leaves_a_probe_that_hardly_errs_as_it_is(real):
    head, finetuned = val_accuracies(real, "graft")
    assert finetuned == head
    assert real.table("runs/graft/fold0/finetuned/history.csv").empty
