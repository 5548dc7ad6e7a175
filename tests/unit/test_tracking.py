"""What a tracking server is told of a run, and that a real MLflow server is told it once (make test-mlflow)."""

import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

import track
from graft.errors import UserError
from graft.reporting import reproduction, tracking, tracking_server
from graft.storage.files import read_json, read_table, sha256_of, write_json
from made_runs import made_predictions, write_run
from places import ROOT

try:
    import mlflow  # noqa: F401

    missing = False
except ImportError:
    missing = True
needs_client = pytest.mark.skipif(missing, reason="MLflow's client is not installed here: make test-mlflow")
SERVER = Path(os.environ.get("GRAFT_MLFLOW", ROOT / ".venv-mlflow/bin/mlflow"))


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """Return the results of one finished run, `lesson`, of two stages; tests copy them."""
    results = tmp_path_factory.mktemp("made") / "results"
    stages = {"head": made_predictions(20), "finetuned": made_predictions(20, skill=4.0)}
    run = write_run(results, "lesson", stages)
    for stage in stages:
        rows = (
            "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,watched\n1,0.7,0.5,,,0.001,\n2,0.4,0.75,,,0.001,\n"
        )
        (run / "fold0" / stage / "history.csv").write_text(rows)
    (run / "figures").mkdir()
    for name in ("mistakes.png", "roc_pr.png"):
        (run / "figures" / name).write_text(name)
    return results


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Restore what a push sets for MLflow's client."""
    for name in ("URI", "USERNAME", "PASSWORD"):
        monkeypatch.setenv(f"MLFLOW_TRACKING_{name}", "")
        monkeypatch.delenv(f"MLFLOW_TRACKING_{name}")


@pytest.fixture
def results(made, tmp_path) -> Path:
    shutil.copytree(made, tmp_path / "results")
    return tmp_path / "results"


@pytest.fixture
def record(results):
    return reproduction.read_record(results, "lesson")


def numbers(told: tracking.Told) -> dict[tuple[str, int], float]:
    return {(number.name, number.step): number.value for number in told.numbers}


def test_numbers_are_those_of_the_tables_with_their_intervals(results, record):
    found = numbers(tracking.told_of(results, record))
    table = read_table(results / "runs/lesson/evaluation.csv")
    for row in table[table["fold"] == "all"].to_dict("records"):
        for name in ("accuracy", "accuracy_low", "accuracy_high", "log_loss", "n"):
            assert found[f"val/{row['stage']}/{name}", 0] == row[name]
            if row["stage"] == "finetuned":  # what one compares runs by
                assert found[name, 0] == row[name]
    assert not {name for name, _ in found if name.endswith("/fold") or name == "fold"}


def test_each_epoch_is_a_step_and_empty_cells_are_no_numbers(results, record):
    found = numbers(tracking.told_of(results, record))
    assert [found["fold0/head/loss", step] for step in (1, 2)] == [0.7, 0.4]
    assert found["fold0/finetuned/accuracy", 2] == 0.75
    assert not {name for name, _ in found if "val_loss" in name}


def test_settings_are_flat_and_tags_say_where_it_came_from(results, record):
    told = tracking.told_of(results, record)
    assert told.parameters["experiment.backbone.name"] == "MobileNet"
    assert told.parameters["experiment.recipe"] == "lesson"
    assert told.parameters["dataset.name"] == "drawn"
    assert told.parameters["seed"] == "0"
    assert told.tags["graft.dataset_sha256"] == record["data"]["manifest_sha256"]
    assert told.tags["graft.provenance_sha256"] == sha256_of(results / "runs/lesson/provenance.json")
    assert told.tags.get("mlflow.source.git.commit") == record["code"]["commit"]
    assert told.began == told.ended == tracking.milliseconds(record["recorded"])


def test_tables_figures_and_the_model_are_files_in_their_folders(results, record):
    names = {(path.name, folder) for path, folder in tracking.told_of(results, record).files}
    assert {
        ("evaluation.csv", ""),
        ("model.keras", ""),
        ("roc_pr.png", "figures"),
        ("mistakes.png", "figures"),
    } <= names
    assert ("history.csv", "fold0/head") in names
    names = {path.name for path, _ in tracking.told_of(results, record, photos=False).files}
    assert "mistakes.png" not in names
    assert "roc_pr.png" in names


@pytest.mark.parametrize("uri", ["ftp://ada:secret@host", "ada:secret@host", "http://", "http://[ada:secret", "mlruns"])
def test_what_is_no_address_of_a_server_is_one_sentence_without_a_password(uri, capsys):
    with pytest.raises(UserError, match=r"must begin with http:// or https:// and name a host") as told:
        track.main(["--run", "lesson", "--uri", uri])
    assert "secret" not in str(told.value)


def test_without_an_address_it_says_how_to_name_one():
    with pytest.raises(UserError, match="name the MLflow server: make track RUN=name URI=http"):
        track.main(["--run", "lesson"])


def test_a_password_never_stands_in_a_sentence():
    server = tracking_server.server_of("https://ada:sec%2Fret@host:5000/mlflow")
    assert server == tracking_server.Server("https://host:5000/mlflow", "ada", "sec/ret")
    for text, status in (
        ("sec/ret is wrong", 400),
        ("401 Unauthorized sec/ret", 401),
        ("Connection refused sec/ret", 0),
    ):
        assert "sec/ret" not in tracking_server.reason(server, text, status)


def test_without_the_client_it_says_how_to_get_it(results, monkeypatch):
    monkeypatch.setattr(tracking_server.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="tracking needs MLflow's client, which is an optional install: make track"):
        track.main(["--run", "lesson", "--results", str(results), "--uri", "http://localhost:1"])


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> str:
    """Return the address of a real MLflow server, which runs for as long as these tests."""
    if missing:
        pytest.skip("MLflow's client is not installed here: make test-mlflow")
    if not SERVER.exists():
        pytest.skip(f"no MLflow server at {SERVER}: make test-mlflow")
    folder = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [SERVER, "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", f"{folder}/files"]
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "PATH": f"{SERVER.parent}:{os.environ['PATH']}"}
    environment.pop("PYTHONPATH", None)
    address = f"http://127.0.0.1:{port}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            wait_for(f"{address}/health", process, folder / "log")
            yield address
        finally:
            process.terminate()
            process.wait(30)


def wait_for(address: str, process: subprocess.Popen, log: Path) -> None:
    """Return once a server answers."""
    for _ in range(240):
        assert process.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except OSError:
            time.sleep(0.5)
        else:
            return
    pytest.fail(f"the MLflow server did not start: {log.read_text()}")


def push(results: Path, server: str, experiment: str, *options: str) -> list:
    """Push the run; return the entries of the experiment."""
    from mlflow import MlflowClient

    track.main(["--run", "lesson", "--results", str(results), "--uri", server, "--experiment", experiment, *options])
    client = MlflowClient(tracking_uri=server)
    return client.search_runs([client.get_experiment_by_name(experiment).experiment_id])


@needs_client
def test_the_server_has_all_of_a_run(results, record, server, tmp_path, capsys):
    from mlflow import MlflowClient

    [entry] = push(results, server, "all")
    client = MlflowClient(tracking_uri=server)
    told = tracking.told_of(results, record)
    assert entry.data.params == told.parameters
    assert told.tags.items() <= entry.data.tags.items()
    assert (entry.info.run_name, entry.info.status, entry.info.end_time) == ("lesson", "FINISHED", told.ended)
    table = read_table(results / "runs/lesson/evaluation.csv")
    row = table[(table["fold"] == "all") & (table["stage"] == "finetuned")].iloc[0]
    for name in ("accuracy", "accuracy_low", "accuracy_high"):
        assert entry.data.metrics[name] == row[name]
    steps = client.get_metric_history(entry.info.run_id, "fold0/head/loss")
    assert [(one.step, one.value) for one in steps] == [(1, 0.7), (2, 0.4)]
    model = client.download_artifacts(entry.info.run_id, "model.keras", str(tmp_path))
    assert sha256_of(model) == sha256_of(results / "runs/lesson/model.keras")
    assert {one.path for one in client.list_artifacts(entry.info.run_id, "figures")} == {
        "figures/mistakes.png",
        "figures/roc_pr.png",
    }
    said = capsys.readouterr().out
    assert (
        f"track: lesson: {len(told.parameters)} parameters, {len(told.numbers)} numbers, {len(told.files)} files"
        in said
    )
    assert f"track: {server}/#/experiments/{entry.info.experiment_id}/runs/{entry.info.run_id}" in said


@needs_client
def test_a_run_that_is_pushed_twice_is_there_once(results, server, capsys):
    [first] = push(results, server, "twice")
    [second] = push(results, server, "twice")
    assert first.info.run_id == second.info.run_id
    assert "track: lesson is there already, as it is here; nothing was pushed" in capsys.readouterr().out


@needs_client
def test_a_push_that_was_cut_off_is_taken_up_in_the_same_entry(results, record, server, monkeypatch):
    from mlflow import MlflowClient

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "log_artifact", interrupted)
        with pytest.raises(KeyboardInterrupt):
            push(results, server, "cut")
    [entry] = push(results, server, "cut")
    assert entry.data.tags["graft.complete"] == "yes"
    client = MlflowClient(tracking_uri=server)
    steps = client.get_metric_history(entry.info.run_id, "fold0/head/loss")
    assert [(one.step, one.value) for one in steps] == [(1, 0.7), (2, 0.4)]  # once each


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


@needs_client
def test_another_run_of_the_name_is_refused_or_replaced_but_never_doubled(results, server):
    [first] = push(results, server, "other")
    path = results / "runs/lesson/provenance.json"
    write_json({**read_json(path), "recorded": "2030-01-01T00:00:00+00:00"}, path)
    with pytest.raises(UserError, match=r"has another lesson in other, recorded 20.*: REPLACE=1 puts that one into"):
        push(results, server, "other")
    [second] = push(results, server, "other", "--replace")
    assert second.info.run_id != first.info.run_id
    assert second.data.tags["graft.recorded"] == "2030-01-01T00:00:00+00:00"


@needs_client
def test_a_server_that_is_not_there_is_one_sentence_without_the_password(results, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    uri = f"http://ada:secret@127.0.0.1:{port}"
    sentence = f"the MLflow server http://127.0.0.1:{port} does not answer: start it, or mend the address"
    with pytest.raises(UserError, match=re.escape(sentence)) as told:
        track.main(["--run", "lesson", "--results", str(results), "--uri", uri])
    assert "secret" not in str(told.value)
