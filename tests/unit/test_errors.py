"""Whatever a script meets that is no bug ends in one line."""

import errno
import re
import sys
from pathlib import Path

import pytest

from graft.errors import UserError, run_script
from graft.storage.files import atomic

FULL = Path("/dev/full")  # a file on a disk that is always full
needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no disk that is always full")


@pytest.fixture(autouse=True)
def hooks(monkeypatch):
    """Put Python's hooks back, which a script changes."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)


def said_by(main, capsys) -> str:
    """Return what a script says that fails."""
    with pytest.raises(SystemExit) as ended:
        run_script(main)
    assert ended.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    return line


@needs_full
def test_a_full_disk_is_told_in_one_sentence(capsys):
    line = said_by(lambda: FULL.write_bytes(b"much"), capsys)
    assert re.fullmatch(
        r"graft: /.* could not be written: its disk \(/.*\) has [\d.,]+ MB free; make room there, or raise the quota, "
        "and run again: what was finished is kept",
        line,
    )


@needs_full
def test_a_full_disk_is_told_with_the_file_and_its_disk_where_results_are_written(capsys, tmp_path):
    def main():
        with atomic(tmp_path / "model.keras") as part:
            part.symlink_to(FULL)
            part.write_bytes(b"much")

    assert f"{tmp_path}/model.keras could not be written: its disk (/" in said_by(main, capsys)
    assert list(tmp_path.iterdir()) == []


def test_a_quota_that_is_used_up_is_told_too(capsys):
    def main():
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    assert "or raise the quota" in said_by(main, capsys)


def test_a_full_disk_is_told_where_a_library_hides_it(capsys):
    """As HDF5 and Keras do: the system's error is only in the text, or behind another error."""

    def main():
        try:
            raise RuntimeError("Unable to close file (errno = 28, error message = 'No space left on device')")
        except RuntimeError:
            raise ValueError("the file could not be saved") from None

    assert "could not be written: its disk" in said_by(main, capsys)


class ClosesOnAFullDisk:
    """Stands for a file of HDF5's, which prints what it meets as it is closed."""

    def __del__(self):
        raise RuntimeError("Can't decrement id ref count (file write failed, errno = 28)")


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_what_a_library_prints_about_a_full_disk_beside_it_is_left_out(monkeypatch, capsys):
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    monkeypatch.setattr(sys, "unraisablehook", sys.__unraisablehook__)

    def main():
        file = ClosesOnAFullDisk()
        del file
        raise OSError(errno.ENOSPC, "No space left on device")

    assert said_by(main, capsys).startswith("graft: ")


def test_a_bug_keeps_its_traceback():
    def main():
        raise ValueError("errno = 2810")

    with pytest.raises(ValueError, match="2810"):
        run_script(main)


def test_a_users_mistake_is_told_as_it_is(capsys):
    def main():
        raise UserError("experiments.x is not a setting")

    assert said_by(main, capsys) == "graft: experiments.x is not a setting"
