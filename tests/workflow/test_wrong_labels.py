"""Wrong labels among real photos: listed first, and mended by a table of corrections."""

import csv
import zipfile

import numpy as np
import pytest

from graft.data.split import groups_of
from graft.training.out_of_fold import out_of_fold
from project import Project, quick

ISSUES = ("--nolock", "results/data/flowers/label_issues.csv")  # an option first: --configfile takes all that follows
BACKBONE = {"name": "MobileNet", "alpha": 0.25, "weights": "imagenet", "size": 224}


def write_csv(path, header, rows):
    with open(path, "w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([header, *rows])


def flip(truth, share, seed):
    """Return the labels of photos, {path: label}, a share of them changed to another class each."""
    draw = np.random.default_rng(seed)
    classes = sorted(set(truth.values()))
    flipped = draw.choice(sorted(truth), round(share * len(truth)), replace=False)
    others = {path: [name for name in classes if name != truth[path]] for path in flipped}
    return truth | {path: str(draw.choice(others[path])) for path in flipped}


def accuracy(project, features, labels, truth):
    """Return the share of all photos that a probe gets right which learns these labels from four fifths of them.

    It is the mean over three draws of the folds, each of which moves it by a point.
    """
    manifest = project.table("data/flowers/manifest.csv")
    classes = sorted(set(truth.values()))
    codes = manifest["path"].map(labels).map(classes.index).to_numpy()
    right = manifest["path"].map(truth).map(classes.index).to_numpy()
    groups = groups_of(manifest, None)
    return float(np.mean([out_of_fold(features, codes, groups, seed).argmax(1) == right for seed in range(3)]))


@pytest.mark.shared
def test_flipped_flowers_are_listed_first_and_mending_them_regains_the_accuracy(shared, keras_home, tmp_path):
    with zipfile.ZipFile(shared / "data" / "flowers5.zip") as archive:
        truth = {name: name.split("/")[0] for name in archive.namelist() if name.endswith(".jpg")}
    given = flip(truth, 0.1, seed=0)
    wrong = {path for path in truth if given[path] != truth[path]}
    write_csv(tmp_path / "labels.csv", ["path", "label"], given.items())
    source = {"archive": str(shared / "data" / "flowers5.zip"), "labels": {"table": "labels.csv"}}
    experiment = {"dataset": "flowers", "recipe": "graft", "backbone": BACKBONE}
    job = {"runs": ["flowers"], "datasets": {"flowers": {"source": source}}, "experiments": {"flowers": experiment}}
    project = Project(tmp_path, job, {"KERAS_HOME": str(keras_home)})
    said = project.run(*ISSUES)
    assert "labels are suspect: " in said

    issues = project.table("data/flowers/label_issues.csv")
    kept = set(issues["path"])
    first = issues["path"].head(round(0.15 * len(issues)))
    listed = len(wrong & set(first)) / len(wrong & kept)
    assert listed >= 0.8
    (cached,) = (tmp_path / "results" / "features" / "flowers").glob("*.npy")
    features = np.load(cached)[0]  # of the photos as they are: no experiment was run, so no views were made

    mended = [(path, truth[path]) for path in first if path in wrong]  # what a look at the list finds
    write_csv(tmp_path / "fixes.csv", ["path", "label"], mended)
    clean, flipped, again = (
        accuracy(project, features, labels, truth) for labels in (truth, given, given | dict(mended))
    )
    print(f"{listed:.3f} of the flipped listed")
    print(f"accuracy {clean:.3f} with the true labels, {flipped:.3f} flipped, {again:.3f} mended")
    assert again >= clean - 0.02  # a few of the flipped were not on the list
    assert again - flipped >= (clean - flipped) / 2 > 0

    project.set("datasets.flowers.source.labels.corrections", "fixes.csv")
    project.run("--nolock", "results/data/flowers/manifest.csv")
    manifest = project.table("data/flowers/manifest.csv").set_index("path")["label"]
    assert manifest[[path for path, _ in mended]].tolist() == [label for _, label in mended]
    audit = project.table("data/flowers/audit.csv")
    assert (audit["verdict"] == "relabelled").sum() == len(mended)
    assert project.json("data/flowers/source.json")["corrections"]["relabelled"] == len(mended)


def test_a_dataset_that_no_experiment_is_on_is_one_sentence(tmp_path, photos):
    configuration = quick({"source": {"folder": str(photos)}})
    configuration["datasets"]["others"] = configuration["datasets"]["photos"]
    said = Project(tmp_path, configuration).run("--nolock", "results/data/others/label_issues.csv", fails=True)
    assert (
        "graft: no experiment is on the dataset 'others', so there is no backbone to look at it with; add one" in said
    )
    assert "Traceback" not in said
