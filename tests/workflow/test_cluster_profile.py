"""The Slurm profile against the rules: what it must name, and that every line says what it is for."""

import re

import yaml

from places import ROOT

PROFILE = ROOT / "workflow" / "profiles" / "slurm" / "config.yaml"


def test_every_line_of_the_profile_has_a_comment():
    assert [line for line in PROFILE.read_text().splitlines() if line.strip() and "# " not in line] == []


def test_a_user_edits_three_lines():
    edits = re.findall(r"^ +(\w+): .*# EDIT (\d):", PROFILE.read_text(), re.MULTILINE)
    assert edits == [("slurm_account", "1"), ("slurm_partition", "2"), ("slurm_partition", "3")]


def test_every_rule_that_asks_for_a_gpu_goes_to_the_gpu_partition():
    profile = yaml.safe_load(PROFILE.read_text())
    rules = "".join(path.read_text() for path in sorted((ROOT / "workflow" / "rules").glob("*.smk")))
    bodies = re.findall(r"^rule (\w+):(.*?)(?=^\S|\Z)", rules, re.MULTILINE | re.DOTALL)
    asking = {name for name, body in bodies if re.search(r"^ +gpu=", body, re.MULTILINE)}
    assert asking >= {"embed_images", "train_head", "fine_tune", "predict"}
    assert profile["set-resources"] == {name: {"slurm_partition": "gpu"} for name in asking}


def test_rules_that_need_a_network_run_where_the_run_was_started():
    rules = "".join(path.read_text() for path in sorted((ROOT / "workflow" / "rules").glob("*.smk")))
    bodies = dict(re.findall(r"^rule (\w+):(.*?)(?=^\S|\Z)", rules, re.MULTILINE | re.DOTALL))
    assert all("localrule: True" in bodies[name] for name in ("download_dataset", "fetch_weights"))
