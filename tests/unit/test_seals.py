"""No file of the chain that was cut, edited or replaced between two runs ends in a number, or in a traceback."""

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import compare_runs
import draw_figures
import report_runs
from graft.config.figures import OF_A_RUN
from graft.config.resolution import Job
from graft.data import lock
from graft.errors import UserError
from graft.planning.written import check_written
from graft.storage import seals
from graft.storage.arrays import open_array
from graft.storage.files import atomic, read_table, write_json, write_table
from made_chain import Chain, call
from places import ROOT


@pytest.fixture
def chain(built, tmp_path) -> Chain:
    """Return a copy of what was built: what a user may spoil."""
    shutil.copytree(built.results, tmp_path / "results", symlinks=True)
    return Chain(tmp_path / "results", built.photos)


def cut(path):
    os.truncate(path, path.stat().st_size // 2)


def emptied(path):
    os.truncate(path, 0)


def rows_missing(path):
    array = np.load(path)
    np.save(path, array[:, :-3] if array.ndim == 3 else array[:-3])


def rows_swapped(path):
    array = np.load(path, mmap_mode="r+")
    photos = array[0] if array.ndim == 3 else array
    photos[[0, -1]] = photos[[-1, 0]]
    array.flush()


def rows_swapped_at_the_same_time(path):
    before = path.stat()
    rows_swapped(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def half_its_lines(path):
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[: len(lines) // 2]))


def cut_in_mid_line(path):
    text = path.read_text()
    path.write_text(text[: int(len(text) * 0.6)].rstrip("\n")[:-3])


def labels_flipped(path):
    table = pd.read_csv(path)
    table["label"] = table["label"].map({"cats": "dogs", "dogs": "cats"})
    table.to_csv(path, index=False)


def trained_photos_validate(path):
    table = pd.read_csv(path)
    table.loc[table["role"].eq("train") & (table.index % 3 == 0), "role"] = "val"
    table.to_csv(path, index=False)


def a_photo_in_both_roles(path):
    table = pd.read_csv(path)
    table.loc[len(table)] = table.iloc[0].to_dict() | {"role": "val" if table["role"].iat[0] == "train" else "train"}
    table.to_csv(path, index=False)


def all_right(path):
    table = pd.read_csv(path)
    table["predicted"] = table["label"]
    table.to_csv(path, index=False)


def perfect(path):
    table = pd.read_csv(path)
    table["accuracy"] = 1.0
    table.to_csv(path, index=False)


def one_row(path):
    pd.read_csv(path).head(1).to_csv(path, index=False)


def edited_number(path):
    path.write_text(path.read_text().replace("0.", "9.", 1))


ARRAY_FAULTS = [cut, emptied, rows_missing, rows_swapped, rows_swapped_at_the_same_time]
TABLE_FAULTS = [cut, emptied, half_its_lines, cut_in_mid_line]


def compare(chain):
    call(
        compare_runs,
        **{"provenance": chain.run / "provenance.json", "comparison": chain.results / "comparison.csv"},
        significance=chain.results / "comparison_significance.csv",
    )


def draw(chain):
    histories = [chain.file(stage, "history.csv") for stage in ("head", "finetuned")]
    call(
        draw_figures,
        **{"run": "quick", "predictions": chain.run / "predictions.csv", "manifest": chain.manifest},
        **{"features": chain.features, "images": chain.data / "images", "pixels": chain.pixels},
        **{"histories": histories, "models": chain.file("finetuned", "model.keras")},
        figures=[chain.run / "figures" / f"{name}.png" for name in OF_A_RUN],
        failed=chain.run / "figures" / "failed.json",
    )


def report(chain):
    figures = [chain.results / f"{name}.png" for name in ("comparison", "cost")]
    call(report_runs, runs=chain.run, results=chain.results, figures=figures, summary=chain.results / "summary.html")


def name_of(value):
    return getattr(value, "__name__", value)


ROWS = [
    *(("data/photos/pixels-32.npy", fault, Chain.embed) for fault in ARRAY_FAULTS),
    *(("data/photos/pixels-32.npy", fault, Chain.fine_tune) for fault in ARRAY_FAULTS[2:]),
    *(("data/photos/pixels-32.npy", fault, Chain.predict) for fault in ARRAY_FAULTS[2:]),
    *(("features/photos/f.npy", fault, Chain.train_head) for fault in ARRAY_FAULTS),
    ("features/photos/f.npy", rows_swapped, draw),
    *(("weights/rootstock.weights.h5", fault, Chain.embed) for fault in (cut, emptied)),
    ("weights/rootstock.weights.h5", cut, Chain.train_head),
    *(("data/photos/manifest.csv", fault, Chain.pack) for fault in (*TABLE_FAULTS, labels_flipped)),
    ("data/photos/manifest.csv", labels_flipped, Chain.split),
    *(("data/photos/split.csv", fault, Chain.train_head) for fault in (*TABLE_FAULTS, labels_flipped)),
    ("data/photos/split.csv", trained_photos_validate, Chain.train_head),
    ("data/photos/split.csv", trained_photos_validate, Chain.predict),
    ("data/photos/split.csv", a_photo_in_both_roles, Chain.fine_tune),
    ("data/photos/split.csv", labels_flipped, Chain.evaluate),
    ("data/photos/classes.json", cut, Chain.train_head),
    *(("runs/quick/fold0/head/model.keras", fault, Chain.fine_tune) for fault in (cut, emptied)),
    *(("runs/quick/fold0/finetuned/model.keras", fault, Chain.predict) for fault in (cut, emptied)),
    ("runs/quick/fold0/finetuned/model.keras", cut, Chain.evaluate),
    ("runs/quick/fold0/head/model.keras", cut, Chain.evaluate),
    *(("runs/quick/raw_predictions.csv", fault, Chain.evaluate) for fault in (*TABLE_FAULTS, all_right)),
    *(("runs/quick/predictions.csv", fault, draw) for fault in (half_its_lines, all_right)),
    *(("runs/quick/evaluation.csv", fault, compare) for fault in (one_row, perfect)),
    ("runs/quick/evaluation.csv", perfect, report),
    *(("runs/quick/provenance.json", fault, compare) for fault in (cut, edited_number)),
]


@pytest.mark.parametrize(("file", "fault", "stage"), ROWS, ids=name_of)
def test_a_file_that_was_spoilt_stops_the_stage_that_reads_it_in_one_sentence(chain, file, fault, stage):
    if stage is report:
        compare(chain)
    fault(chain.results / file)
    with pytest.raises(UserError, match=rf"{file} is not as it was written .*: delete it and run again"):
        stage(chain)


@pytest.mark.parametrize("reader", [Chain.predict, Chain.evaluate])
def test_the_heads_model_in_the_place_of_the_fine_tuned_one_is_noticed_even_with_its_seal(chain, reader):
    for name in ("model.keras", ".seals/model.keras.json"):
        source = chain.file("head", name)
        if source.is_file():
            shutil.copy(source, chain.file("finetuned", name))
    with pytest.raises(UserError, match=r"finetuned/model.keras is the model of quick, fold 0, head: delete it"):
        reader(chain)


def test_a_model_of_another_run_is_not_taken_for_this_ones(chain):
    shutil.copytree(chain.run, chain.results / "runs" / "other")
    chain.run = chain.results / "runs" / "other"
    with pytest.raises(UserError, match=r"other/fold0/head/model.keras is the model of quick, fold 0, head"):
        chain.predict()


def test_results_that_were_copied_elsewhere_are_good(chain):
    chain.predict()
    chain.evaluate()
    compare(chain)


def test_results_of_an_earlier_version_have_no_seals_and_are_read(chain):
    for folder in sorted(chain.results.rglob(".seals")):
        shutil.rmtree(folder)
    chain.predict()
    chain.evaluate()


@pytest.mark.parametrize(
    ("file", "fault", "stage"),
    [
        ("data/photos/pixels-32.npy", cut, Chain.predict),
        ("features/photos/f.npy", emptied, Chain.train_head),
        ("data/photos/split.csv", emptied, Chain.train_head),
        ("weights/rootstock.weights.h5", cut, Chain.train_head),
        ("runs/quick/fold0/finetuned/model.keras", cut, Chain.predict),
    ],
    ids=name_of,
)
def test_a_cut_file_without_a_seal_still_ends_in_a_sentence(chain, file, fault, stage):
    for folder in sorted(chain.results.rglob(".seals")):
        shutil.rmtree(folder)
    fault(chain.results / file)
    with pytest.raises(UserError, match=file):
        stage(chain)


@pytest.fixture
def job(chain) -> Job:
    """Return the job whose results the chain holds."""
    values = {
        "runs": ["quick"],
        "datasets": {"photos": {"source": {"folder": str(chain.photos)}}},
        "experiments": {"quick": {"dataset": "photos", "recipe": "lesson"}},
    }
    return Job(values, ROOT / "config" / "recipes")


def swapped_links(path):
    one, other = sorted(path.rglob("*.png"))[:2]
    targets = one.readlink(), other.readlink()
    for link, target in zip((other, one), targets, strict=True):
        link.unlink()
        link.symlink_to(target)


def deleted_photo(path):
    min(path.rglob("*.png")).unlink()


def own_copy(path):
    link = min(path.rglob("*.png"))
    photo = link.read_bytes()
    link.unlink()
    link.write_bytes(photo + b"more")


@pytest.mark.parametrize(
    ("file", "fault"),
    [
        ("runs/quick/model.keras", cut),
        ("runs/quick/evaluation.csv", perfect),
        ("runs/quick/raw_predictions.csv", all_right),
        ("comparison.csv", perfect),
        ("data/photos/pixels-32.npy", rows_swapped_at_the_same_time),
        ("data/photos/split.csv", labels_flipped),
        ("data/photos/source.json", cut),
    ],
    ids=name_of,
)
def test_a_file_that_was_spoilt_is_noticed_before_any_rule_runs(chain, job, file, fault):
    compare(chain)
    check_written(chain.results, job)
    fault(chain.results / file)
    with pytest.raises(UserError, match=rf"{file} is not as it was written .*: delete it and run again"):
        check_written(chain.results, job)


@pytest.mark.parametrize("fault", [swapped_links, deleted_photo, own_copy])
def test_a_photo_deleted_or_exchanged_in_the_results_is_noticed_before_any_rule_runs(chain, job, fault):
    check_written(chain.results, job)
    fault(chain.data / "images")
    with pytest.raises(UserError, match=r"images lacks photos, or has others than were checked \(cats/0.png"):
        check_written(chain.results, job)


def test_photos_that_were_copied_in_place_of_links_are_good(chain, job):
    shutil.copytree(chain.data / "images", chain.data / "copied")  # links followed
    shutil.rmtree(chain.data / "images")
    (chain.data / "copied").rename(chain.data / "images")
    check_written(chain.results, job)


def test_a_photo_of_an_archive_that_was_edited_with_its_time_put_back_is_noticed(chain, job):
    test_photos_that_were_copied_in_place_of_links_are_good(chain, job)  # as an archive's photos lie there
    photo = chain.data / "images" / "dogs" / "1.png"
    before = photo.stat()
    content = bytearray(photo.read_bytes())
    content[-20] ^= 1
    time.sleep(0.05)  # the file system's clock has ticks
    photo.write_bytes(content)
    os.utime(photo, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(UserError, match=r"or has others than were checked \(dogs/1.png\): delete the folder"):
        check_written(chain.results, job)


def test_a_record_of_photos_that_was_cut_ends_in_a_sentence_where_there_is_a_lock(chain, tmp_path):
    write_json({"archive": None, "photos": {}}, tmp_path / "lock.json", sealed=False)
    cut(chain.data / "source.json")
    with pytest.raises(UserError, match=r"source.json is damaged; delete .*photos and run again"):
        lock.check_results(chain.data, tmp_path / "lock.json")


def test_what_the_user_deleted_is_made_anew_without_a_word(chain, job):
    shutil.rmtree(chain.data / "images")
    chain.pixels.unlink()
    check_written(chain.results, job)
    assert not seals.seal_of(chain.pixels).exists()  # else a file from Snakemake's cache could not take its place


def test_several_spoilt_files_are_named_in_one_sentence(chain, job):
    cut(chain.manifest)
    cut(chain.pixels)
    with pytest.raises(UserError, match=r"manifest.csv, .*pixels-32.npy are not as they were .*: delete them and run"):
        check_written(chain.results, job)


def test_a_large_file_that_looks_untouched_is_not_read_again(tmp_path, monkeypatch):
    path = tmp_path / "large.npy"
    with atomic(path, sealed=True) as part:
        np.save(part, np.zeros(2**20))
    monkeypatch.setattr(seals, "digest_of", lambda path: pytest.fail("it was read"))
    assert open_array(path).shape == (2**20,)


def test_a_large_file_that_was_written_with_its_time_put_back_is_noticed(tmp_path):
    path = tmp_path / "large.npy"
    with atomic(path, sealed=True) as part:
        np.save(part, np.arange(2**20))
    time.sleep(0.05)  # the file system's clock has ticks
    rows_swapped_at_the_same_time(path)
    with pytest.raises(UserError, match="is not as it was written"):
        open_array(path)


def test_a_copy_of_a_large_file_is_read_once_and_then_trusted(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    with atomic(tmp_path / "here" / "large.npy", sealed=True) as part:
        np.save(part, np.zeros(2**20))
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    reads = []
    digest_of = seals.digest_of
    monkeypatch.setattr(seals, "digest_of", lambda path: reads.append(path) or digest_of(path))
    for _ in range(3):
        open_array(tmp_path / "there" / "large.npy")
    assert len(reads) == 1


def test_blocks_digested_side_by_side_tell_every_byte_and_their_order(tmp_path, monkeypatch):
    monkeypatch.setattr(seals, "BLOCK", 4)
    contents = [b"abcdefghij", b"abcdefghiX", b"efghabcdij", b"abcdefgh", b"abcd", b""]
    for number, content in enumerate(contents):
        (tmp_path / str(number)).write_bytes(content)
    assert len({seals.digest_of(tmp_path / str(number)) for number in range(len(contents))}) == len(contents)


@pytest.mark.parametrize("moment", ["rename", "seal"])
def test_a_kill_while_a_file_is_written_is_not_taken_for_an_edit(tmp_path, monkeypatch, moment):
    path = tmp_path / "split.csv"
    write_table(pd.DataFrame({"path": ["old.png"]}), path)

    def die(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(*((Path, "replace") if moment == "rename" else (seals, "write")), die)
        with pytest.raises(KeyboardInterrupt):
            write_table(pd.DataFrame({"path": ["new.png"]}), path)
    assert read_table(path)["path"].tolist() == ["old.png" if moment == "rename" else "new.png"]


def test_a_table_written_for_a_user_has_no_seal_and_may_be_edited(tmp_path):
    path = tmp_path / "mine.csv"
    write_table(pd.DataFrame({"path": ["a.png"]}), path, sealed=False)
    path.write_text("path\nb.png\n")
    assert read_table(path)["path"].tolist() == ["b.png"]
    assert not (tmp_path / ".seals").exists()


def test_a_file_that_is_written_without_a_seal_loses_the_old_one(tmp_path):
    path = tmp_path / "table.csv"
    write_table(pd.DataFrame({"path": ["a.png"]}), path)
    write_table(pd.DataFrame({"path": ["b.png"]}), path, sealed=False)
    assert read_table(path)["path"].tolist() == ["b.png"]
