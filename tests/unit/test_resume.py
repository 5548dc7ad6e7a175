"""A killed training: its state is taken up by the same training alone, holds no code, and goes when it is done."""

import contextlib
import os
import pickle
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from photo_files import two_classes, write_files

import made_chain
from graft.storage.files import read_json, read_table, write_json, write_table
from graft.training.resume import EVERY_SECONDS
from made_chain import Chain

GOES_ON = "going on after epoch"


class Killed(Exception):
    """Stands for the end of a process."""


@contextlib.contextmanager
def killed_in(place: str, epoch: int | None = None):
    """Let what runs inside end as a killed process does, where it calls `place`."""

    def die(self, at, *arguments, **options):
        if epoch is None or at == epoch:
            raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(EVERY_SECONDS, "0")
        patch.setattr(place, die)
        with pytest.raises(Killed):
            yield


@pytest.fixture(scope="module")
def left(tmp_path_factory) -> Chain:
    """Return a chain up to the head, which was killed in its third epoch of four."""
    folder = tmp_path_factory.mktemp("left")
    chain = Chain(folder / "results", write_files(folder / "photos", two_classes(12)))
    for stage in chain.stages[: chain.stages.index("train_head")]:
        getattr(chain, stage)()
    with killed_in("graft.training.callbacks.StopAtNaN.on_epoch_end", epoch=2):
        chain.train_head()
    return chain


@pytest.fixture
def killed(left, tmp_path) -> Chain:
    """Return a copy of the chain whose head was killed."""
    shutil.copytree(left.results, tmp_path / "results", symlinks=True)
    return Chain(tmp_path / "results", left.photos)


def states(chain) -> list[Path]:
    return sorted(path for path in (chain.results / "state").rglob("*") if path.is_file())


def test_the_same_training_goes_on(killed, capsys):
    killed.train_head()
    assert f"{GOES_ON} 2" in capsys.readouterr().out
    assert read_table(killed.file("head", "history.csv")).epoch.tolist() == [1, 2, 3, 4]


def test_another_run_with_other_features_trains_as_if_nothing_had_been_killed(killed, capsys):
    """Two experiments that differ in their augmentation only have the same settings of the head."""
    other = killed.features.with_name("g.npy")
    np.save(other, np.load(killed.features)[:, :, ::-1])
    killed.train_head("other", features=other)
    assert GOES_ON not in capsys.readouterr().out
    shutil.rmtree(killed.results / "state")
    resumed = (killed.results / "runs" / "other" / "fold0" / "head" / "history.csv").read_bytes()
    killed.train_head("other", features=other)
    assert (killed.results / "runs" / "other" / "fold0" / "head" / "history.csv").read_bytes() == resumed


def new_features(chain):
    np.save(chain.features, np.load(chain.features) + 1)
    shutil.rmtree(chain.features.with_name(".seals"), ignore_errors=True)


def new_split(chain):
    table = read_table(chain.table)
    table.loc[table["role"].eq("train").idxmax(), "role"] = "val"
    write_table(table, chain.table)


def new_manifest(chain):
    table = read_table(chain.manifest)
    table["sha256"] = "0" * 64
    write_table(table, chain.manifest)


def new_classes(chain):
    write_json(list(reversed(read_json(chain.data / "classes.json"))), chain.data / "classes.json")


@pytest.mark.parametrize("change", [new_features, new_split, new_manifest, new_classes])
def test_a_training_whose_input_changed_starts_anew(killed, capsys, change):
    change(killed)
    killed.train_head()
    assert GOES_ON not in capsys.readouterr().out


def test_another_run_of_the_same_settings_starts_anew(killed, capsys):
    killed.train_head("other")
    assert GOES_ON not in capsys.readouterr().out


def test_a_training_with_another_version_of_a_package_starts_anew(killed, capsys, monkeypatch):
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.0.1")
    killed.train_head()
    assert GOES_ON not in capsys.readouterr().out


def test_a_training_with_other_settings_starts_anew_and_clears_what_it_left(killed, capsys, monkeypatch):
    monkeypatch.setattr(made_chain, "HEAD", made_chain.HEAD.model_copy(update={"seed": 1}))
    killed.train_head()
    assert GOES_ON not in capsys.readouterr().out
    assert states(killed) == []


def test_a_training_that_succeeds_leaves_the_states_of_others_for_thirty_days(killed):
    old = killed.results / "state" / "left-by-an-earlier-version.state"
    old.write_bytes(b"")
    month = time.time() - 31 * 24 * 3600
    os.utime(old, (month, month))
    (mine,) = [path for path in states(killed) if path != old]
    killed.train_head("other")
    assert states(killed) == [mine]


class Command:
    """What a pickle can hold: a command that reading it runs."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_state_is_no_pickle_and_one_that_lies_in_its_place_is_not_run(killed, capsys, tmp_path):
    (state,) = states(killed)
    with np.load(state, allow_pickle=False) as arrays:
        assert all(arrays[name].dtype != object for name in arrays.files)
    state.write_bytes(pickle.dumps(Command(tmp_path / "ran")))
    killed.train_head()
    assert not (tmp_path / "ran").exists()
    assert "is damaged" in capsys.readouterr().out


@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_a_state_that_was_cut_is_left_aside_in_one_line(killed, capsys, share):
    (state,) = states(killed)
    os.truncate(state, int(state.stat().st_size * share))
    killed.train_head()
    said = capsys.readouterr().out
    assert [line for line in said.splitlines() if "damaged" in line and line.endswith("the training starts anew")]
    assert GOES_ON not in said
    assert len(read_table(killed.file("head", "history.csv"))) == 4


def test_a_changed_byte_of_a_state_is_noticed(killed, capsys):
    (state,) = states(killed)
    content = bytearray(state.read_bytes())
    content[len(content) // 2] ^= 1
    state.write_bytes(content)
    killed.train_head()
    assert GOES_ON not in capsys.readouterr().out


def test_a_fine_tuning_of_other_pixels_starts_anew(killed, capsys):
    killed.train_head()
    with killed_in("graft.storage.files.write_table"):  # the model is saved, its history not
        killed.fine_tune()
    assert states(killed)
    np.save(killed.pixels, 255 - np.load(killed.pixels))
    shutil.rmtree(killed.pixels.with_name(".seals"))
    capsys.readouterr()
    killed.fine_tune()
    assert GOES_ON not in capsys.readouterr().out
    assert states(killed) == []
