"""Sweeps: lists in an experiment become experiments, each with a name of its own, and a mistake is one sentence."""

import pytest
import yaml

from graft.config.keys import features_key
from graft.config.provenance import RunRecord
from graft.config.resolution import Job
from graft.config.slices import slice_of
from graft.errors import UserError
from places import ROOT

RECIPES = ROOT / "config" / "recipes"


def job(**changes) -> Job:
    """Return the default job with changes to its one experiment."""
    values = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    values["experiments"]["lesson"] |= changes
    return Job(values, RECIPES)


def test_a_grid_makes_every_combination_and_names_say_what_differs():
    swept = job(sweep={"recipe": ["probe", "graft"], "seed": [0, 7], "backbone": ["VGG16"]})
    assert swept.runs == ["lesson-probe-seed0", "lesson-probe-seed7", "lesson-graft-seed0", "lesson-graft-seed7"]
    run = swept.run("lesson-graft-seed7")
    assert (run.seed, run.experiment.recipe, run.experiment.backbone.name) == (7, "graft", "VGG16")


def test_listed_points_make_a_run_each():
    points = [{"recipe": "probe"}, {"recipe": "graft", "override.finetune.epochs": 5}]
    assert job(sweep=points).runs == ["lesson-probe", "lesson-graft-epochs5"]
    assert job(sweep=points).run("lesson-graft-epochs5").recipe.finetune.epochs == 5


@pytest.mark.parametrize(
    ("sweep", "names"),
    [
        ({"backbone.size": [96, 128]}, ["lesson-size96", "lesson-size128"]),
        (
            {"backbone": ["VGG16", {"name": "MobileNet", "alpha": 0.25, "size": 96}]},
            ["lesson-VGG16", "lesson-MobileNet-a0.25-96"],
        ),
        (
            {"override.frozen.epochs": [1], "override.finetune.epochs": [2, 3]},
            ["lesson-epochs2", "lesson-epochs3"],  # what does not differ is not named
        ),
        (
            {"override.frozen.epochs": [1, 2], "override.finetune.epochs": [3]},
            ["lesson-epochs1", "lesson-epochs2"],
        ),
        ([{"override.frozen.epochs": 1}, {"override.finetune.epochs": 2}],
         ["lesson-frozen.epochs1", "lesson-finetune.epochs2"]),
        ({"override.head.hidden": [[], [100, 50]]}, ["lesson-hidden-none", "lesson-hidden100-50"]),
        ({"override.finetune": [None, {"epochs": 3}]}, ["lesson-finetune-none", "lesson-finetune3"]),
        ({"seed": [4]}, ["lesson"]),
    ],
)  # fmt: skip
def test_names(sweep, names):
    assert job(sweep=sweep).runs == names


def test_every_backbone_of_keras_is_one_word():
    swept = job(recipe="probe", sweep={"backbone": "all"}, backbone={"weights": "none"})
    assert len(swept.runs) == 40
    assert swept.run("lesson-NASNetLarge").experiment.backbone.size == 331


def test_a_point_keeps_what_the_experiment_says_of_the_backbone():
    swept = job(sweep={"backbone": ["VGG16", "ResNet50"]}, backbone={"size": 96, "weights": "none"})
    assert swept.run("lesson-VGG16").experiment.backbone.size == 96


def test_seeds_multiply_what_a_sweep_makes():
    assert job(sweep={"recipe": ["probe", "graft"]}, seeds=2).runs == [
        "lesson-probe-seed0", "lesson-probe-seed1", "lesson-graft-seed0", "lesson-graft-seed1"
    ]  # fmt: skip


def test_runs_may_name_one_run_of_a_sweep():
    values = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    values["experiments"]["lesson"]["sweep"] = {"seed": [0, 1]}
    assert Job(values | {"runs": ["lesson-seed1"]}, RECIPES).runs == ["lesson-seed1"]
    with pytest.raises(UserError, match="runs names 'leson', which experiments lacks; did you mean"):
        Job(values | {"runs": ["leson"]}, RECIPES)


def test_features_are_shared_by_all_that_look_at_the_photos_alike():
    swept = job(recipe="graft", sweep={"seed": [0, 1], "override.finetune.epochs": [5, 10]})
    assert len({features_key(swept.run(name).embedding) for name in swept.runs}) == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"sweep": 3}, "experiments.lesson.sweep is 3; write a section of lists"),
        ({"sweep": [3]}, "or a list of points"),
        ({"sweep": {"seed": 3}}, "experiments.lesson.sweep.seed is 3; write a list with at least one value"),
        ({"sweep": {"seed": []}}, "experiments.lesson.sweep.seed is []; write a list"),
        ({"sweep": {"sed": [0]}}, "experiments.lesson.sweep.sed cannot be varied; did you mean 'seed'?"),
        ({"sweep": {"override": [{}]}}, "sweep.override needs the key that it changes"),
        ({"sweep": {"seed": [0, 0]}}, "experiments.lesson.sweep has seed 0 twice; leave one out"),
        (
            {"sweep": {"backbone": ["MobileNet", {"name": "MobileNet", "size": 224}]}},
            "makes two equal runs, 'lesson-MobileNet' and 'lesson-MobileNet-224'; leave one out",
        ),
        ({"sweep": {"seed": list(range(1001))}}, "makes 1,001 experiments; 1,000 are the most"),
        ({"sweep": {"backbone": ["ResNet5O", "VGG16"]}}, "ResNet5O', which Keras does not have; did you mean"),
        (
            {"sweep": {"override.frozen.epocs": [1, 2]}},
            "override.frozen.epocs is not a setting; did you mean 'epochs'?",
        ),
        ({"seed": [0, 1]}, "experiments.lesson.seed is a list; to make a run of each, write it under sweep: {seed: [0"),
        ({"choose": "log_loss"}, "experiments.lesson.choose has nothing to choose among; give the experiment a sweep"),
        ({"choose": "log_los", "sweep": {"seed": [0, 1]}}, "choose is 'log_los'; did you mean 'log_loss'?"),
        (
            {"choose": "accuracy", "sweep": {"seed": [0, 1]}, "override": {"selection": {"on": "val"}}},
            "but its sweep chooses, which needs photos that do not judge; leave selection.on out, or write 'inner'",
        ),
    ],
)
def test_a_mistake_is_one_sentence(changes, sentence):
    with pytest.raises(UserError) as caught:
        job(**changes)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_mistake_that_all_points_share_is_said_once():
    with pytest.raises(UserError) as caught:
        job(backbone={"sise": 96}, sweep={"seed": [0, 1, 2]})
    assert str(caught.value).count("sise") == 1


def test_a_sweep_over_datasets_cannot_choose():
    values = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    values["datasets"]["mine"] = {"source": {"sample": {"name": "scenes"}}}
    values["experiments"]["lesson"] |= {"sweep": {"dataset": ["urban_rural", "mine"]}}
    assert Job(values, RECIPES).runs == ["lesson-urban_rural", "lesson-mine"]
    values["experiments"]["lesson"]["choose"] = "accuracy"
    with pytest.raises(UserError, match="cannot choose among runs of different datasets; make a sweep for each"):
        Job(values, RECIPES)


def test_two_experiments_that_make_one_name_are_refused():
    values = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    values["experiments"]["lesson"] |= {"sweep": {"seed": [0, 1]}}
    values["experiments"]["lesson-seed0"] = {"dataset": "urban_rural", "recipe": "probe"}
    with pytest.raises(UserError, match="makes an experiment named 'lesson-seed0', and so does another; rename one"):
        Job(values, RECIPES)


def test_a_sweep_that_chooses_holds_photos_out_even_where_training_chooses_nothing():
    assert job(sweep={"seed": [0, 1]}).run("lesson-seed0").recipe.selection.on == "auto"
    choosing = job(sweep={"seed": [0, 1]}, choose="log_loss")
    assert choosing.run("lesson-seed0").recipe.selection.on == "held_out"


def test_the_record_of_one_run_of_a_sweep_repeats_it_alone():
    swept = job(sweep={"recipe": ["probe", "graft"], "seed": [0, 1]}, choose="log_loss")
    record = RunRecord.model_validate_json(slice_of(swept, "provenance", run="lesson-graft-seed1"))
    again = Job(record.config, RECIPES)
    assert again.runs == ["lesson-graft-seed1"]
    assert again.run("lesson-graft-seed1").recipe == swept.run("lesson-graft-seed1").recipe
    assert again.run("lesson-graft-seed1").seed == 1
