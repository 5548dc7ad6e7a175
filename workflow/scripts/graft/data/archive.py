"""Zip and tar archives from anywhere: read to the last byte, and unpacked safely, whatever is in them."""

import hashlib
import lzma
import re
import shutil
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

from graft.config.dataset import Limits
from graft.data.layout import ARCHIVES
from graft.errors import UserError

NESTED_DEPTH = 3
READ_ERRORS = (  # what zipfile, tarfile and their decompressors raise on hostile bytes
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, RuntimeError,
    LookupError, ArithmeticError, struct.error,
)  # fmt: skip
FREE_BYTES = 100e6  # up to this the ratio of unpacked to packed bytes is not limited
CHUNK = 1 << 20


class DamagedArchive(ValueError):
    """The archive cannot be read to its end; the message says where it breaks."""


@dataclass(slots=True)
class Member:
    """An entry of an archive: its name as written, its bytes unpacked, and `file`, `folder`, or why it is unsafe."""

    name: str
    n_bytes: int
    kind: str
    handle: Any  # of zipfile or of tarfile


@dataclass(slots=True)
class File:
    """A file that arrived: its name, where it lies on this machine, and (kind, detail) of each of its faults."""

    name: str
    local: Path | None
    faults: list[tuple[str, str]] = field(default_factory=list)


class Archive:
    """A zip or tar archive, whatever its name; use it as a context manager.

    Raises: DamagedArchive if the file is neither, or its directory cannot be read.
    """

    def __init__(self, path: Path):
        self.path = path
        try:
            with open(path, "rb") as stream:
                start = stream.read(512)
            self.is_zip = start.startswith(b"PK") or (zipfile.is_zipfile(path) and not tarfile.is_tarfile(path))
            self._open = zipfile.ZipFile(path) if self.is_zip else tarfile.open(path)  # noqa: SIM115
        except FileNotFoundError:
            raise
        except Exception as error:  # a parser meets hostile bytes: whatever it raises, they are no archive
            raise DamagedArchive(diagnosis(start, error)) from None

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def members(self) -> Iterator[Member]:
        """Yield the entries in the order of the archive.

        Raises: DamagedArchive where the archive breaks.
        """
        try:
            if isinstance(self._open, zipfile.ZipFile):
                yield from map(zip_member, self._open.infolist())
            else:
                yield from map(tar_member, self._open)
                check_end(self._open)
        except READ_ERRORS as error:
            if isinstance(error, DamagedArchive):
                raise
            raise DamagedArchive(f"{type(error).__name__}: {error}") from None

    def open(self, member: Member) -> IO[bytes]:
        """Return a stream of a member's bytes."""
        if isinstance(self._open, zipfile.ZipFile):
            return self._open.open(member.handle)
        stream = self._open.extractfile(member.handle)
        if stream is None:
            raise DamagedArchive(f"{member.name} has no content")
        return stream


def diagnosis(start: bytes, error: Exception) -> str:
    """Say what came instead of an archive, as far as its first bytes tell."""
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype", b"<html", b"<head")):
        return "it is a web page, not an archive"
    if text.startswith((b"<?xml", b"<error")):
        return "it is an XML message, not an archive"
    if not start:
        return "it is empty"
    if start.startswith((b"PK", b"\x1f\x8b")):
        return f"it is an archive that was cut or damaged ({' '.join(str(error).split())})"
    return "it is neither a zip nor a tar archive"


def check_end(tar: tarfile.TarFile) -> None:
    """Check that a tar has its end marker, and that the checksum of its compressed stream is right.

    tarfile itself takes a damaged or missing header for the end.
    """
    stream: Any = tar.fileobj
    stream.seek(tar.offset)
    if stream.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
        raise DamagedArchive("it breaks off, or is damaged, behind one of its files")
    while stream.read(CHUNK):
        pass


def zip_member(handle: zipfile.ZipInfo) -> Member:
    """Return a zip's entry; the upper half of its attributes is the Unix mode, where a link shows."""
    unix_kind = handle.external_attr >> 28
    kind = "folder" if handle.is_dir() else {0xA: "a symbolic link", 0x2: "a device", 0x6: "a device", 0x1: "a pipe"}
    return Member(
        handle.filename, handle.file_size, kind if isinstance(kind, str) else kind.get(unix_kind, "file"), handle
    )


def tar_member(handle: tarfile.TarInfo) -> Member:
    """Return a tar's entry."""
    kinds = {"folder": handle.isdir(), "a link": handle.issym() or handle.islnk(), "file": handle.isfile()}
    kind = next((kind for kind, true in kinds.items() if true), "a device or pipe")
    return Member(handle.name, handle.size, kind, handle)


def check(path: Path, limits: Limits) -> None:
    """Read every byte of an archive, so that each checksum in it is compared.

    Raises: DamagedArchive, saying where; UserError where it is a bomb.
    """
    budget = Budget(path, limits)
    with Archive(path) as archive:
        for member in archive.members():
            budget.take(member)
            if member.kind != "file":
                continue
            try:
                with archive.open(member) as stream:
                    while stream.read(CHUNK):
                        pass
            except READ_ERRORS as error:
                raise DamagedArchive(f"{shown(member.name)}: {' '.join(str(error).split())}") from None


class Budget:
    """What an archive may still unpack, nested archives included."""

    def __init__(self, path: Path, limits: Limits):
        self.path, self.limits = path, limits
        self.n_files, self.n_bytes = 0, 0
        self.n_packed = path.stat().st_size

    def take(self, member: Member) -> None:
        """Count a member.

        Raises: UserError beyond a limit.
        """
        self.n_files += 1
        self.n_bytes += member.n_bytes
        if self.n_files > self.limits.files:
            self._refuse(f"holds more than {self.limits.files:,} files", "files")
        if self.n_bytes > self.limits.unpacked_gb * 1e9:
            self._refuse(f"unpacks to more than {self.limits.unpacked_gb:g} GB", "unpacked_gb")
        if self.n_bytes > FREE_BYTES and self.n_bytes > self.limits.ratio * self.n_packed:
            self._refuse(f"unpacks to more than {self.limits.ratio:g} times its size, as a bomb does", "ratio")

    def _refuse(self, what: str, limit: str) -> None:
        raise UserError(f"{self.path} {what}; raise ingest.limits.{limit} if you trust it")


def unpack(path: Path, folder: Path, limits: Limits) -> list[File]:
    """Write an archive's files into `folder`, under numbers, never under names of the archive's choosing.

    Nested archives are unpacked in their place, as folders that carry their names.

    Args:
        path: the archive.
        folder: a folder that exists; nothing outside it is written.
        limits: what the archive may cost.

    Returns: a File for every member that is no folder; unsafe and unreadable ones have a fault and no `local`.
    Raises: DamagedArchive if the archive itself cannot be read, UserError beyond a limit.
    """
    return list(Unpacking(folder, Budget(path, limits)).files(path, "", 0))


class Unpacking:
    """The state of one unpacking: numbers, names and costs so far."""

    def __init__(self, folder: Path, budget: Budget):
        self.folder, self.budget = folder, budget
        self.names: set[str] = set()

    def files(self, path: Path, prefix: str, depth: int) -> Iterator[File]:
        """Yield the files of an archive, and of those within it."""
        with Archive(path) as archive:
            for member in archive.members():
                self.budget.take(member)
                if member.kind != "folder":
                    yield from self._unpacked(archive, member, prefix, depth)

    def _unpacked(self, archive: Archive, member: Member, prefix: str, depth: int) -> Iterator[File]:
        name = safe_name(prefix + member.name)
        if name is None or member.kind != "file":
            what = "its name points outside" if name is None else f"it is {member.kind}"
            yield File(prefix + shown(member.name), None, [("unsafe", what)])
            return
        if name in self.names:
            yield File(name, None, [("duplicate_name", "the archive has this name twice; the first one stays")])
            return
        self.names.add(name)
        if member.n_bytes > self.budget.limits.file_mb * 1e6 and not name.lower().endswith(ARCHIVES):
            size = f"{member.n_bytes / 1e6:.0f} MB, more than limits.file_mb"
            yield File(name, None, [("too_large", size)])
            return
        local = self.folder / f"{len(self.names) // 1000:05d}" / f"{len(self.names):08d}"
        local.parent.mkdir(exist_ok=True)
        try:
            with archive.open(member) as stream, open(local, "wb") as out:
                shutil.copyfileobj(stream, out, CHUNK)
        except READ_ERRORS as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # a fault of this machine, such as a full disk, not of the archive
            local.unlink(missing_ok=True)
            yield File(name, None, [("undecodable", f"damaged in its archive: {' '.join(str(error).split())}")])
            return
        if name.lower().endswith(ARCHIVES) and depth < NESTED_DEPTH:
            yield from self._nested(local, name, depth)
        else:
            yield File(name, local)

    def _nested(self, local: Path, name: str, depth: int) -> Iterator[File]:
        try:
            yield from self.files(local, f"{name}/", depth + 1)
        except DamagedArchive as error:
            yield File(name, None, [("undecodable", f"a nested archive that cannot be read: {error}")])
        finally:
            local.unlink(missing_ok=True)


def safe_name(name: str) -> str | None:
    r"""Return a name as a relative path of printable UTF-8, or None if it points outside.

    >>> safe_name("train\\rural\\1.jpg"), safe_name("./a//b.jpg")
    ('train/rural/1.jpg', 'a/b.jpg')
    >>> safe_name("a/../../b.jpg"), safe_name("/etc/passwd"), safe_name("C:x.jpg"), safe_name("A: cats/x.jpg")
    (None, None, None, 'A: cats/x.jpg')
    """
    name = shown(name.replace("\\", "/"))
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or not parts or re.match(r"[A-Za-z]:(?! )", name):
        return None
    return "/".join(short(part) for part in parts)


def shown(name: str) -> str:
    """Return a name that can be printed and written as UTF-8: undecodable bytes and control characters replaced."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return re.sub(r"[\x00-\x1f\x7f\u0085\u2028\u2029\ud800-\udfff]", "_", text)


def short(part: str) -> str:
    """Return a part of a path that file systems accept: at most 200 bytes, made unique by a digest."""
    if len(part.encode()) <= 200:
        return part
    suffix = PurePosixPath(part).suffix[:10]
    start = part.encode()[:120].decode("utf-8", "ignore")
    return f"{start}-{hashlib.sha256(part.encode()).hexdigest()[:16]}{suffix}"
