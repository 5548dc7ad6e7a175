"""The chain from end to end: what a user's first run leaves, and what the next one does not do again."""

import copy
import os
import shutil
import zipfile

import numpy as np
import pytest

from project import COLOURS, Project, draw_photos, quick


def test_a_folder_of_photos_becomes_results_and_a_report(built):
    results = built.folder / "results"
    evaluation = built.table("runs/quick/evaluation.csv")
    assert set(evaluation.stage) == {"head", "finetuned"}
    assert (built.table("runs/quick/raw_predictions.csv").label.isin(COLOURS)).all()
    figures = {path.name for path in (results / "runs" / "quick" / "figures").glob("*.png")}
    assert {"learning_curves.png", "prediction_grid.png", "confusion_matrix.png", "gradcam.png"} <= figures
    for name in ("comparison.csv", "comparison.png", "report.html", "runs/quick/MODEL_CARD.md"):
        assert (results / name).stat().st_size > 200, name


def test_a_run_without_folders_of_its_own_splits_every_class_alike(built):
    split = built.table("data/photos/split.csv")
    counts = split.groupby(["label", "role"]).size().unstack()
    assert set(counts["val"]) == {2}  # nearest to a fifth of 9 photos
    assert counts.to_numpy().sum() == 27


def test_a_second_run_does_nothing(built):
    assert "Nothing to be done" in built.run()


def test_a_result_that_was_edited_is_not_called_done(built):
    table = built.folder / "results" / "comparison.csv"
    written, times = table.read_text(), table.stat()
    table.write_text(written.replace("quick", "slow"))
    os.utime(table, ns=(times.st_atime_ns, times.st_mtime_ns))
    said = built.run(fails=True)
    assert "graft: results/comparison.csv is not as it was written (it was edited, cut or replaced): delete it" in said
    assert "Traceback" not in said
    table.write_text(written)
    os.utime(table, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert "Nothing to be done" in built.run()


def test_the_users_photos_are_as_they_were(built, photos):
    assert sorted(path.name for path in photos.rglob("*.png")) == sorted(f"{i}.png" for _ in COLOURS for i in range(9))


@pytest.mark.parametrize(
    ("key", "value", "rules"),
    [
        ("figures.prediction_grid.columns", 5, {"draw_figures", "report_runs", "all"}),
        (
            "experiments.quick.exports",
            ["saved_model"],
            {"export_model", "join_exports", "compare_runs", "report_runs", "all"},
        ),
        (
            "experiments.quick.override.finetune.optimizer.learning_rate",
            2e-5,
            {"fine_tune", "predict", "evaluate", "compare_runs", "draw_figures", "report_runs", "all"},
        ),
    ],
    ids=[
        "a plot option never retrains",
        "an export trains nothing again",
        "a fine-tuning rate never retrains the head",
    ],
)
def test_a_change_reruns_what_it_touches(built, key, value, rules):
    changed = Project(built.folder, copy.deepcopy(built.configuration))
    changed.set(key, value)
    planned = changed.rules_to_run()
    assert rules <= planned
    assert not planned & {"ingest_dataset", "split_dataset", "pack_images", "embed_images", "train_head"}
    if not key.endswith("learning_rate"):
        assert planned == rules


def test_a_new_photo_in_the_folder_is_noticed(tmp_path):
    folder = draw_photos(tmp_path / "mine", COLOURS, 6)
    project = Project(tmp_path, quick({"source": {"folder": str(folder)}}))
    project.run("--until", "ingest_dataset")
    assert "ingest_dataset" not in project.rules_to_run()
    shutil.copy(folder / "sky" / "0.png", folder / "sky" / "new.png")
    assert "ingest_dataset" in project.rules_to_run()


def test_the_same_job_twice_gives_the_same_bytes(built, tmp_path):
    again = Project(tmp_path, built.configuration)
    again.run("--", "results/runs/quick/evaluation.csv")
    names = ("predictions.csv", "evaluation.csv", "history.csv", "split.csv", "manifest.csv")
    assert again.results(*names) == built.results(*names)


def test_the_chain_in_plain_keras_embeds_and_trains_anew_and_ends_the_same_to_rounding(built, tmp_path):
    shutil.copytree(built.folder, tmp_path, symlinks=True, dirs_exist_ok=True)  # as deep: code is named relative to it
    plain = Project(tmp_path, built.configuration | {"fast_path": False})
    planned = plain.rules_to_run()
    assert {"embed_images", "train_head", "fine_tune"} <= planned
    assert not planned & {"ingest_dataset", "split_dataset", "pack_images", "fetch_weights"}
    plain.run("--", "results/runs/quick/evaluation.csv")
    assert len(list((plain.folder / "results" / "features" / "photos").glob("*-plain*.npy"))) == 1
    for stage in ("head", "finetuned"):
        fast, slow = (one.table(f"runs/quick/fold0/{stage}/history.csv") for one in (built, plain))
        assert slow.loss.tolist() == pytest.approx(fast.loss.tolist(), rel=1e-2)
    fast, slow = (one.table("runs/quick/predictions.csv").filter(like="probability") for one in (built, plain))
    assert np.abs(fast.to_numpy() - slow.to_numpy()).max() < 5e-3


def test_an_archive_with_train_and_val_folders_keeps_them(tmp_path):
    draw_photos(tmp_path / "set" / "train", {"no": (20, 20, 20), "yes": (230, 230, 230)}, 8)
    draw_photos(tmp_path / "set" / "val", {"no": (20, 20, 20), "yes": (230, 230, 230)}, 3, seed=1)
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for path in sorted((tmp_path / "set").rglob("*.png")):
            archive.write(path, path.relative_to(tmp_path / "set"))
    configuration = quick({"source": {"archive": str(tmp_path / "set.zip")}})
    configuration["experiments"]["quick"]["recipe"] = "probe"  # a run with a head alone
    configuration["experiments"]["quick"]["override"] = {}
    project = Project(tmp_path, configuration)
    project.run("--", "results/runs/quick/evaluation.csv")
    assert project.table("data/photos/split.csv").role.value_counts().to_dict() == {"train": 16, "val": 6}
    assert set(project.table("runs/quick/evaluation.csv").stage) == {"head"}


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("experiments.quick.backbone.name", "MobileNte", "did you mean 'MobileNet'"),
        ("datasets.photos.source", {"folder": "nowhere"}, "nowhere"),
        ("runs", ["quik"], "did you mean 'quick'"),
    ],
)
def test_a_mistake_ends_in_one_line_and_no_traceback(tmp_path, key, value, sentence):
    project = Project(tmp_path, quick({"source": {"folder": "photos"}}))
    project.set(key, value)
    said = project.run(fails=True)
    lines = [line for line in said.splitlines() if line.startswith("graft: ")]
    assert len(lines) == 1
    assert sentence in lines[0]
    assert "Traceback" not in said
