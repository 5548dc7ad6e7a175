"""Labels in a table under Snakemake: what a change of the table makes anew."""

import pytest

from project import COLOURS, Project, draw_photos, quick

SPLIT = ("--nolock", "results/data/photos/split.csv")  # an option first: --configfile takes all that follows it


@pytest.fixture
def flat(tmp_path):
    """Return a project on one flat folder of photos, with a table beside it: id, kind, part."""
    photos = draw_photos(tmp_path / "drawn", COLOURS, 6)
    (tmp_path / "photos").mkdir()
    rows = ["id;kind;part"]
    for name in COLOURS:
        for number in range(6):
            (photos / name / f"{number}.png").rename(tmp_path / "photos" / f"{name}{number}.png")
            rows.append(f"{name}{number};{name};{'val' if number > 3 else 'train'}")
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    labels = {"table": "labels.csv", "label": "kind", "role": "part"}
    return Project(tmp_path, quick({"source": {"folder": "photos", "labels": labels}}))


def test_a_change_of_the_table_or_of_the_corrections_is_noticed(flat):
    flat.run(*SPLIT)
    split = flat.table("data/photos/split.csv")
    assert split.groupby(["label", "role"]).size().to_dict() == {
        (name, role): n for name in COLOURS for role, n in (("train", 4), ("val", 2))
    }
    assert "Nothing to be done" in flat.run(*SPLIT)

    table = flat.folder / "labels.csv"
    table.write_text(table.read_text().replace("sky5;sky;val", "sky5;sky;test"))
    assert "ingest_dataset" in flat.rules_to_run()
    flat.set("datasets.photos.source.labels.corrections", "fixes.csv")
    (flat.folder / "fixes.csv").write_text("path,label,action\nsky0,grass,\nsky1,,drop\n")
    flat.run(*SPLIT)
    split = flat.table("data/photos/split.csv").set_index("path")
    assert split.loc["sky5.png", "role"] == "test"
    assert split.loc["sky0.png", "label"] == "grass"
    assert "sky1.png" not in split.index
    audit = flat.table("data/photos/audit.csv").set_index("path")
    assert audit.loc[["sky0.png", "sky1.png"], "verdict"].tolist() == ["relabelled", "withdrawn"]
    assert flat.json("data/photos/source.json")["corrections"]["relabelled"] == 1

    (flat.folder / "fixes.csv").write_text("path,label,action\nsky0,grass,\n")
    flat.run(*SPLIT)
    assert len(flat.table("data/photos/split.csv")) == 18


def test_a_table_that_is_missing_stops_before_any_job(flat):
    flat.set("datasets.photos.source.labels.table", "lables.csv")
    said = flat.run(fails=True)
    (line,) = {line for line in said.splitlines() if line.startswith("graft: ")}
    assert line.startswith("graft: datasets.photos.source.labels.table is 'lables.csv', which is no file here")
    assert "Job stats" not in said
