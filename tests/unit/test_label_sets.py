"""Several labels a photo: how they are read from tables, what the audit says of them, and what is refused."""

import json

import pytest
import yaml
from photo_files import photo, write_files

import draw_sample
import ingest_dataset
from graft.config.resolution import Job
from graft.errors import UserError
from graft.storage.files import read_json, read_table
from places import ROOT

RECIPES = ROOT / "config" / "recipes"
ROWS = ["path,labels", "0.png,tree;car", "1.png, car ; tree", "2.png,", "3.png,water", "4.png,tree"]
SETS = {"0.png": "car|tree", "1.png": "car|tree", "2.png": "", "3.png": "water", "4.png": "tree"}


@pytest.fixture
def ingested(tmp_path):
    """Return a function that ingests five photos with a table of labels, and returns the folder of results."""

    def run(table, labels, name="labels.csv", more=None):
        files = {f"{number}.png": photo(number) for number in range(5)} | {name: table.encode()} | (more or {})
        write_files(tmp_path / "photos", files)
        arguments = ["--photos", str(tmp_path / "photos"), "--output", str(tmp_path / "results")]
        ingest_dataset.main([*arguments, "--labels", json.dumps({"table": name} | labels)])
        return tmp_path / "results"

    return run


def sets_of(results):
    manifest = read_table(results / "manifest.csv")
    return dict(zip(manifest["path"], manifest["labels"], strict=True))


@pytest.mark.parametrize(
    ("table", "labels", "name"),
    [
        ("\n".join(ROWS), {"separator": ";"}, "labels.csv"),
        ("\n".join(ROWS).replace(";", " "), {"separator": " "}, "labels.csv"),
        (
            "path,tree,car,water\n0,1,1,0\n1,yes,x,no\n2,0,0,0\n3,-1,-1,1\n4,TRUE,,false",
            {"columns": ["tree", "car", "water"]},
            "labels.csv",
        ),
        ("id;tree;car;water\n0;1;1;0\n1;1;1;0\n2;0;0;0\n3;0;0;1.0\n4;1;0;0", {"columns": "all"}, "labels.csv"),
        (
            "\n".join(
                json.dumps({"file_name": name, "labels": text.split("|") if text else []})
                for name, text in SETS.items()
            ),
            {"separator": ","},
            "labels.jsonl",
        ),
    ],
    ids=["separator", "spaces", "columns", "all columns", "lists"],
)
def test_a_table_of_any_form_gives_the_same_sets(ingested, table, labels, name):
    results = ingested(table, labels, name)
    assert sets_of(results) == SETS
    assert read_json(results / "classes.json") == ["car", "tree", "water"]


def test_the_audit_counts_labels_and_which_stand_together(ingested, capsys):
    results = ingested("\n".join(ROWS), {"separator": ";"})
    said = capsys.readouterr().out
    assert "5 photos kept; 3 labels: car 2, tree 3, water 1" in said
    assert "labels: car 2 (40%), tree 3 (60%), water 1 (20%); 1 photo has none; 1.20 a photo" in said
    assert "combinations: 4: car|tree 2, none 1, water 1, tree 1" in said
    found = read_json(results / "source.json")["label_sets"]
    assert found["photos_of_label"] == {"car": 2, "tree": 3, "water": 1}
    assert found["photos_of_combination"][""] == 1


def test_two_rows_of_one_photo_with_other_labels_are_in_conflict_and_none_at_all_is_a_label_set(ingested):
    results = ingested("\n".join([*ROWS, "0.png,water"]), {"separator": ";"})
    audit = read_table(results / "audit.csv").set_index("path")
    assert audit.loc["0.png", "verdict"] == "conflicting_rows"
    assert "labels car|tree and water" in audit.loc["0.png", "detail"]
    assert audit.loc["2.png", "verdict"] == "kept"


def test_corrections_give_a_photo_another_set_or_none(ingested):
    fixes = b"path,label,action\n3.png,water|tree,relabel\n4.png,,relabel\n1.png,,drop\n"  # our own separator too
    results = ingested("\n".join(ROWS), {"separator": ";", "corrections": "fixes.csv"}, more={"fixes.csv": fixes})
    assert sets_of(results) == {"0.png": "car|tree", "2.png": "", "3.png": "tree|water", "4.png": ""}


@pytest.mark.parametrize(
    ("table", "labels", "sentence"),
    [
        ("path,tree,car\n0,1,maybe", {"columns": "all"}, "row 2 of labels.csv has 'maybe' in the column car"),
        ("path,tree,car\n0,1,1", {"columns": ["tree", "cart"]}, "source.labels.columns is 'cart', a column that"),
        ("path,labels\n0,a|b;c\n1,c", {"separator": ";"}, "labels.csv has the label 'a|b'; '|' stands between"),
        ("path,labels\n0,\n1,\n", {"separator": ";"}, "photos that were kept have no label at all"),
        ("path,labels\n0,tree\n1,\n", {"separator": ";"}, "have one label only, 'tree'"),
        ("path,kinds\n0,tree\n1,\n", {"separator": ";"}, "none of the columns label, labels, class"),
    ],
)  # fmt: skip
def test_a_table_that_does_not_do_is_one_sentence(ingested, table, labels, sentence):
    with pytest.raises(UserError) as caught:
        ingested(table, labels)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def job(source, experiment=None, **changes):
    """Return a job of one experiment on one data set, a probe of several labels unless it says otherwise."""
    settings = {"dataset": "photos", "recipe": "probe", "override": {"head": {"output": "sigmoid"}}} | (
        experiment or {}
    )
    values = {"runs": ["mine"], "datasets": {"photos": {"source": source}}, "experiments": {"mine": settings}}
    return Job(values | changes, RECIPES)


SEVERAL = {"folder": "photos", "labels": {"table": "labels.csv", "separator": ";"}}


@pytest.mark.parametrize(
    ("source", "experiment", "changes", "sentence"),
    [
        (SEVERAL, {"override": {}}, {}, "head.output of mine is 'softmax', which gives a photo one label"),
        ({"folder": "photos"}, {}, {}, "head.output of mine is 'sigmoid', which is for several labels a photo"),
        (SEVERAL, {}, {"evaluation": {"unsure_below": 0.7}}, "evaluation.unsure_below is for one label a photo"),
        (
            {"folder": "photos", "labels": {"pattern": "(?P<label>x)", "separator": ";"}},
            {},
            {},
            "`pattern` and `separator` do not go together",
        ),
        (
            {"folder": "photos", "labels": {"columns": "tree"}},
            {},
            {},
            "source.labels.columns: 'tree' is neither `all` nor a list of the names of columns, such as [tree, car]",
        ),
        (
            {"folder": "photos", "labels": {"columns": "all", "label": "x"}},
            {},
            {},
            "`columns` and `label` do not go together: labels stand in one column, or in many",
        ),
    ],
)
def test_what_does_not_go_with_several_labels_is_refused_before_any_job(source, experiment, changes, sentence):
    with pytest.raises(UserError) as caught:
        job(source, experiment, **changes)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_runs_of_one_label_and_of_several_are_not_compared():
    values = yaml.safe_load((ROOT / "config" / "several_labels.yaml").read_text())
    values["datasets"]["scenes"] = {"source": {"sample": "scenes"}}
    values["experiments"]["plain"] = {"dataset": "scenes", "recipe": "probe"}
    assert Job(values, RECIPES).several
    with pytest.raises(UserError, match="runs has 'plain', of one label a photo, and 'contents', of several"):
        Job(values | {"runs": ["contents", "plain"]}, RECIPES)
    assert not Job(values | {"runs": ["plain"]}, RECIPES).several


def test_wrong_labels_can_be_asked_for():
    cached, plain = job(SEVERAL).features_of_dataset("photos")
    assert cached == plain  # a probe has no views


@pytest.mark.parametrize(("head", "choose"), [("sigmoid", "accuracy"), ("softmax", "mean_average_precision")])
def test_a_sweep_cannot_choose_by_a_number_that_its_runs_lack(head, choose):
    source = SEVERAL if head == "sigmoid" else {"folder": "photos"}
    settings = {"override": {"head": {"output": head}}, "sweep": {"seed": [0, 1]}, "choose": choose}
    with pytest.raises(UserError, match=f"choose of mine-seed0 is '{choose}', which is for") as caught:
        job(source, settings)
    assert "log_loss" in str(caught.value)


def test_a_sweep_of_several_labels_can_choose():
    for choose in ("log_loss", "mean_average_precision"):
        swept = job(SEVERAL, {"sweep": {"seed": [0, 1]}, "choose": choose})
        assert swept.run("mine-seed1").recipe.selection.on == "held_out"


def test_networks_can_be_tabulated_and_fine_tuned_with_the_same_head():
    asked = job(SEVERAL, {"sweep": {"backbone": ["VGG16", "MobileNet"]}}, model_table={"sweep": "mine", "finetune": 1})
    assert len(asked.runs_of_table) == 2
    tuned = asked.run("mine-VGG16-finetuned")
    assert (tuned.experiment.recipe, tuned.recipe.head.output) == ("graft", "sigmoid")


def test_exports_can_be_listed_and_asked_for():
    assert job(SEVERAL, {"exports": ["onnx"]}).exports("mine") == ["onnx"]
    assert job(SEVERAL).export("mine", "litert").name == "litert"


def test_the_drawn_contents_are_the_drawn_scenes_with_a_table_of_what_they_show(tmp_path):
    from graft.sample.scenes import draw_contents, draw_scene

    source = json.dumps({"sample": {"name": "contents", "train": 2, "val": 1}})
    paths = ["--archive", str(tmp_path / "a.zip"), "--record", str(tmp_path / "d.json")]
    draw_sample.main(["--source", source, *paths])
    photo_of, things = draw_contents("urban", [0, 0, 1, 0])
    assert (photo_of == draw_scene("urban", [0, 0, 1, 0])).all()
    labels = job({"sample": "contents"}).dataset("photos").source.labels
    arguments = ["--photos", str(tmp_path / "a.zip"), "--arrived", str(tmp_path / "d.json")]
    ingest_dataset.main([*arguments, "--output", str(tmp_path / "results"), "--labels", labels.model_dump_json()])
    manifest = read_table(tmp_path / "results" / "manifest.csv").set_index("path")
    assert manifest.loc["train/0001.png", "labels"] == "|".join(things)
    assert manifest["source_split"].value_counts().to_dict() == {"train": 4, "val": 2}
