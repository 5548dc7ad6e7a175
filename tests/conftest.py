"""What all tests share: where the real photos and weights lie, and what a test may not touch."""

import os
import sys
from pathlib import Path

import pytest

from places import SHARED

# What takes minutes in all: workflows beyond the first, every recipe, figures of every size. `make test-long` runs it.
LONG = {
    *("test_altered.py", "test_exports.py", "test_figures_drawing.py", "test_memory.py", "test_parallel.py"),
    *("test_selection.py", "test_transfer.py", "test_labels_how_to.py", "test_ingest.py", "test_split.py"),
    *("test_exported_photos.py", "test_fit.py", "test_label_tables.py", "test_model_table_jobs.py"),
    *("test_real_photos.py", "test_recipes.py", "test_reproduce.py", "test_reruns.py", "test_shard_jobs.py"),
    *("test_competition.py", "test_competition_jobs.py", "test_averaged_views.py"),
    *("test_sharing.py", "test_sweep_jobs.py", "test_wrong_labels.py", "test_training.py", "test_leases.py"),
    *("test_hub.py", "test_hub_chain.py"),
    *("test_several_labels.py", "test_multilabel_training.py"),
    *("test_used_by_others.py", "test_report_in_browser.py"),
}


def pytest_addoption(parser):
    parser.addoption("--fix", action="store_true", help="rewrite generated files that lag behind the code")


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes minutes; left out unless `-m slow`")
    config.addinivalue_line("markers", "long: one of many seconds; `make test` leaves it to `make test-long`")
    config.addinivalue_line("markers", "shared: needs the real photos and weights beside the checkout")


@pytest.hookimpl(tryfirst=True)  # before pytest chooses by markers
def pytest_collection_modifyitems(config, items):
    wanted = "slow" in (config.option.markexpr or "")
    for item in items:
        if item.path.name in LONG:
            item.add_marker(pytest.mark.long)
        if "slow" in item.keywords and not wanted:
            item.add_marker(pytest.mark.skip(reason="takes minutes: run with -m slow"))
        if "shared" in item.keywords and not SHARED.is_dir():
            item.add_marker(pytest.mark.skip(reason=f"the real photos and weights are not at {SHARED}"))


@pytest.fixture
def shared() -> Path:
    """Return the folder of real photos (data/) and ImageNet weights (weights/)."""
    return SHARED


@pytest.fixture(scope="session")
def keras_home(tmp_path_factory) -> Path:
    """Return a KERAS_HOME that holds the real weights under the names that Keras looks for."""
    models = tmp_path_factory.mktemp("keras") / "models"
    models.mkdir()
    for file in (SHARED / "weights").glob("*.h5"):
        (models / file.name).symlink_to(file)
    return models.parent


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Return a finished chain, `made_chain.Chain`, of 24 photos; tests only read its results, or copy them first."""
    from photo_files import two_classes, write_files

    from made_chain import Chain

    folder = tmp_path_factory.mktemp("built")
    return Chain(folder / "results", write_files(folder / "photos", two_classes(12))).build()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Return a real browser, `browser.Browser`; tests that use it are skipped where there is none."""
    from browser import CHROMIUM, Browser

    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    opened = Browser(tmp_path_factory.mktemp("browser"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def quick_exports():
    """Keep the threads that this process has, since TensorFlow takes no others once it has computed; time one call."""
    import functools

    from graft.exporting import proof
    from graft.machine import runtime

    timed = functools.partial(proof.milliseconds, seconds=0, calls=1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(runtime, "start", lambda seed, threads: None)
        patched.setattr(proof, "milliseconds", timed)
        yield


@pytest.fixture(scope="session", autouse=True)
def quiet_keras():
    """Load Keras, where a test wants it, as the scripts do."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
