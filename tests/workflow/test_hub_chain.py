"""The drawn sample through the whole chain with a tiny vision transformer of KerasHub, from a folder."""

import importlib.util
import json
import subprocess
import sys
import zipfile

import pytest

from places import ROOT
from project import Project
from tiny_presets import save_preset

pytestmark = pytest.mark.skipif(importlib.util.find_spec("keras_hub") is None, reason="KerasHub: make hub-setup")


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """Return a project that ran: a head and fine-tuning on the class token, and a probe on class token and mean."""
    folder = tmp_path_factory.mktemp("hub")
    save_preset("vit", folder / "vit")
    backbone = {"name": "hub/tiny_vit", "weights": "vit"}
    short = {
        "frozen": {"epochs": 3, "steps_per_epoch": 3, "views": 2},
        "finetune": {"epochs": 2, "steps_per_epoch": 2, "unfreeze": 2, "layer_decay": 0.8},
    }
    configuration = {
        "runs": ["tuned", "probed"],
        "datasets": {"scenes": {"source": {"sample": {"name": "scenes", "seed": 0, "train": 12, "val": 6}}}},
        "experiments": {
            "tuned": {"dataset": "scenes", "recipe": "lesson", "backbone": backbone, "override": short},
            "probed": {"dataset": "scenes", "recipe": "probe", "backbone": backbone | {"tokens": "class+mean"}},
        },
    }
    project = Project(folder, configuration)
    project.said = project.run()
    return project


def test_every_stage_is_judged(chain):
    stages = chain.table("runs/tuned/evaluation.csv")
    assert set(stages["stage"]) == {"head", "finetuned"}
    assert set(chain.table("runs/probed/evaluation.csv")["stage"]) == {"head"}
    assert chain.rules_to_run() == set()


def test_features_are_as_wide_as_the_tokens_that_are_asked_for(chain):
    import numpy as np

    widths = {
        path.stem: np.load(path, mmap_mode="r").shape[-1]
        for path in (chain.folder / "results" / "features").rglob("*.npy")
    }
    assert sorted(widths.values()) == [16, 32]


def test_no_figure_is_missing(chain):
    assert "could not be drawn" not in chain.said
    for run in ("tuned", "probed"):
        assert (chain.folder / "results/runs" / run / "figures/gradcam.png").is_file()


def test_the_model_file_answers_new_photos(chain):
    photos = sorted((chain.folder / "results/data/scenes/images").rglob("*.png"))[:3]
    command = [sys.executable, str(ROOT / "workflow/commands/classify.py"), "results/runs/tuned/model.keras"]
    done = subprocess.run([*command, *map(str, photos)], cwd=chain.folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3
    with zipfile.ZipFile(chain.folder / "results/runs/tuned/model.keras") as archive:
        assert json.loads(archive.read("graft.json"))["tokens"] == {"prefix": 1, "side": 4}


def test_a_preset_that_nobody_knows_is_one_sentence(chain, tmp_path):
    other = Project(tmp_path, json.loads(json.dumps(chain.configuration)))
    other.set("experiments.tuned.backbone", {"name": "hub/vit_base_patch16_224_imagnet"})
    said = other.run("--dry-run", fails=True)
    assert "did you mean 'vit_base_patch16_224_imagenet'?" in said
    assert "Traceback" not in said


def test_the_model_table_has_a_preset_beside_other_networks(chain):
    other = Project(chain.folder, json.loads(json.dumps(chain.configuration)))  # the same photos and preset
    networks = [{"name": "ColourHistogram", "size": 32}, {"name": "hub/tiny_vit", "weights": "vit"}]
    other.configuration |= {"runs": ["table"], "model_table": {"repeats": 3}}
    other.configuration["experiments"] = {
        "table": {"dataset": "scenes", "recipe": "probe", "sweep": {"backbone": networks}}
    }
    other.run("--", "model_table")
    rows = other.table("model_table/table.csv").set_index("network")
    assert sorted(rows.index) == ["ColourHistogram", "hub/tiny_vit, vit"]
    preset = rows.loc["hub/tiny_vit, vit"]
    assert preset["parameters"] > 1000
    assert preset["depth"] > 10  # layers with weights, those inside of blocks too
    assert preset["cpu_ms_1"] > 0
    assert preset["multiply_adds"] != preset["multiply_adds"]  # not known, so left empty
    assert "Model table" in (other.folder / "results" / "report.html").read_text()
