"""An archive from wherever it is: fetched once, read to its last byte, and recorded."""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graft.config.dataset import Limits, Source
from graft.data import archive, competition_source, kaggle_source, lock, transfer, url_source
from graft.data.transfer import Failed, Patience
from graft.errors import UserError
from graft.storage.files import atomic, sha256_of, write_json

DAMAGED_TRIES = 3  # downloads of an archive that arrives damaged every time


def obtain(source: Source, limits: Limits, output: Path, scratch: Path, locked: Path | None) -> dict[str, Any]:
    """Put a source's archive at `output` and return what arrived: source, version, licence, n_bytes, sha256.

    A local archive is linked to. Anything else is downloaded into `scratch`, where partial and finished downloads
    outlive a failed run: the first are resumed, the second used again.

    Args:
        source: a kaggle, competition, url or archive source.
        limits: what reading the archive may cost.
        output: the archive; whole or absent.
        scratch: a folder on the same file system.
        locked: a lock file to hold the archive against, where it exists.

    Raises: UserError, one sentence that says what to do.
    """
    if source.archive is not None:
        return link(Path(source.archive).expanduser(), limits, output, locked)
    scratch.mkdir(parents=True, exist_ok=True)
    kept = kept_download(source, scratch)
    if kept is None:
        kept = fetched(source, limits, scratch)
    else:
        print("already downloaded; to get it anew, delete", scratch)
    lock.check_archive(kept["sha256"], locked)
    with atomic(output) as part:
        try:
            os.link(scratch / "archive", part)
        except OSError:  # a file system without hard links
            shutil.copyfile(scratch / "archive", part)
    os.utime(output)
    return kept


def link(path: Path, limits: Limits, output: Path, locked: Path | None) -> dict[str, Any]:
    """Check a local archive and link to it."""
    if not path.is_file():
        what = "is a folder: use `source: {folder: PATH}`" if path.is_dir() else "does not exist"
        raise UserError(f"source.archive is {path}, which {what}")
    try:
        archive.check(path, limits)
    except archive.DamagedArchive as error:
        raise UserError(f"source.archive is {path}, which cannot be used: {error}") from None
    facts = facts_of(path, {})
    lock.check_archive(facts["sha256"], locked)
    with atomic(output) as part:
        part.symlink_to(path.resolve())
    return facts


def facts_of(path: Path, answer: dict[str, Any]) -> dict[str, Any]:
    """Return what is recorded of an archive."""
    return {**answer, "n_bytes": path.stat().st_size, "sha256": sha256_of(path)}


def kept_download(source: Source, scratch: Path) -> dict[str, Any] | None:
    """Return the record of a finished download of this very source, if its bytes are still what they were."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        record = json.loads((scratch / "record.json").read_text(encoding="utf-8"))
        if record["source"] == identity(source) and sha256_of(scratch / "archive") == record["facts"]["sha256"]:
            return record["facts"]
    return None


def asked(source: Source) -> dict[str, Any]:
    """Return what a user asked for, as it is recorded: an address without its query, which may be a key."""
    values = source.model_dump(mode="json", exclude_none=True)
    return {key: transfer.clean(value) if key == "url" else value for key, value in values.items()}


def identity(source: Source) -> str:
    """Return a digest by which the same source is known again."""
    return hashlib.sha256(source.model_dump_json().encode()).hexdigest()


def url_of(source: Source) -> str:
    """Return the address of a source that has one."""
    assert source.url is not None
    return source.url


def fetched(source: Source, limits: Limits, scratch: Path) -> dict[str, Any]:
    """Download until an archive has arrived whole, and keep it with its record."""
    if source.kaggle is not None:
        slug = kaggle_source.parts_of(source.kaggle)[1]
        fetch, request, target = kaggle_source.fetch_kaggle, {"dataset": source.kaggle}, scratch / f"{slug}.zip"
    elif source.competition is not None:
        request, target = {"competition": source.competition}, scratch / f"{source.competition}.zip"
        fetch = competition_source.fetch_competition
    else:
        url_source.resolved(url_of(source))  # a missing variable is reported before anything starts
        fetch, request, target = url_source.fetch_url, {"url": url_of(source)}, scratch / "partial"
    note = scratch / "source"
    if note.is_file() and note.read_text() != identity(source):
        transfer.discard(target)  # a partial download of something else
    note.write_text(identity(source))
    wanted = Wanted(
        name=source.kaggle or source.competition or transfer.clean(url_of(source)),
        advise=lambda fault: advice(source, fault),
        instead="set `source: {archive: PATH}`",
    )
    answer = verified(fetch, request, target, wanted, limits)
    facts = facts_of(target, answer)
    target.replace(scratch / "archive")
    write_json({"source": identity(source), "facts": facts}, scratch / "record.json", sealed=False)
    return facts


@dataclass(frozen=True)
class Wanted:
    """What is downloaded, in words: its name, a sentence for each fault, and what to do in its place."""

    name: str
    advise: Callable[[transfer.Fault], str]
    instead: str


def verified(
    fetch: transfer.Fetch, request: dict[str, Any], target: Path, wanted: Wanted, limits: Limits
) -> dict[str, Any]:
    """Download, read every byte, and start over from nothing if any is wrong.

    The Kaggle client (2.2.4) can call a damaged archive good: Kaggle/kaggle-cli#1179.
    """
    patience = Patience.from_environment()
    for tries_left in reversed(range(DAMAGED_TRIES)):
        try:
            answer = transfer.download(fetch, request, target, patience)
            archive.check(target, limits)
            return answer
        except Failed as error:
            if error.fault.kind == "bug":
                raise RuntimeError(error.fault.text) from None
            raise UserError(wanted.advise(error.fault)) from None
        except archive.DamagedArchive as error:
            transfer.discard(target)
            if "web page" in str(error) or "XML" in str(error):
                raise UserError(
                    f"what came for {wanted.name} is no archive: {error}; a proxy or a sign-in page may stand between: "
                    f"open the address in a browser, or {wanted.instead}"
                ) from None
            if not tries_left:
                raise UserError(
                    f"{wanted.name} arrived damaged {DAMAGED_TRIES} times ({error}): run again later, "
                    f"or download it by hand and {wanted.instead}"
                ) from None
            print(f"it arrived damaged ({error}); downloading it anew", flush=True)
    raise AssertionError("unreachable")


def advice(source: Source, fault: transfer.Fault) -> str:
    """Return the sentence of the source's own kind."""
    if source.kaggle is not None:
        return kaggle_source.advice(source.kaggle, fault)
    if source.competition is not None:
        return competition_source.advice(source.competition, fault)
    return url_source.advice(url_of(source), fault)
