"""The benchmarks start, and what they share counts right."""

import csv
import math
import subprocess
import sys

import keras
import pandas as pd
import pytest

import timing
from chain import work_seconds
from loop_keras import forward_flops
from pipeline import covered
from places import ROOT
from recipes import averaged

STARTED = sorted(path.name for path in (ROOT / "benchmarks").glob("*.py") if path.name not in ("chain.py", "timing.py"))
STARTED.remove("loop_timm.py")  # needs PyTorch, which is no part of Graft


@pytest.mark.parametrize("name", STARTED)
def test_every_benchmark_explains_itself(name):
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / name, "--help"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "usage: " in done.stdout


def test_a_rules_own_clock_is_read_from_its_logs(tmp_path):
    logs = tmp_path / "logs" / "embed_images"
    logs.mkdir(parents=True)
    lines = ["32/1,092 views, 5.0 s, 6/s, 166 s left", "1,092/1,092 views, 70.5 s, 1,016/s, 0 s left"]
    (logs / "one.log").write_text("".join(f"embed_images: {line}\n" for line in lines))
    (logs / "two.log").write_text("fine_tune: lesson, fold 0: trained in 12.3 s\n")
    assert work_seconds(tmp_path, "embed_images") == pytest.approx(82.8)
    assert work_seconds(tmp_path, "train_head") == 0


def test_a_median_of_rounds_is_the_middle_one():
    rounds = [{"seconds": 3.0, "peak_mb": 5.0}, {"seconds": 90.0, "peak_mb": 7.0}, {"seconds": 2.0, "peak_mb": 6.0}]
    assert timing.medians(rounds) == {"seconds": 3.0, "peak_mb": 6.0}
    assert timing.spread(rounds, "seconds") == "2.00 to 90.0"


@pytest.mark.parametrize(
    ("faster_is", "expected"),
    [("less", [1.0, 4.0, 0.5]), ("more", [1.0, 0.25, 2.0])],  # 8 / 2 and 8 / 16; 2 / 8 and 16 / 8
)
def test_a_ratio_says_how_many_times_faster_than_the_base(faster_is, expected):
    rows = [{"speed": 8.0}, {"speed": 2.0}, {"speed": 16.0}]
    assert [row["times"] for row in timing.with_ratios(rows, "speed", rows[0], "times", faster_is)] == expected


def test_without_a_base_no_ratio_is_claimed():
    (row,) = timing.with_ratios([{"speed": 8.0}], "speed", None, "times", "less")
    assert math.isnan(row["times"])
    assert timing.table_of([row]).splitlines() == ["speed  times", " 8.00"]


def test_rounds_are_interleaved_and_a_failing_variant_is_left_out(capsys):
    order = []

    def good():
        order.append("good")
        return {"seconds": float(len(order))}

    def fails_in_the_second_round():
        order.append("bad")
        if order.count("bad") == 2:
            raise timing.Failed("out of memory")
        return {"seconds": 0.0}

    measured = timing.rounds_of({"good": good, "bad": fails_in_the_second_round}, rounds=3)
    assert order == ["good", "bad", "good", "bad", "good"]
    assert measured == {"good": [{"seconds": 1.0}, {"seconds": 3.0}, {"seconds": 5.0}]}
    assert "left out: bad: out of memory" in capsys.readouterr().out


def test_a_report_has_the_columns_of_all_rows(tmp_path, capsys):
    rows = [{"who": "a", "seconds": 1.23456}, {"who": "b", "seconds": 2.0, "share": 0.5}]
    timing.report(rows, tmp_path / "deep" / "table.csv")
    with open(tmp_path / "deep" / "table.csv", newline="") as stream:
        assert list(csv.reader(stream)) == [["who", "seconds", "share"], ["a", "1.235", ""], ["b", "2.0", "0.5"]]
    assert "who  seconds  share\na       1.23\nb       2.00  0.500\n" in capsys.readouterr().out


def test_a_whole_process_is_timed_with_the_memory_of_its_children():
    grandchild = "import time; held = bytearray(300_000_000); held[::4096] = b'x' * len(held[::4096]); time.sleep(1)"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grandchild!r}])"
    finished = timing.whole_process([sys.executable, "-c", child])
    assert 1.0 < finished.seconds < 30
    assert 300 < finished.peak_mb < 400 or sys.platform != "linux"


def test_a_failed_process_says_its_reason_and_a_good_one_its_numbers():
    with pytest.raises(timing.Failed, match="status 1: ZeroDivisionError: division by zero"):
        timing.whole_process([sys.executable, "-c", "1 / 0"])
    code = f"import sys; sys.path.insert(0, {str(ROOT / 'benchmarks')!r}); import timing; timing.tell(seconds=1.5)"
    assert timing.whole_process([sys.executable, "-c", code]).numbers() == {"seconds": 1.5}
    with pytest.raises(timing.Failed, match="it told no numbers: hello"):
        timing.whole_process([sys.executable, "-c", "print('hello')"]).numbers()


def test_the_speed_of_a_loop_leaves_its_first_steps_out(monkeypatch):
    clock, done = [0.0], []

    def run(steps):
        done.append(steps)
        clock[0] += 100.0 if len(done) == 1 else 0.5 * steps  # the first compiles

    monkeypatch.setattr(timing.time, "perf_counter", lambda: clock[0])
    assert timing.images_per_second(run, batch=8, seconds=10.0) == 16.0  # 8 a half second
    assert done == [2, 1, 20]


def test_spans_that_overlap_count_once():
    assert covered([(0.0, 4.0), (1.0, 2.0), (10.0, 11.0)]) == 5.0
    assert covered([]) == 0.0


def test_flops_are_two_for_every_multiplication():
    pixels = keras.Input((4, 4, 3))
    x = keras.layers.Conv2D(5, 3, padding="same")(pixels)  # 16 places x 3 x 3 x 3 channels x 5
    x = keras.layers.DepthwiseConv2D(3, strides=2, padding="same")(x)  # 4 places x 3 x 3 x 5
    x = keras.layers.Dense(2)(keras.layers.Flatten()(x))  # 20 x 2
    assert forward_flops(keras.Model(pixels, x)) == 2 * (16 * 27 * 5 + 4 * 9 * 5 + 20 * 2)


def test_the_flops_of_resnet50_are_the_published_ones():
    network = keras.applications.ResNet50(include_top=False, weights=None, input_shape=(224, 224, 3))
    assert forward_flops(network) == pytest.approx(2 * 3.8e9, rel=0.03)  # He et al., CVPR 2016, table 1: 3.8e9


def test_two_stages_together_answer_with_the_mean_of_their_logits():
    asked = pd.DataFrame(
        {"path": ["a", "b", "c"], "label": "rose", "fold": 0, "role": "val", "group": [0, 1, 2], "chose": 0}
    )
    head = pd.DataFrame({"probability_rose": [0.8, 0.9, 1.0], "probability_tulip": [0.2, 0.1, 0.0], "ms": 3.0})
    tuned = pd.DataFrame({"probability_rose": [0.5, 0.02, 0.1], "probability_tulip": [0.5, 0.98, 0.9], "ms": 4.0})
    together = averaged(head, tuned, asked, ["rose", "tulip"])
    # Odds of rose: sqrt(4 x 1) = 2; sqrt(9 / 49) = 3 / 7; and beside what is sure, one ninth counts for nothing.
    assert together["probability_rose"].tolist() == pytest.approx([2 / 3, 3 / 10, 1.0])
    assert together["predicted"].tolist() == ["rose", "tulip", "rose"]
    assert set(together["stage"]) == {"averaged"}
    assert set(together["ms"]) == {7.0}
