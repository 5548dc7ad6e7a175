"""What a research object holds, and a crate as it is read: every edit is noticed, and a run is repeated from it."""

import base64
import json
import shutil
import zipfile
from pathlib import Path

import pytest
import yaml

import reproduce
from graft.errors import UserError
from graft.reporting import crate, crate_files, crate_reading, provenance, reproduction, run_times
from graft.storage.files import read_json, read_table, sha256_of, write_json
from made_runs import made_predictions, write_run


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """Return the results of one finished run, `lesson`, with figures; tests copy them."""
    results = tmp_path_factory.mktemp("made") / "results"
    run = write_run(results, "lesson", {"head": made_predictions(20)})
    (run / "figures" / "report").mkdir(parents=True)
    for name in ("mistakes.png", "roc_pr.png", "roc_pr.pdf", "failed.json", "report/mistakes.jpg"):
        (run / "figures" / name).write_text(name)
    return results


@pytest.fixture
def results(made, tmp_path) -> Path:
    shutil.copytree(made, tmp_path / "project" / "results")
    return tmp_path / "project" / "results"


@pytest.fixture
def record(results):
    return reproduction.read_record(results, "lesson")


@pytest.fixture
def folder(results, record, tmp_path) -> Path:
    """Return a crate as `make crate` lays it out, with the least of a description: this needs no rocrate."""
    folder = tmp_path / "lesson"
    folder.mkdir()
    parts = [*crate_files.code(provenance.ROOT), *crate_files.inputs(results, record)]
    crate_files.write_parts([*parts, *crate_files.outputs(results, record, photos=True)], record, folder)
    crate.write_sums(folder)
    evaluation = "results/runs/lesson/evaluation.csv"
    graph = [{"@id": name, "sha256": sha256_of(folder / name)} for name in ("SHA256SUMS", evaluation)]
    write_json({"@graph": [{"@id": "./"}, *graph]}, folder / crate_reading.METADATA, sealed=False)
    return folder


def test_what_came_out_is_all_there_and_photos_only_where_they_may_be(results, record):
    names = [part.path for part in crate_files.outputs(results, record, photos=True)]
    below = "results/runs/lesson/"
    assert {f"{below}{name}" for name in ("evaluation.csv", "predictions.csv", "model.keras", "MODEL_CARD.md")} <= {
        *names
    }
    assert [name for name in names if "figures" in name] == [
        f"{below}figures/{name}" for name in ("mistakes.png", "roc_pr.pdf", "roc_pr.png")
    ]
    without = [part.path for part in crate_files.outputs(results, record, photos=False)]
    assert set(names) - set(without) == {f"{below}figures/mistakes.png"}


def test_a_table_of_the_user_comes_along_where_its_path_stays_below(results, record, tmp_path):
    (results.parent / "labels.csv").write_text("photo,label\n")
    (tmp_path / "else.csv").write_text("photo,label\n")
    source = {"folder": "/photos", "labels": {"table": "labels.csv", "corrections": "../else.csv"}}
    record["config"]["datasets"]["drawn"] = {"source": source, "split": {"file": str(tmp_path / "else.csv")}}
    tables = [part.path for part in crate_files.inputs(results, record) if part.parameter == "table"]
    assert tables == ["labels.csv"]


def test_the_lock_of_the_data_set_comes_along(results, record):
    lock = results.parent / "config" / "locks" / "drawn.json"
    lock.parent.mkdir(parents=True)
    lock.write_text("{}")
    assert "config/locks/drawn.json" in [part.path for part in crate_files.inputs(results, record)]


def test_the_code_has_the_digest_that_provenance_records(folder, record):
    assert provenance.code_record(folder)["sha256"] == record["code"]["sha256"]
    assert crate_reading.holds_recorded_code(folder, record)
    assert not (folder / "workflow" / "profiles" / "slurm").exists()  # it names accounts


def test_the_configuration_is_that_of_this_run_alone(folder, record):
    assert yaml.safe_load((folder / "config" / "config.yaml").read_text()) == record["config"]


def test_packages_are_listed_with_their_versions(folder, record):
    lines = (folder / "environment.txt").read_text().splitlines()
    assert lines[0] == f"# Python {record['machine']['python']}"
    assert f"keras=={record['packages']['keras']}" in lines


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("runs/lesson/model.keras", r"lesson/model\.keras does not exist, so lesson is not finished: run the job to"),
        ("runs/lesson/predictions.csv", r"lesson/predictions\.csv does not exist, so lesson is not finished"),
        ("data/drawn/split.csv", r"drawn/split\.csv does not exist, which lesson was made from: run the job again"),
    ],
)
def test_a_run_that_is_not_whole_is_one_sentence(results, record, name, sentence):
    (results / name).unlink()
    with pytest.raises(UserError, match=sentence):
        crate_files.check_finished(results, record)


def test_a_table_that_was_edited_since_is_one_sentence(results, record):
    path = results / "runs" / "lesson" / "evaluation.csv"
    shutil.rmtree(path.parent / ".seals")
    path.write_text("edited")
    with pytest.raises(UserError, match=r"evaluation\.csv is not the file that provenance\.json records"):
        crate_files.check_finished(results, record)


def test_other_photos_than_the_run_s_are_one_sentence(results, record):
    path = results / "data" / "drawn" / "manifest.csv"
    shutil.rmtree(path.parent / ".seals")
    path.write_text("path,label\n")
    with pytest.raises(UserError, match=r"manifest\.csv is another than lesson was made from: run the job again"):
        crate_files.check_finished(results, record)


def test_code_that_is_nowhere_is_one_sentence_unless_today_s_may_be_taken(record):
    record["code"] |= {"sha256": "0" * 64, "commit": None}
    with (
        pytest.raises(UserError, match=r"the code has changed since lesson was made.* --run lesson --changed-code"),
        crate_files.code_of(record, accept_changed=False),
    ):
        pass
    with crate_files.code_of(record, accept_changed=True) as (root, same):
        assert (root, same) == (provenance.ROOT, False)


def test_a_crate_that_nobody_touched_is_whole(folder):
    crate_reading.check(folder, folder)
    assert crate_reading.strange_files(folder) == []
    assert crate_reading.run_of(folder, folder) == "lesson"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("results/runs/lesson/predictions.csv", r"edited since it was made: results/runs/lesson/predictions\.csv has"),
        ("workflow/Snakefile", "was edited since it was made: workflow/Snakefile has another checksum"),
        ("SHA256SUMS", "was edited since it was made: SHA256SUMS is another"),
        ("ro-crate-metadata.json", r"is no crate: its ro-crate-metadata\.json cannot be read"),
    ],
)
def test_a_crate_that_was_edited_is_one_sentence(folder, name, sentence):
    with (folder / name).open("a") as stream:
        stream.write("edited\n")
    with pytest.raises(UserError, match=sentence):
        crate_reading.check(folder, folder)


def test_a_checksum_that_was_edited_along_with_its_file_is_noticed(folder):
    path = folder / "results/runs/lesson/evaluation.csv"
    before = sha256_of(path)
    path.write_text("edited")
    for name in ("SHA256SUMS", crate_reading.METADATA):
        text = (folder / name).read_text().replace(before, sha256_of(path))
        (folder / name).write_text(text)
    with pytest.raises(UserError, match="SHA256SUMS is another"):
        crate_reading.check(folder, folder)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("environment.txt", r"is not whole: environment\.txt is gone; take an unedited copy"),
        ("SHA256SUMS", "is no crate of make crate: it has no SHA256SUMS"),
        ("ro-crate-metadata.json", r"is no crate: it has no ro-crate-metadata\.json"),
    ],
)
def test_a_crate_that_lacks_a_file_is_one_sentence(folder, name, sentence):
    (folder / name).unlink()
    with pytest.raises(UserError, match=sentence):
        crate_reading.check(folder, folder)


def test_a_list_that_leads_out_of_the_crate_is_refused(folder):
    (folder / "SHA256SUMS").write_text(f"{'0' * 64}  ../secret\n")
    with pytest.raises(UserError, match=r"SHA256SUMS names '\.\./secret', which lies outside it"):
        crate_reading.check(folder, folder)


def test_what_is_no_crate_at_all_is_one_sentence(tmp_path):
    (tmp_path / "half.crate.zip").write_bytes(b"PK\3\4half")
    for name, sentence in (("half.crate.zip", "it cannot be unpacked"), ("no.crate.zip", "does not exist; name a")):
        with pytest.raises(UserError, match=sentence), crate_reading.opened(tmp_path / name):
            pass


def test_a_zip_file_has_the_same_bytes_again_and_the_description_comes_first(folder, tmp_path):
    (folder / crate_reading.PREVIEW).write_text("<html>")
    crate.write_zip(folder, tmp_path / "one.zip")
    copy = shutil.copytree(folder, tmp_path / "copy", copy_function=shutil.copyfile)
    crate.write_zip(copy, tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.namelist()[0] == "ro-crate-metadata.json"
    with crate_reading.opened(tmp_path / "one.zip") as unpacked:
        assert crate_reading.run_of(unpacked, tmp_path) == "lesson"


def repeated_by_copying(source: Path, seen: dict):
    """Return what stands for Snakemake: it copies the run, and notes the code that it was given."""

    def repeat(record, folder, code, cores, options):
        seen["code"] = code
        seen["configuration"] = read_json(folder / reproduction.CONFIG)
        seen["files"] = sorted(path.name for path in folder.rglob("*") if path.is_file())
        shutil.copytree(source / "results" / "runs", folder / "results" / "runs")

    return repeat


@pytest.mark.parametrize("way", ["folder", "zip"])
def test_a_run_is_repeated_from_a_crate_far_from_where_it_was_made(folder, tmp_path, monkeypatch, capsys, way):
    seen: dict = {}
    monkeypatch.setattr(reproduction, "repeat", repeated_by_copying(folder, seen))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    given = ["--run", str(folder)]
    if way == "zip":
        (folder / crate_reading.PREVIEW).write_text("<html>")
        crate.write_zip(folder, tmp_path / "lesson.crate.zip")
        given = ["--crate", str(tmp_path / "lesson.crate.zip")]
    reproduce.main(given)
    assert "lesson came out the same, byte for byte, in all 2 files" in capsys.readouterr().out
    assert seen["code"] == provenance.ROOT
    table = read_table(tmp_path / "elsewhere" / "results" / "reproduced" / "lesson" / "reproduction.csv")
    assert list(table["same"]) == [True, True]
    assert not (folder / "results" / "reproduced").exists()


def test_the_code_of_a_crate_is_used_where_asked_for(folder, tmp_path, monkeypatch):
    seen: dict = {}
    monkeypatch.setattr(reproduction, "repeat", repeated_by_copying(folder, seen))
    again = tmp_path / "again"
    reproduce.main(["--crate", str(folder), "--recorded-code", "--folder", str(again)])
    assert seen["code"] == again / "code"
    assert provenance.code_record(again / "code")["sha256"] == provenance.code_record()["sha256"]


def test_an_archive_of_one_s_own_is_lent_only_if_it_is_the_recorded_one(results, record, tmp_path):
    record["config"]["datasets"]["drawn"]["source"] = {"kaggle": "someone/photos"}
    archive = results / "data" / "drawn" / "archive.zip"
    archive.write_text("zip")
    record["data"]["source"] = {"sha256": sha256_of(archive)}
    reproduction.lend(record, results, tmp_path / "same")
    record["data"]["source"] = {"sha256": "0" * 64}
    reproduction.lend(record, results, tmp_path / "other")
    assert (tmp_path / "same" / "results" / "data" / "drawn" / "archive.zip").is_file()
    assert not (tmp_path / "other").exists()


def test_photos_may_lie_somewhere_else_here(folder, tmp_path, monkeypatch):
    seen: dict = {}
    monkeypatch.setattr(reproduction, "repeat", repeated_by_copying(folder, seen))
    (tmp_path / "photos").mkdir()
    arguments = ["--crate", str(folder), "--folder", str(tmp_path / "again"), "--photos"]
    reproduce.main([*arguments, str(tmp_path / "photos")])
    assert seen["configuration"]["datasets"]["drawn"]["source"] == {"folder": str(tmp_path / "photos"), "sample": None}
    with pytest.raises(UserError, match="nowhere does not exist; --photos names a folder of photos, or an archive"):
        reproduce.main([*arguments, str(tmp_path / "nowhere")])


def test_an_edited_crate_is_not_repeated(folder, tmp_path):
    (folder / "results/runs/lesson/provenance.json").write_text("{}")
    with pytest.raises(UserError, match=r"was edited since it was made: results/runs/lesson/provenance\.json has"):
        reproduce.main(["--run", str(folder), "--folder", str(tmp_path / "again")])
    assert not (tmp_path / "again").exists()


def keep_record(origin: Path, output: Path, time: float) -> None:
    """Write what Snakemake keeps of a job that made a file, as version 9 does."""
    name = base64.urlsafe_b64encode(output.relative_to(origin).as_posix().encode()).decode()
    path = origin / ".snakemake" / "metadata" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"starttime": time, "endtime": time + 5}))


def test_a_run_began_with_its_first_training_by_snakemake_s_records(results, record):
    record["recorded"] = "2026-11-24T13:00:00+00:00"
    record["models"] = {f"fold{fold}/head/model.keras": "" for fold in (0, 1)}
    assert run_times.began(results, record) is None
    for fold, time in ((0, 1795524000.5), (1, 1795523000.0)):
        assert run_times.began(results, record) is None
        keep_record(results.parent, results / f"runs/lesson/fold{fold}/head/model.keras", time)
    assert run_times.began(results, record) == "2026-11-24T12:23:20+00:00"
    record["recorded"] = "2026-11-24T12:00:00+00:00"  # the trainings are newer than the record
    assert run_times.began(results, record) is None


def test_a_module_s_records_lie_above_its_prefix(results, record, tmp_path):
    record["recorded"] = "2026-11-24T13:00:00+00:00"
    keep_record(tmp_path, results / "runs/lesson/fold0/head/model.keras", 1795523000.0)
    assert run_times.began(results, record) == "2026-11-24T12:23:20+00:00"
