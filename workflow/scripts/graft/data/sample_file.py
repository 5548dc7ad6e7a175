"""A competition's sample of a submission, found where a user says: on this machine, or within the photo set."""

import shutil
import tempfile
from pathlib import Path, PurePosixPath

import pandas as pd

from graft.data.archive import Archive, DamagedArchive, Member
from graft.data.label_table import read_labels
from graft.data.preflight import listing
from graft.data.sample_name import KEY, PACKED, only
from graft.errors import UserError


def sample_table(asked: str, photos: Path) -> pd.DataFrame:
    """Return a sample as text, its rows in their order.

    Args:
        asked: what the user calls it: a file on this machine or, where there is none, one within the photo set.
        photos: the photo set: a folder, a zip or a tar archive.

    Raises: UserError if it is nowhere, in several places, or no table.
    """
    here = Path(asked).expanduser()
    if here.is_file():
        return read_labels(here, here.name)
    try:
        if photos.is_dir():
            name = only([name for name, _, _ in listing(photos)], asked)
            return table_at(photos / name, asked)
        return table_in(photos, asked)
    except DamagedArchive as error:
        raise UserError(f"{KEY} is {asked!r}, and {photos} cannot be read: {error}") from None


def table_at(path: Path, asked: str) -> pd.DataFrame:
    """Return the table that a file is, or that a zip of its own holds."""
    return table_in(path, asked) if path.suffix == PACKED else read_labels(path, path.name)


def table_in(archive_path: Path, asked: str) -> pd.DataFrame:
    """Return a table of an archive."""
    with tempfile.TemporaryDirectory() as folder, Archive(archive_path) as archive:
        members = {one.name.replace("\\", "/"): one for one in archive.members() if one.kind == "file"}
        name = only(list(members), asked)
        return table_at(copied(archive, members[name], Path(folder, PurePosixPath(name).name)), asked)


def copied(archive: Archive, member: Member, target: Path) -> Path:
    """Write a member of an archive to a file, and return its path."""
    with archive.open(member) as stream, open(target, "wb") as out:
        shutil.copyfileobj(stream, out)
    return target
