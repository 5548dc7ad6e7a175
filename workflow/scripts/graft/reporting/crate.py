"""A finished run as a research object: a Workflow Run RO-Crate, as a folder and as a zip file.

The same run gives the same bytes: every time in it is one of the run's own.
"""

import shutil
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

from graft.errors import UserError
from graft.reporting import crate_files, crate_metadata, crate_reading, run_times
from graft.reporting.crate_metadata import Given
from graft.reporting.crate_reading import METADATA, PREVIEW, SUMS
from graft.storage.files import atomic, sha256_of

EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first time that a zip file can state


def write_crate(
    results: Path, record: dict[str, Any], folder: Path, given: Given, *, photos: bool = True, changed: bool = False
) -> list[str]:
    """Fill an empty folder with a run, what it was made from, its code, and the description of all; return its files.

    Args:
        results: where the run lies.
        record: the run's provenance.
        folder: that exists, and is empty.
        given: what only the user can say.
        photos: whether figures that show photos come too.
        changed: take today's code where that of the run is nowhere.

    Raises: UserError if the run is not whole, or its code is nowhere.
    """
    crate_files.check_finished(results, record)
    with crate_files.code_of(record, changed) as (root, same):
        run = [*crate_files.inputs(results, record), *crate_files.outputs(results, record, photos)]
        taken = {part.path for part in run}
        code = [part for part in crate_files.code(root) if part.path not in taken]
        crate_files.write_parts([*code, *run], record, folder)
    write_sums(folder)
    crate_metadata.describe(folder, run, record, given, began=run_times.began(results, record), same_code=same)
    return files_of(folder)


def files_of(folder: Path) -> list[str]:
    """Return every file below a folder, with slashes, in order."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def write_sums(folder: Path) -> None:
    """Write the checksum of every file, as `sha256sum --check` reads them."""
    lines = [f"{sha256_of(folder / name)}  {name}\n" for name in files_of(folder)]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def check_replaceable(folder: Path) -> None:
    """Refuse to replace a folder that is no crate, or in which somebody worked.

    Raises: UserError.
    """
    if not folder.exists():
        return
    advice = "move it away, or name another folder with --output"
    try:
        crate_reading.check(folder, folder)
        strange = crate_reading.strange_files(folder)
    except UserError as error:
        raise UserError(f"{folder} would be replaced, but {error}: {advice}") from None
    if strange:
        raise UserError(f"{folder} would be replaced, but it holds {strange[0]}, which is none of its files: {advice}")


def write_zip(folder: Path, path: Path) -> None:
    """Write a crate as a zip file whose bytes depend on the crate's alone."""
    first = [METADATA, PREVIEW]
    folders = sorted(
        {f"{above.as_posix()}/" for name in files_of(folder) for above in PurePosixPath(name).parents[:-1]}
    )
    names = [*first, *folders, *(name for name in files_of(folder) if name not in first)]
    with atomic(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            entry = zipfile.ZipInfo(name, EARLIEST)
            if name.endswith("/"):
                archive.writestr(entry, b"")
                continue
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.file_size = (folder / name).stat().st_size  # or a file beyond 2 GiB would not fit
            with archive.open(entry, "w") as target, open(folder / name, "rb") as source:
                shutil.copyfileobj(source, target)
