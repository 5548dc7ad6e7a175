"""The model table, by its command: with a network whose weights cannot be fetched, and the best one fine-tuned."""

import os
import subprocess
import sys

import pytest
import yaml

from places import ROOT
from project import Project

pytestmark = [pytest.mark.shared, pytest.mark.slow]
SHORT = {"frozen": {"method": "probe"}, "finetune": {"epochs": 1, "batch_size": 8, "unfreeze": 1}}


@pytest.fixture(scope="module")
def table(tmp_path_factory, photos, keras_home) -> Project:
    """Return a project whose model table was made of a random, a real and a missing network."""
    folder = tmp_path_factory.mktemp("table")
    (folder / "short.yaml").write_text(yaml.safe_dump(SHORT))
    networks = [
        {"name": "Rootstock", "weights": "none", "size": 32},
        {"name": "MobileNet", "alpha": 0.25, "size": 32},
        {"name": "MobileNetV2", "alpha": 1.4, "size": 32},  # whose weights lie nowhere
    ]
    configuration = {
        "runs": ["table"],
        "datasets": {"photos": {"source": {"folder": str(photos)}}},
        "experiments": {"table": {"dataset": "photos", "recipe": "probe", "sweep": {"backbone": networks}}},
        "model_table": {"repeats": 3, "finetune": 1, "recipe": "short.yaml"},
    }
    nowhere = {f"{kind}_proxy": "http://127.0.0.1:9" for kind in ("http", "https")}
    environment = {"KERAS_HOME": str(keras_home), "no_proxy": "", "NO_PROXY": "", **nowhere}
    project = Project(folder, configuration, environment)
    project.said = command(project)
    return project


def command(project: Project) -> str:
    """Run the command that the documentation names; return what it said."""
    (project.folder / "job.yaml").write_text(yaml.safe_dump(project.configuration))
    called = [sys.executable, str(ROOT / "workflow" / "commands" / "model_table.py"), "--cores", "4"]
    called += ["--configfile", "job.yaml", "--resources", "gpu=1"]
    kept = {"cwd": project.folder, "env": {**os.environ, **project.environment}, "timeout": 600}
    done = subprocess.run(called, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kept)
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


def test_the_table_is_made_of_the_networks_that_can_be_had_and_names_the_others(table):
    rows = table.table("model_table/table.csv")
    assert sorted(rows["network"]) == ["MobileNet 0.25", "Rootstock, random"]
    assert (rows[["cpu_ms_1", "cpu_ms_32", "embed_seconds", "peak_memory_mb", "accuracy"]] > 0).all().all()
    assert rows.set_index("network")["parameters"]["MobileNet 0.25"] == 218_544  # Keras counts the same
    last = table.said.splitlines()[-2:]
    assert last[0].startswith("Of 2 networks: ")
    assert last[1].startswith(
        "Missing: MobileNetV2 1.4, since the ImageNet weights of MobileNetV2 could not be downloaded"
    )
    for name in ("page.html", "table.tex", "accuracy_and_time.png"):
        assert (table.folder / "results" / "model_table" / name).stat().st_size > 500


def test_the_best_network_is_fine_tuned_and_compared_with_its_probe(table):
    best = table.table("model_table/table.csv")["run"].iloc[0]
    [tuned] = table.table("model_table/finetuned.csv").to_dict("records")
    assert tuned["run"] == f"{best}-finetuned"
    assert table.said.count("Fine-tuning table-") == 1


def test_the_report_has_the_page_of_the_table(table):
    report = (table.folder / "results" / "report.html").read_text()
    for shown in ("Model table", "page: which network", "table: every network", "table: the best networks, fine-tuned"):
        assert shown in report


def test_once_made_it_asks_for_what_is_missing_and_repeats_nothing_else(table):
    again = command(table)
    assert "Fetching the weights of MobileNetV2-a1.4-32-imagenet" in again
    for done in ("Timing", "Embedding", "Training the head of table-Rootstock", "Fine-tuning"):
        assert f"{done} " not in again
