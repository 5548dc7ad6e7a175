"""Where a competition's sample of a submission lies, going by names alone, which can be told before any job runs."""

from pathlib import Path

from graft.config.dataset import Source
from graft.data.layout import ending_in
from graft.data.preflight import listing, zip_names
from graft.data.wording import nowhere
from graft.errors import UserError

KEY = "submission.sample"
PACKED = ".zip"  # behind the name of a table that lies in a zip of its own, as Kaggle often has it


def check_sample(key: str, asked: str, source: Source) -> None:
    """Refuse a sample that is neither a file here nor, as far as is known before a download, in the photo set.

    Raises: UserError that names the key.
    """
    names = None
    if source.folder is not None:
        names = [name for name, _, _ in listing(Path(source.folder).expanduser())]
    elif source.archive is not None:
        names = zip_names(Path(source.archive).expanduser())
    if names is not None and not Path(asked).expanduser().is_file():
        only(names, asked, key)


def only(names: list[str], asked: str, key: str = KEY) -> str:
    """Return the one file of the photo set that is meant.

    Raises: UserError if there is none, or several.

    >>> only(["set/sample.csv.zip", "set/a.jpg"], "sample.csv")
    'set/sample.csv.zip'
    """
    fitting = ending_in(names, asked) or ending_in(names, f"{asked}{PACKED}")
    if len(fitting) != 1:
        raise UserError(nowhere(asked, key, fitting, names))
    return fitting[0]
