"""docs/labels.md: every configuration in it, run as far as the split."""

import json
import re

import pytest
import yaml
from photo_files import photo, write_files

import ingest_dataset
import split_dataset
from graft.config.base import parse
from graft.config.dataset import Dataset
from graft.data import preflight
from graft.storage.files import read_table
from places import ROOT

PAGE = (ROOT / "docs" / "labels.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
FIXES = re.search(r"```\n(path,label,action\n.*?)```", PAGE, re.DOTALL)[1]
NAMES = [
    (f"{kind}_nest{nest}_0{number}.png", kind)
    for kind in ("robin", "wren")
    for nest in (1, 2, 3, 4)
    for number in (1, 2)
]


def table(header, rows, delimiter=","):
    return "\n".join(delimiter.join(row) for row in [header.split(), *rows]).encode()


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Go to a folder that has all the photos and tables that the page speaks of."""
    photos = {name: photo(seed) for seed, (name, _) in enumerate(NAMES)}
    roles = ["train" if "nest4" not in name else "val" for name, _ in NAMES]
    nests = [(name[:-4], kind, role, name[:-7]) for (name, kind), role in zip(NAMES, roles, strict=True)]
    half = len(NAMES) // 2
    files = {f"birds/{name}": data for name, data in photos.items()}
    files |= {f"birds_by_folder/{kind}/{name}": photos[name] for name, kind in NAMES}
    files |= {f"birds_by_class/{kind}/{name}": photos[name] for name, kind in NAMES}
    files |= {f"birds_from_hugging_face/photos/{name}": data for name, data in photos.items()}
    files["birds_from_hugging_face/photos/metadata.csv"] = table(
        "file_name label species", [(*pair, pair[1]) for pair in NAMES]
    )
    files["birds_by_folder/metadata.csv"] = table("file_name label", [(NAMES[half][0], "owl")])
    files["birds.csv"] = table("image_id label", NAMES)
    files["nests.tsv"] = table("photo species part nest", nests, "\t")
    files["split.csv"] = table("path role", [(name, role) for (name, _), role in zip(NAMES, roles, strict=True)])
    files["fixes.csv"] = FIXES.encode()
    write_files(tmp_path, files)
    monkeypatch.chdir(tmp_path)
    preflight.listing.cache_clear()
    return tmp_path


@pytest.mark.parametrize("block", BLOCKS)
def test_every_configuration_of_the_page_is_split_as_it_says(block, here):
    for name, values in yaml.safe_load(block)["datasets"].items():
        dataset = parse(Dataset, values, f"datasets.{name}")
        preflight.check_source(name, dataset)
        results = here / "results" / name
        labels = dataset.source.labels.model_dump_json() if dataset.source.labels else "{}"
        arguments = ["--photos", dataset.source.folder, "--output", str(results), "--labels", labels]
        ingest_dataset.main([*arguments, "--settings", dataset.ingest.model_dump_json()])
        settings = json.dumps(dataset.split.model_dump(mode="json"))
        files = ["--manifest", str(results / "manifest.csv"), "--output", str(results / "split.csv")]
        split_dataset.main([*files, "--settings", settings])
        split = read_table(results / "split.csv")
        assert set(split["label"]) == {"robin", "wren"}
        assert set(split["role"]) == {"train", "val"}
        assert split.groupby("path")["label"].first().shape[0] == len(NAMES) - ("corrections" in block)
        if "group" in block:
            assert split["group"].nunique() == (
                4 if "pattern" in block else 8
            )  # nest1 of both birds is one group there
        if "role:" in block or "file:" in block:
            assert split.loc[split["path"].str.contains("nest4"), "role"].eq("val").all()
        if "corrections" in block:
            labels = split.set_index("path")["label"]
            assert labels["wren/wren_nest1_02.png"] == "robin"
            assert "robin/robin_nest3_01.png" not in labels


def test_the_page_has_all_its_configurations():
    assert len(BLOCKS) == 8
