"""What a user did wrong, told in one line."""

import contextlib
import os
import sys
from collections.abc import Callable


class UserError(Exception):
    """A mistake that the user can mend; its message says where, what came, and what to do."""


def run_script(main: Callable[[], None]) -> None:
    """Call `main`; turn a `UserError` into one line on standard error and exit code 1.

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
