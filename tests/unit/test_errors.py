"""Whatever a script meets that is no bug ends in one line."""

import errno
from pathlib import Path

import pytest

from graft.errors import UserError, run_script

FULL = Path("/dev/full")  # a file on a disk that is always full
needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no disk that is always full")


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
    assert line.startswith("graft: the disk is full: ")
    assert line.endswith("could not be written; make room, and run again: what was finished is kept")


def test_a_full_disk_is_told_with_the_file_where_the_system_names_it(capsys):
    def main():
        raise OSError(errno.ENOSPC, "No space left on device", "results/runs/quick/model.keras")

    assert "the disk is full: results/runs/quick/model.keras could not be written" in said_by(main, capsys)


def test_a_quota_that_is_used_up_is_told_as_one(capsys):
    def main():
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    assert said_by(main, capsys).startswith("graft: your quota is used up: ")


def test_a_full_disk_is_told_where_a_library_hides_it(capsys):
    """As HDF5 and Keras do: the system's error is only in the text, or behind another error."""

    def main():
        try:
            raise RuntimeError("Unable to close file (errno = 28, error message = 'No space left on device')")
        except RuntimeError:
            raise ValueError("the file could not be saved") from None

    assert said_by(main, capsys).startswith("graft: the disk is full: ")


def test_a_bug_keeps_its_traceback():
    def main():
        raise ValueError("errno = 2810")

    with pytest.raises(ValueError, match="2810"):
        run_script(main)


def test_a_users_mistake_is_told_as_it_is(capsys):
    def main():
        raise UserError("experiments.x is not a setting")

    assert said_by(main, capsys) == "graft: experiments.x is not a setting"
