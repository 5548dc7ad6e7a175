"""A competition under Snakemake, from the loopback Kaggle: photos in, a submission out, in the form of its sample."""

import os
import zipfile

import pytest

from project import COLOURS, Project, draw_photos, quick
from server import KaggleServer

SLUG = "walls-and-meadows"
IDS = [f"wanted_{number}" for number in range(5)]


@pytest.fixture
def archive(tmp_path):
    """Return a competition's archive: train/ and test/, a table of labels, and a sample."""
    drawn = draw_photos(tmp_path / "drawn", COLOURS, 8)
    path, rows = tmp_path / "set.zip", ["id,kind"]
    with zipfile.ZipFile(path, "w") as out:
        for name in COLOURS:
            for number in range(8):
                rows.append(f"{name}_{number},{name}")
                out.write(drawn / name / f"{number}.png", f"train/{name}_{number}.png")
        for number, one in enumerate(draw_photos(tmp_path / "more", {"grass": COLOURS["grass"]}, 5, 1).rglob("*.png")):
            out.write(one, f"test/{IDS[number]}.png")
        out.writestr("train.csv", "\n".join([*rows, ""]))
        columns = ["sky", "brick", "grass"]
        lines = [f"{one},0.4,0.3,0.3" for one in reversed(IDS)]
        out.writestr("sample_submission.csv", "\n".join([",".join(["id", *columns]), *lines, ""]))
    return path.read_bytes()


def test_a_competition_ends_in_a_submission_and_its_photos_judge_nothing(archive, tmp_path):
    (tmp_path / "home").mkdir()
    dataset = {"source": {"competition": SLUG, "labels": {"table": "train.csv", "label": "kind"}}}
    configuration = quick(dataset, recipe="probe", override={}, submission={})
    configuration["datasets"]["photos"]["split"] = {"method": "kfold", "k": 2}
    configuration["evaluation"] = {"metrics": ["map_at_2", "quadratic_kappa"]}
    with KaggleServer(archive) as server:
        environment = server.environment(tmp_path / "home") | {"KAGGLE_API_TOKEN": "KGAT_secret"}
        project = Project(tmp_path, configuration, environment)
        said = project.run()
    assert "5 without a label, to be predicted" in said
    assert "KGAT_secret" not in said
    predicted = project.table("runs/quick/unlabelled_predictions.csv")
    assert sorted(predicted["path"]) == [f"test/{one}.png" for one in IDS]
    judged = project.table("runs/quick/predictions.csv")
    assert not judged["path"].str.startswith("test/").any()
    assert set(project.table("data/photos/split.csv")["role"]) == {"train", "val", "unlabelled"}
    assert {"map_at_2", "quadratic_kappa"} <= set(project.table("runs/quick/evaluation.csv").columns)
    lines = (tmp_path / "results" / "runs" / "quick" / "submission.csv").read_text().splitlines()
    assert lines[0] == "id,sky,brick,grass"
    assert [line.split(",")[0] for line in lines[1:]] == IDS[::-1]
    chances = predicted.set_index("path").loc[f"test/{IDS[4]}.png"]
    assert [float(cell) for cell in lines[1].split(",")[1:]] == pytest.approx(
        [chances[f"calibrated_{name}"] for name in ("sky", "brick", "grass")], abs=1e-8
    )

    project.set("experiments.quick.submission", {"values": "classes"})
    assert project.rules_to_run() == {"all", "write_submission"}
    assert os.path.getsize(tmp_path / "results" / "report.html") > 0  # noqa: PTH202


def test_a_submission_without_such_photos_stops_before_any_job(tmp_path):
    photos = draw_photos(tmp_path / "photos", COLOURS, 4)
    project = Project(tmp_path, quick({"source": {"folder": str(photos)}}, submission={}))
    (line,) = {one for one in project.run(fails=True).splitlines() if one.startswith("graft: ")}
    assert line.startswith(
        "graft: experiments.quick.submission answers for photos without a label, and datasets.photos"
    )
    project.set("datasets.photos.ingest", {"policy": {"unlabelled": "keep"}})
    said = project.run(fails=True)
    assert "experiments.quick.submission.sample is 'sample_submission.csv', which is no file here" in said
    assert "Job stats" not in said
