"""What a user did wrong, told in one line."""

import contextlib
import errno
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

FULL_DISK = rf"{os.strerror(errno.ENOSPC)}|errno = {errno.ENOSPC}\b"


class UserError(Exception):
    """A mistake that the user can mend; its message says where, what came, and what to do."""


def run_script(main: Callable[[], None]) -> None:
    """Call `main`; turn a `UserError`, or a full disk, into one line on standard error and exit code 1.

    Any other exception is a bug and keeps its traceback.
    """
    try:
        main()
        sys.stdout.flush()
    except UserError as error:
        print(f"graft: {error}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:  # the reader of a pipe left: nothing to say, and nobody to say it to
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        sentence = of_full_disk(error)
        if sentence is None:
            raise
        print(f"graft: {sentence}", file=sys.stderr)
        sys.exit(1)


def of_full_disk(error: BaseException) -> str | None:
    """Return the sentence about a full disk, if that is what made an error, or one that it followed from.

    Libraries such as HDF5 tell the system's error in their own text only.

    >>> of_full_disk(OSError(28, "No space left on device", "results/split.csv"))
    'the disk is full: results/split.csv could not be written; make room, and run again: what was finished is kept'
    >>> of_full_disk(ValueError("something else")) is None
    True
    """
    for one in chain_of(error):
        number = one.errno if isinstance(one, OSError) else None
        if number in (errno.ENOSPC, errno.EDQUOT) or re.search(FULL_DISK, str(one)):
            what = "your quota is used up" if number == errno.EDQUOT else "the disk is full"
            named = getattr(one, "filename", None)
            return (
                f"{what}: {named or f'a file of {Path.cwd()}'} could not be written; make room, and run again: "
                "what was finished is kept"
            )
    return None


def chain_of(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, and those during whose handling it came."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
