"""A user's mistake, reported in one line without a traceback."""

import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

from graft import disk


class UserError(Exception):
    """A mistake that the user can mend; its message says where, what came, and what to do."""


def run_script(main: Callable[[], None]) -> None:
    """Call `main`; turn a `UserError`, or a full disk, into one line on standard error and exit code 1.

    Any other exception is a bug and keeps its traceback.
    """
    hush_full_disks()
    try:
        main()
        sys.stdout.flush()
    except UserError as error:
        print(f"graft: {error}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:  # the program that reads our output, such as `head`, has ended
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if not disk.is_full(error):
            raise
        print(f"graft: {disk.no_room(getattr(error, 'filename', None) or Path.cwd() / 'results')}", file=sys.stderr)
        sys.exit(1)


def hush_full_disks() -> None:
    """Suppress the errors that libraries print when they close their files after a disk was full."""
    printed, ignored = sys.excepthook, sys.unraisablehook
    sys.excepthook = lambda kind, error, trace: None if disk.is_full(error) else printed(kind, error, trace)
    sys.unraisablehook = lambda one: None if disk.is_full(one.exc_value) else ignored(one)
