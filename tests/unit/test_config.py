"""The configuration: a mistake is one sentence, and a rule gets only what it uses."""

import json
import re
from pathlib import Path

import pytest
import yaml

from graft import tables
from graft.config import describe
from graft.config.backbone import NATIVE_SIZE, Backbone
from graft.config.keys import backbone_key, features_key
from graft.config.resolution import Job
from graft.config.slices import SLICES, slice_of
from graft.errors import UserError
from places import ROOT

RECIPES = ROOT / "config" / "recipes"


def job(**changes) -> Job:
    """Return the default job with changes to its one experiment."""
    values = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    values["experiments"]["lesson"] |= changes
    return Job(values, RECIPES)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"backbone": {"name": "ResNet5O"}}, "ResNet5O', which Keras does not have; did you mean 'ResNet50'?"),
        ({"backbone": {"nme": "ResNet50"}}, "experiments.lesson.backbone.nme is not a setting; did you mean 'name'?"),
        ({"backbone": {"name": "Xception", "size": 64}}, "size is 64, but Xception needs at least 71 pixels"),
        ({"backbone": {"name": "VGG16", "alpha": 0.5}}, "VGG16 has no width multiplier"),
        ({"backbone": {"name": "MobileNet", "alpha": 0.3}}, "exist for 0.25, 0.5, 0.75, 1.0"),
        ({"backbone": {"name": "Rootstock", "weights": "imagenet"}}, "Rootstock has none; use 'textures' or 'none'"),
        ({"recipe": "leson"}, "did you mean 'lesson'?"),
        ({"dataset": "urban_rual"}, "experiments.lesson.dataset is 'urban_rual', which datasets lacks; did you mean"),
        ({"override": {"frozen": {"epocs": 3}}}, "override.frozen.epocs is not a setting; did you mean 'epochs'?"),
        ({"override": {"frozen": {"epochs": 0}}}, "override.frozen.epochs is 0; input should be greater than or"),
        ({"override": {"head": {"pooling": "agv"}}}, "override.head.pooling is 'agv'; did you mean 'avg'?"),
        ({"override": {"augmentation": None}}, "there is no augmentation to draw views with; add one"),
        ({"predict": []}, "experiments.lesson.predict is []; list should have at least 1 item"),
        ({"override": {"selection": {"on": "vall"}}}, "override.selection.on is 'vall'; did you mean 'val'?"),
        ({"seed": "x"}, "experiments.lesson.seed is 'x'; input should be a valid integer"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_key(change, sentence):
    with pytest.raises(UserError) as caught:
        job(**change)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_rate_that_yaml_reads_as_text_is_a_number():
    rate = job(override={"frozen": {"optimizer": {"learning_rate": "1e-3"}}}).run("lesson").recipe.frozen.optimizer
    assert rate.learning_rate == 0.001


def test_a_bare_on_which_yaml_reads_as_true_is_the_key_on():
    written = yaml.safe_load("{selection: {on: inner}}")
    assert written == {"selection": {True: "inner"}}
    assert job(override=written).run("lesson").recipe.selection.on == "inner"


def test_an_override_keeps_what_it_does_not_name():
    recipe = job(override={"frozen": {"epochs": 3}}).run("lesson").recipe
    assert (recipe.frozen.epochs, recipe.frozen.steps_per_epoch, recipe.frozen.batch_size) == (3, 12, 8)


def test_the_lesson_is_what_the_lesson_says():
    recipe = job().run("lesson").recipe
    assert (recipe.head.pooling, recipe.head.output, recipe.head.hidden) == ("avg", "logit", [])
    assert recipe.augmentation.model_dump() == {
        "rotation": 10,
        "zoom": 0.1,
        "shift": 0.1,
        "shear": 0,
        "horizontal_flip": True,
        "vertical_flip": False,
    }
    frozen, finetune = recipe.frozen, recipe.finetune
    assert (frozen.views, frozen.epochs, frozen.steps_per_epoch, frozen.batch_size) == ("epoch", 20, 12, 8)
    assert (frozen.optimizer.name, frozen.optimizer.learning_rate) == ("rmsprop", 0.001)  # Keras's default
    assert (finetune.epochs, finetune.steps_per_epoch, finetune.unfreeze) == (10, 12, "all")
    assert (finetune.optimizer.name, finetune.optimizer.learning_rate) == ("rmsprop", 1e-5)


def test_seeds_fan_out_into_runs_with_names_of_their_own():
    fanned = job(seed=4, seeds=3)
    assert fanned.runs == ["lesson-seed4", "lesson-seed5", "lesson-seed6"]
    assert [fanned.run(name).seed for name in fanned.runs] == [4, 5, 6]


def test_runs_may_name_one_seed_of_an_experiment():
    values = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    values["experiments"]["lesson"]["seeds"] = 3
    values["runs"] = ["lesson-seed2"]
    assert Job(values, RECIPES).runs == ["lesson-seed2"]


def test_a_rate_of_the_second_phase_changes_nothing_of_the_first():
    slow, fast = (job(override={"finetune": {"optimizer": {"learning_rate": rate}}}) for rate in (1e-6, 1e-4))
    at = {"run": "lesson", "features": slow.runs and features_key(slow.run("lesson").embedding)}
    assert slice_of(slow, "head", **at) == slice_of(fast, "head", **at)
    assert slice_of(slow, "embed", **at) == slice_of(fast, "embed", **at)
    assert slice_of(slow, "finetune", **at) != slice_of(fast, "finetune", **at)


def test_runs_share_features_unless_they_look_at_the_photos_differently():
    plain = {"override": {"frozen": {"views": 0}}}
    key = features_key(job(**plain).run("lesson").embedding)
    assert key == features_key(job(seed=7, **plain).run("lesson").embedding)  # no views: nothing random in them
    assert features_key(job().run("lesson").embedding) != features_key(job(seed=7).run("lesson").embedding)
    longer = job(override={"frozen": {"views": 4, "epochs": 99}}).run("lesson").embedding
    assert features_key(longer) == features_key(job(override={"frozen": {"views": 4}}).run("lesson").embedding)


def test_labels_are_looked_at_with_the_features_of_the_dataset_s_first_run_with_views_or_without():
    plain = features_key(job(override={"frozen": {"views": 0}}).run("lesson").embedding)
    asked = job()
    assert asked.features_of_dataset("urban_rural") == (features_key(asked.run("lesson").embedding), plain)
    assert asked.embedding(plain).views is None
    with pytest.raises(UserError, match="there is no dataset 'urban_rual'; did you mean 'urban_rural'"):
        asked.features_of_dataset("urban_rual")


def test_other_labels_fetch_no_photo_again():
    values = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    before = Job(values, RECIPES)
    values["datasets"]["urban_rural"]["source"]["labels"] = {"corrections": "fixes.csv"}
    after = Job(values, RECIPES)
    changed = [part for part in ("source", "labels", "ingest", "split") if slice_of(before, part, dataset="urban_rural")
               != slice_of(after, part, dataset="urban_rural")]  # fmt: skip
    assert changed == ["labels"]


def test_two_weight_files_of_one_name_do_not_share_a_cache():
    here, there = (Backbone(name="VGG16", weights=f"{folder}/mine.weights.h5") for folder in ("a", "b"))
    assert backbone_key(here) != backbone_key(there)


def test_every_backbone_of_keras_has_a_native_size():
    import keras

    offered = {name for name in dir(keras.applications) if name[0].isupper()}
    assert set(NATIVE_SIZE) == offered


def test_a_slice_is_json_with_sorted_keys():
    text = slice_of(job(), "head", run="lesson")
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (ROOT / "config" / "README.md", describe.reference),
        (ROOT / "workflow" / "schemas" / "config.schema.json", describe.json_schema),
        (ROOT / "workflow" / "schemas" / "config.schema.yaml", describe.catalog_schema),
        (ROOT / "docs" / "files.md", tables.reference),
    ],
    ids=["settings", "schema", "schema of the catalog", "files"],
)
def test_generated_files_agree_with_the_code(path: Path, text, request):
    if request.config.getoption("--fix"):
        path.write_text(text(), encoding="utf-8")
    lag = f"{path.relative_to(ROOT)} lags the code; run: make schema"
    assert path.read_text(encoding="utf-8") == text(), lag


def test_the_conda_environment_has_the_versions_of_the_lock():
    import importlib.util

    spec = importlib.util.spec_from_file_location("conda_from_lock", ROOT / "envs" / "conda_from_lock.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    lock = (ROOT / "envs" / "requirements.txt").read_text()
    assert (ROOT / "envs" / "graft.yaml").read_text() == module.environment(lock), "run: make pins"
    assert "snakemake==9." in module.environment(lock)


def test_no_rule_is_told_the_number_of_shards():
    values = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    sweep = {"seed": [0, 1]}
    values["experiments"]["table"] = {"dataset": "urban_rural", "recipe": "probe", "sweep": {"backbone": ["VGG16"]}}
    values["model_table"] = {}
    values["experiments"]["lesson"]["exports"] = ["onnx"]
    values["experiments"]["sizes"] = values["experiments"]["lesson"] | {"sweep": sweep, "choose": "accuracy"}
    one, many = Job(values, RECIPES), Job(values | {"shards": {"pack": 8, "embed": 8}}, RECIPES)
    at = {"run": "lesson", "dataset": "urban_rural", "sweep": "sizes", "export": "onnx"}
    at |= {"backbone": next(iter(one.backbones)), "features": features_key(one.run("lesson").embedding)}
    assert {part: slice_of(one, part, **at) for part in SLICES} == {part: slice_of(many, part, **at) for part in SLICES}


@pytest.mark.parametrize("count", [0, 251])
def test_shards_number_from_1_to_250(count):
    values = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    with pytest.raises(UserError, match=f"shards.pack is {count}; input should be"):
        Job(values | {"shards": {"pack": count}}, RECIPES)


def test_shards_do_not_let_every_machine_choose_its_precision():
    values = yaml.safe_load((ROOT / "config" / "config.yaml").read_text()) | {"shards": {"embed": 2}}
    values["experiments"]["lesson"]["recipe"] = "graft"
    with pytest.raises(UserError, match=r"frozen\.precision of lesson is 'auto'"):
        Job(values, RECIPES)
    values["experiments"]["lesson"]["override"] = {"frozen": {"precision": "bfloat16"}}
    assert Job(values, RECIPES).runs == ["lesson"]


def two_experiments(**other) -> dict:
    """Return the default job's values with a second experiment, `a`."""
    values = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    values["experiments"]["a"] = {"dataset": "urban_rural", "recipe": "graft"} | other
    return values


def test_two_experiments_whose_runs_share_a_name_are_refused():
    values = two_experiments(seeds=2)
    values["experiments"]["a-seed0"] = {"dataset": "urban_rural", "recipe": "probe"}
    with pytest.raises(UserError, match="experiments 'a' and 'a-seed0' both make a run named 'a-seed0'; rename one"):
        Job(values, RECIPES)


def test_a_run_that_is_not_listed_can_be_asked_for_down_to_its_features_and_weights():
    whole = Job(two_experiments(backbone={"name": "MobileNet", "alpha": 0.25, "weights": "none"}), RECIPES)
    assert whole.runs == ["lesson"]
    run = whole.run("a")
    assert whole.embedding(features_key(run.embedding)) == run.embedding
    assert whole.weights_file(backbone_key(run.experiment.backbone)) == []
    with pytest.raises(UserError, match="no experiment has features named 'x'"):
        whole.embedding("x")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://host/a.zip?X-Amz-Signature=0f3", "X-Amz-Signature"),
        ("https://host/a.zip?size=1&sig=0f3", "sig"),
        ("https://host/a.zip?access_token=0f3", "access_token"),
    ],
)
def test_a_signed_address_is_refused_without_repeating_the_secret(url, said):
    values = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    values["datasets"]["urban_rural"] = {"source": {"url": url}}
    with pytest.raises(UserError, match=f"its query has '{said}', which looks like a secret") as caught:
        Job(values, RECIPES)
    assert "0f3" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["https://host/a.zip?size=1", "https://host/a.zip?${QUERY}", "https://host/a?sig=${SIG}"]
)
def test_an_address_without_a_written_secret_is_taken(url):
    values = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    values["datasets"]["urban_rural"] = {"source": {"url": url}}
    assert Job(values, RECIPES).dataset("urban_rural").source.url == url


def test_the_least_snakemake_is_the_one_that_is_tested():
    [least] = re.findall(r'min_version\("([\d.]+)"\)', (ROOT / "workflow" / "Snakefile").read_text())
    [pinned] = re.findall(r"^snakemake==(\d+\.\d+)", (ROOT / "envs" / "requirements.txt").read_text(), re.MULTILINE)
    assert least == pinned
