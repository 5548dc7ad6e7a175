"""docs/several_labels.md: every configuration in it, run as far as the split or checked as a whole."""

import re

import pytest
import yaml
from photo_files import photo, write_files

import ingest_dataset
import split_dataset
from graft.config.resolution import Job
from graft.data import preflight
from graft.storage.files import read_table
from places import ROOT

PAGE = (ROOT / "docs" / "several_labels.md").read_text(encoding="utf-8")
BLOCKS = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
DATASETS = {name: values for block in BLOCKS for name, values in block.get("datasets", {}).items()}
EXPERIMENTS = {name: values for block in BLOCKS for name, values in block.get("experiments", {}).items()}
SETS = {"1.jpg": "car|tree", "2.jpg": "", "3.jpg": "water"}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Go to a folder that has the photos and tables that the page speaks of, each of its three photos four times."""
    names = {f"{number}{copy}.jpg": SETS[f"{number}.jpg"] for number in (1, 2, 3) for copy in "abcd"}
    files = {f"streets/{name}": photo(seed, "JPEG") for seed, name in enumerate(names)}
    rows = [f"{name},{text.replace('|', ';')}" for name, text in names.items()]
    labels = ("tree", "car", "water")
    flags = [",".join([name, *("1" if label in text else "0" for label in labels)]) for name, text in names.items()]
    files["labels.csv"] = "\n".join(["path,labels", *rows]).encode()
    files["flags.csv"] = "\n".join(["path,tree,car,water", *flags]).encode()
    write_files(tmp_path, files)
    monkeypatch.chdir(tmp_path)
    preflight.listing.cache_clear()
    return names


@pytest.mark.parametrize("block", [block["datasets"] for block in BLOCKS if "datasets" in block], ids=str)
def test_every_table_of_the_page_is_read_and_split(block, here, tmp_path):
    for name, values in block.items():
        job = Job({"runs": ["streets"], "datasets": {**DATASETS, name: values}, "experiments": EXPERIMENTS},
                  ROOT / "config" / "recipes")  # fmt: skip
        preflight.check_source(name, job.dataset(name))
        labels = job.dataset(name).source.labels
        results = tmp_path / "results" / name
        ingest_dataset.main(["--photos", "streets", "--output", str(results), "--labels", labels.model_dump_json()])
        split_dataset.main(["--manifest", f"{results}/manifest.csv", "--output", f"{results}/split.csv"])
        table = read_table(results / "split.csv")
        assert dict(zip(table["path"], table["labels"], strict=True)) == here
        assert set(table["role"]) == {"train", "val"}


def test_the_experiment_of_the_page_is_one_of_several_labels():
    job = Job(
        {"runs": list(EXPERIMENTS), "datasets": DATASETS, "experiments": EXPERIMENTS}, ROOT / "config" / "recipes"
    )
    assert job.several


def test_the_first_table_of_the_page_is_the_one_that_the_tests_use():
    shown = re.search(r"```\n(path,labels\n.*?)```", PAGE, re.DOTALL)[1].splitlines()
    assert shown[1:] == ["1.jpg,tree;car", "2.jpg,", "3.jpg,water"]
