"""Many photos: one row for each file, in any format, in order, whatever stopped the command before."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
from photo_files import huge_png
from PIL import Image

import classify as command
from graft.config.backbone import Backbone
from graft.config.recipe import Head
from graft.errors import UserError
from graft.machine import runtime
from graft.network.assembly import assemble
from graft.network.backbones import build_backbone
from graft.network.head import build_head
from graft.network.model_file import save_model
from graft.predicting import decoding, score_tables, scoring
from graft.predicting.classify import classify
from graft.predicting.verdicts import Verdict
from networks import lively
from places import ROOT

FACTS = {"classes": ["rural", "urban"], "size": 32, "temperature": 2.0, "threshold": 0.5}
COLUMNS = ["path", "predicted", "probability", "sure", "unlike", "distance"]
COLUMNS += ["probability_rural", "probability_urban", "fault"]


@pytest.fixture(scope="module")
def model_file(tmp_path_factory) -> Path:
    backbone = lively(build_backbone(Backbone(name="MobileNet", alpha=0.25, weights="none", size=32)))
    head = build_head(Head(output="logit"), 256, 2, 0)
    head.get_layer("logits").set_weights([np.random.default_rng(0).normal(0, 1, (256, 1)), np.zeros(1)])
    path = tmp_path_factory.mktemp("model") / "model.keras"
    save_model(assemble(backbone, head, "tf", "avg"), FACTS, path)
    return path


@pytest.fixture(scope="module")
def model(model_file) -> keras.Model:
    return keras.models.load_model(model_file, compile=False)


@pytest.fixture
def photos(tmp_path):
    """Return a folder of 40 photos and two files that are none."""
    rng, folder = np.random.default_rng(0), tmp_path / "photos"
    folder.mkdir()
    for index in range(40):
        Image.fromarray(rng.integers(0, 256, (40 + index, 60, 3), dtype=np.uint8)).save(folder / f"{index:02}.png")
    (folder / "20-bad.png").write_text("hello")
    (folder / "huge.png").write_bytes(huge_png(60_000, 60_000))
    return folder


def names(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.iterdir())


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(autouse=True)
def started(monkeypatch):
    """Leave the framework as this process has started it."""
    monkeypatch.setattr(runtime, "start", lambda seed, threads: None)


def run(*arguments: object) -> None:
    command.main([str(argument) for argument in arguments])


def test_every_file_has_a_row_in_order_and_a_bad_one_its_reason(model_file, photos, tmp_path):
    output = tmp_path / "scores.csv"
    with pytest.raises(UserError, match=r"2 of 42 files could not be read: column fault says why"):
        run(model_file, photos, "--output", output)
    table = rows(output)
    assert list(table[0]) == COLUMNS
    assert [row["path"] for row in table] == names(photos)
    faults = {Path(row["path"]).name: row["fault"] for row in table if row["fault"]}
    assert faults["20-bad.png"] == "no readable picture (UnidentifiedImageError)"
    assert faults["huge.png"] == "3,600,000,000 pixels, more than the 178,956,970 that are read"
    assert {row["probability"] for row in table if row["fault"]} == {""}
    assert not list(tmp_path.glob("*.part"))


def test_the_scores_are_those_of_a_few_photos(model_file, model, photos, tmp_path):
    output = tmp_path / "scores.csv"
    with pytest.raises(UserError):
        run(model_file, photos, "--output", output)
    few = {verdict.path: verdict for verdict in classify(model, FACTS, names(photos))}
    read = [row for row in rows(output) if not row["fault"]]
    chances = np.array([[float(row["probability_rural"]), float(row["probability_urban"])] for row in read])
    assert np.ptp(chances[:, 1]) > 1e-3  # else equal probabilities would show nothing
    assert np.allclose(chances, [few[row["path"]].probabilities for row in read], atol=1e-5)
    assert [row["predicted"] for row in read] == [few[row["path"]].label for row in read]


def test_what_was_scored_before_a_stop_is_not_scored_again(model, photos, tmp_path, monkeypatch):
    asked = []

    def counted(model, facts, paths, *rest, **options):
        asked.extend(paths)
        return classify(model, facts, paths, *rest, **options)

    monkeypatch.setattr(scoring, "classify", counted)
    paths = names(photos)
    whole = list(scoring.score(model, FACTS, paths, 0, scoring.Lines(tmp_path / "whole.part", {"model": "a"})))
    asked.clear()
    part = tmp_path / "cut.part"
    kept = (tmp_path / "whole.part").read_bytes().splitlines(keepends=True)[:33]
    part.write_bytes(b"".join(kept) + b'{"path": "half a li')  # a line for what was asked, 32 photos, half a photo
    Image.new("RGB", (9, 9)).save(paths[0])  # changed since
    again = list(scoring.score(model, FACTS, paths, 0, scoring.Lines(part, {"model": "a"})))
    bad = str(photos / "20-bad.png")
    assert asked == [paths[0], bad, *paths[32:]]
    assert [row["path"] for row in again] == paths
    for before, after in zip(whole[1:], again[1:], strict=True):
        assert after["predicted"] == before["predicted"]
        assert np.allclose(after["probabilities"], before["probabilities"], atol=1e-6)


def test_a_part_of_another_model_is_not_gone_on_with(tmp_path):
    with scoring.Lines(tmp_path / "t.part", {"model": "a"}).opened():
        pass
    with (
        pytest.raises(UserError, match=r"t.part was begun with another model: delete it"),
        scoring.Lines(tmp_path / "t.part", {"model": "b"}).opened(),
    ):
        pass


def test_two_commands_never_write_one_table(tmp_path):
    with (
        scoring.Lines(tmp_path / "t.part", {}).opened(),
        pytest.raises(UserError, match="another command is writing"),
        scoring.Lines(tmp_path / "t.part", {}).opened(),
    ):
        pass


@pytest.mark.long
def test_a_killed_command_leaves_no_process_and_the_next_goes_on(model_file, photos, tmp_path):
    for index in range(600):  # so many that it does not end before it is killed
        (photos / f"more-{index:03}.png").symlink_to(photos / "00.png")
    output = tmp_path / "scores.jsonl"
    script = [sys.executable, str(ROOT / "workflow/commands/classify.py"), str(model_file), str(photos)]
    script += ["--output", str(output), "--threads", "1", "--workers", "1"]
    part = tmp_path / "scores.jsonl.part"
    process = subprocess.Popen(script, start_new_session=True, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (part.exists() and part.stat().st_size > 10_000) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.wait()
    deadline = time.monotonic() + 20
    while in_session(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not in_session(process.pid)
    assert not output.exists()
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert "photos were scored before" in done.stdout
    assert done.returncode == 1  # for the two bad files
    assert [json.loads(line)["path"] for line in output.read_text().splitlines()] == names(photos)


def in_session(leader: int) -> list[int]:
    """Return the live processes of a session."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == leader and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found


def test_processes_decode_as_this_one_does(photos):
    decoder, paths = decoding.Decoder(32), names(photos)
    here, there = (list(decoding.decoded(paths, decoder, workers)) for workers in (0, 2))
    assert [batch.paths for batch in here] == [batch.paths for batch in there]
    assert [batch.faults for batch in here] == [batch.faults for batch in there]
    assert all(np.array_equal(one.pixels, other.pixels) for one, other in zip(here, there, strict=True))


class Deadly(decoding.Decoder):
    """A decoder that some photos kill, as a fault in a library for damaged files would."""

    def __call__(self, paths):
        if any("07" in path for path in paths):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(paths)


def test_a_file_that_kills_its_process_gets_a_reason_and_no_other_photo_is_lost(photos):
    paths = names(photos)
    batches = list(decoding.decoded(paths, Deadly(32), workers=1))
    assert [path for batch in batches for path in batch.paths] == paths
    (killed,) = [batch.paths[place] for batch in batches for place, why in batch.faults.items() if "killed" in why]
    assert killed.endswith("07.png")
    assert sum(len(batch.pixels) for batch in batches) == 39


@pytest.mark.parametrize(("photos_asked", "asked", "expected"), [(10, None, 0), (10, 2, 2), (9999, 0, 0)])
def test_few_photos_start_no_process(photos_asked, asked, expected):
    assert decoding.workers_for(photos_asked, asked) == expected


def test_lists_come_from_files_too(model_file, photos, tmp_path, capsys):
    (tmp_path / "list.txt").write_bytes("﻿".encode() + f"{photos}/03.png\r\n\r\n{photos}/01.png\n".encode())
    run(model_file, "--list", tmp_path / "list.txt", "--output", tmp_path / "t.csv")
    assert [Path(row["path"]).name for row in rows(tmp_path / "t.csv")] == ["03.png", "01.png"]
    with pytest.raises(UserError, match=r"the list .*no.txt cannot be read: No such file"):
        run(model_file, "--list", tmp_path / "no.txt")
    with pytest.raises(UserError, match="no photos in nothing"):
        run(model_file)


ROWS = [
    scoring.row_of(Verdict("a,b.png", "rural", 0.75, True, (0.75, 0.25), distance=0.5)),
    scoring.row_of(Verdict("odd-\udcff.png", fault="no such file")),
]


def test_json_lines_have_the_values_of_the_table(tmp_path):
    assert score_tables.write_scores(ROWS, FACTS["classes"], tmp_path / "t.jsonl") == (1, 1)
    first, second = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
    assert first == dict(zip(COLUMNS, ["a,b.png", "rural", 0.75, True, False, 0.5, 0.75, 0.25, ""], strict=True))
    assert second == dict(zip(COLUMNS, ["odd-\\udcff.png", *[None] * 7, "no such file"], strict=True))


def test_parquet_has_the_values_of_the_table(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is optional: envs/requirements-parquet.txt")
    score_tables.write_scores(ROWS, FACTS["classes"], tmp_path / "t.parquet")
    table = parquet.read_table(tmp_path / "t.parquet")
    assert table.column_names == COLUMNS
    assert table["probability_rural"].to_pylist() == [0.75, None]
    assert table["sure"].to_pylist() == [True, None]


def test_a_table_that_cannot_be_written_is_refused_before_the_work(model_file, photos, tmp_path, monkeypatch):
    with pytest.raises(UserError, match=r"the table's name ends in .csv, .jsonl, .ndjson, .parquet"):
        run(model_file, photos, "--output", tmp_path / "t.xlsx")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UserError, match=r"t.parquet is to be a Parquet file, which takes the package pyarrow"):
        run(model_file, photos, "--output", tmp_path / "t.parquet")
