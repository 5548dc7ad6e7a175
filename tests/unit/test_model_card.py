"""A model card: its front matter is what Hugging Face reads, its text says what the tables say."""

import json

import pandas as pd
import pytest
import yaml

from graft.reporting import exported, model_card
from made_runs import EXPORTED, made_predictions, write_run


def card_of(folder):
    """Return the front matter and the text of a run's card."""
    _, matter, text = (folder / "MODEL_CARD.md").read_text(encoding="utf-8").split("---\n", 2)
    return yaml.safe_load(matter), text


@pytest.fixture
def tuned(tmp_path):
    """A run whose head has 19 of 20 right, and whose choices were made on the validation photos that judge it."""
    stages = {
        "head": made_predictions(20, logit=True, chose=True),
        "finetuned": made_predictions(20, skill=3, logit=True, chose=True),
    }
    return write_run(tmp_path, "lesson", stages)


def test_the_front_matter_is_hugging_faces(tuned):
    matter, _ = card_of(tuned)
    assert matter["library_name"] == "keras"
    assert matter["pipeline_tag"] == "image-classification"
    (model,) = matter["model-index"]
    (result,) = model["results"]
    assert result["task"]["type"] == "image-classification"
    assert result["dataset"] == {"type": "imagefolder", "name": "drawn", "split": "val"}
    assert {"type": "accuracy", "name": "Accuracy", "value": 1.0} in result["metrics"]


def test_the_text_has_interval_baseline_and_verdicts(tuned):
    _, text = card_of(tuned)
    assert "| Accuracy | 0.950 (0.764 to 0.991) | 1.000 (0.839 to 1.000) |" in text
    assert "| Majority-class baseline | 0.500 | 0.500 |" in text
    assert "- finetuned against head: not distinguishable from noise: 1 of 20 photos tells them apart, p = 1;" in text


def test_the_text_says_what_flatters_the_result(tuned):
    _, text = card_of(tuned)
    limits = text.split("## Limits")[1]
    assert "These photos also chose" in limits
    assert "20 photos judged it" in limits


def test_the_text_says_how_to_use_the_model(tuned):
    _, text = card_of(tuned)
    assert "takes RGB photos, 0 to 255, shape (n, 96, 96, 3)" in text
    assert "Classes, in order: rural, urban" in text
    assert "answer urban from 0.500 up (chosen by 20 photos of the validation photos)" in text


def test_weights_of_a_file_are_named_without_the_folders_of_this_machine(tmp_path):
    backbone = {"name": "MobileNet", "size": 96, "weights": "/home/me/secret/own.weights.h5"}
    experiment = {"dataset": "drawn", "recipe": "lesson", "backbone": backbone}
    folder = write_run(tmp_path, "own", {"head": made_predictions(20)})
    record = json.loads((folder / "provenance.json").read_text())
    record["config"]["experiments"]["own"] |= experiment
    assert "(weights: own.weights.h5)" in model_card.introduction(record, "head")


def test_a_run_with_exports_says_what_each_says(tuned):
    exports = pd.DataFrame([{**EXPORTED, "export": "litert-int8", "flipped": 3}])
    _, text = card_of(tuned)
    told = exported.in_card(text, exports)
    assert "| exports/litert-int8 | onnxruntime 1.32.0 | 0.950 | 3 of 20 |" in told
    assert text.index("## Use") < told.index("## Exports") < told.index("## How it was made")
    assert exported.in_card(told, exports) == told
    assert "## Exports" not in text


def test_a_run_without_fine_tuning_has_a_card_of_its_head(tmp_path):
    _, text = card_of(write_run(tmp_path, "probe", {"head": made_predictions(20)}))
    assert "with its backbone frozen" in text
    assert "finetuned" not in text


def test_many_classes_with_awkward_names_and_none_of_one(tmp_path):
    classes = ("a|b", "Ελλάδα", *(f"species {index}" for index in range(38)))
    rows = made_predictions(39, classes, skill=5)  # the last class has no photo
    _, text = card_of(write_run(tmp_path, "many", {"head": rows}))
    assert "a|b, Ελλάδα, species 0" in text
    assert "| a\\|b | 1 |" in text
    assert "| species 37 | 0 | - | - | - |" in text
    assert "no threshold" not in text
    assert "answer" not in text.split("## Use")[1].split("## How")[0]


def test_one_class_only_has_no_roc_area(tmp_path):
    rows = made_predictions(20)
    rows = rows[rows["label"] == "rural"]
    matter, text = card_of(write_run(tmp_path, "one", {"head": rows}))
    assert "| ROC AUC | - |" in text
    assert "roc_auc" not in matter["metrics"]


def test_under_k_fold_all_photos_speak(tmp_path):
    rows = pd.concat(
        [
            made_predictions(10, fold=fold, role="test", photos=[f"{fold}-{index}" for index in range(10)])
            for fold in range(5)
        ]
    )
    matter, text = card_of(write_run(tmp_path, "folds", {"head": rows}))
    assert "On 50 test photos" in text
    assert matter["model-index"][0]["results"][0]["dataset"]["split"] == "test"
