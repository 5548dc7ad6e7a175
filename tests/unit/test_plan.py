"""What is said of a sweep before it runs: how much there is to do, what is shared, roughly what it takes."""

import yaml

from graft.config.backbone import NATIVE_SIZE, Backbone
from graft.config.resolution import Job
from graft.planning import plan
from places import ROOT


def job(sweep, source=None, **changes) -> Job:
    """Return the default job with a sweep over its one experiment."""
    values = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    values["experiments"]["lesson"] |= {"sweep": sweep} | changes
    values["datasets"]["urban_rural"]["source"] = source or {"sample": {"name": "scenes", "train": 36, "val": 10}}
    return Job(values, ROOT / "config" / "recipes")


def test_a_plan_counts_runs_and_what_they_share(tmp_path):
    swept = job({"backbone": ["VGG16", "MobileNet"], "seed": [0, 1]}, recipe="graft")
    runs, shared, cost = plan.plan_lines(swept, "lesson", tmp_path)
    assert "4 runs: lesson-VGG16-seed0, lesson-VGG16-seed1, lesson-MobileNet-seed0, lesson-MobileNet-seed1" in runs
    assert "4 heads to train, 4 networks to fine-tune" in shared
    assert "1 set of pixels, 2 files of weights, 2 sets of features" in shared
    assert "for 92 photos" in cost  # 2 classes of 36 + 10


def test_a_dataset_that_has_not_arrived_is_taken_for_a_thousand_photos(tmp_path):
    swept = job({"seed": [0, 1]}, source={"kaggle": "owner/name"})
    assert "if urban_rural has 1,000 photos" in plan.plan_lines(swept, "lesson", tmp_path)[-1]


def test_photos_of_a_manifest_and_of_a_folder_are_counted(tmp_path):
    for name in ("a/1.jpg", "a/2.jpg", "b/1.jpg", ".DS_Store"):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).touch()
    swept = job({"seed": [0, 1]}, source={"folder": str(tmp_path / "photos")})
    assert plan.photos_of(swept, "urban_rural", tmp_path) == 3
    manifest = tmp_path / "data" / "urban_rural" / "manifest.csv"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("path,label\na/1.jpg,a\nb/1.jpg,b\n")
    assert plan.photos_of(swept, "urban_rural", tmp_path) == 2


def test_the_cost_of_every_network_of_keras_is_known_and_grows_with_its_size():
    assert set(plan.networks()) >= set(NATIVE_SIZE)
    small, large = (plan.known(Backbone(name="VGG16", weights="none", size=size)) for size in (112, 224))
    assert large.photo_seconds == 4 * small.photo_seconds
    assert large.parameters == 14_714_688  # keras.applications.VGG16(include_top=False)
    assert round(large.photo_seconds * plan.RATE / 1e9, 1) == 15.3  # thousand million multiply-adds, without its top


def test_the_cost_of_a_preset_of_kerashub_is_estimated_and_that_of_a_user_s_own_is_not(tmp_path):
    # DINOv2 small at 224 pixels: 22 million weights, 5.5 thousand million multiply-adds (timm's table)
    small = plan.known(Backbone(name="hub/dinov2_small", size=224))
    assert 0.5 < small.photo_seconds * plan.RATE / 5.5e9 < 2
    assert (
        "no estimate"
        not in plan.plan_lines(
            job({"backbone": [{"name": "hub/dinov2_small", "weights": "preset"}]}), "lesson", tmp_path
        )[-1]
    )
    assert plan.known(Backbone(name="hub/mine", weights=str(tmp_path), size=224)) is None


def test_longer_training_costs_more_time_and_no_more_disk(tmp_path):
    def minutes_and_disk(epochs: int) -> tuple[str, str]:
        swept = job({"seed": [0, 1]}, override={"finetune": {"epochs": epochs}})
        said = plan.plan_lines(swept, "lesson", tmp_path)[-1]
        return said.partition("about ")[2].partition(" on ")[0], said.partition(" of disk")[0].rpartition("and ")[2]

    assert minutes_and_disk(10)[0] != minutes_and_disk(1000)[0]
    assert minutes_and_disk(10)[1] == minutes_and_disk(1000)[1]
