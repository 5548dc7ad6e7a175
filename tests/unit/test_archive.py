"""Archives from anywhere: nothing is written outside, nothing crashes, and no damage passes."""

import io
import random
import tarfile
import zipfile

import pytest
from photo_files import photo, two_classes, zipped

from graft.config.dataset import Limits
from graft.data import archive
from graft.errors import UserError


def unpacked(data, tmp_path, **limits):
    """Unpack bytes, see that nothing outside the folder changed, and return {name: bytes or fault kinds}."""
    path = tmp_path / "in" / "archive.bin"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    room = tmp_path / "out" / "room"
    room.mkdir(parents=True)
    files = archive.unpack(path, room, Limits(**limits))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["room"]
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["archive.bin"]
    for local in [file.local for file in files if file.local]:
        assert local.resolve().is_relative_to(room)
        assert not local.is_symlink()
    return {file.name: file.local.read_bytes() if file.local else [kind for kind, _ in file.faults] for file in files}


def tarred(*members, mode="w:gz"):
    """Return a tar of (TarInfo or name, bytes) pairs."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as out:
        for info, data in members:
            info = tarfile.TarInfo(info) if isinstance(info, str) else info
            info.size = len(data)
            out.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "a/../../evil", "..\\evil", "C:\\evil", "C:evil", ".."])
def test_a_name_that_points_outside_is_not_written(name, tmp_path):
    files = unpacked(zipped({name: b"evil", "cats/1.png": b"good"}), tmp_path)
    assert files.pop("cats/1.png") == b"good"
    assert list(files.values()) == [["unsafe"]]


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "a/../../evil"])
def test_a_tar_s_name_that_points_outside_is_not_written(name, tmp_path):
    files = unpacked(tarred((name, b"evil"), ("cats/1.png", b"good")), tmp_path)
    assert files.pop("cats/1.png") == b"good"
    assert list(files.values()) == [["unsafe"]]


def test_links_and_devices_of_a_tar_are_named_and_not_made(tmp_path):
    kinds = {"soft": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE, "pipe": tarfile.FIFOTYPE, "disk": tarfile.BLKTYPE}
    members = [(special(name, kind, "/etc/passwd"), b"") for name, kind in kinds.items()]
    files = unpacked(tarred(*members, ("soft/1.png", b"through the link")), tmp_path)
    assert files.pop("soft/1.png") == b"through the link"  # a folder of ours, not the link's target
    assert files == {name: ["unsafe"] for name in kinds}


def test_a_zip_s_symbolic_link_is_not_made(tmp_path):
    link = zipfile.ZipInfo("link.png")
    link.external_attr = 0o120777 << 16
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as out:
        out.writestr(link, "/etc/passwd")
    assert unpacked(stream.getvalue(), tmp_path) == {"link.png": ["unsafe"]}


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_is_read_whatever_its_compression(mode, tmp_path):
    assert unpacked(tarred(("cats/1.png", b"one"), mode=mode), tmp_path) == {"cats/1.png": b"one"}


def test_names_of_windows_become_folders(tmp_path):
    assert unpacked(zipped({"train\\cats\\1.png": b"one"}), tmp_path) == {"train/cats/1.png": b"one"}


def test_names_that_are_not_utf8_are_written_as_utf8(tmp_path):
    info = tarfile.TarInfo(b"cats/\xff\xfe.png".decode("utf-8", "surrogateescape"))
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT, errors="surrogateescape") as out:
        info.size = 3
        out.addfile(info, io.BytesIO(b"one"))
    ((name, data),) = unpacked(stream.getvalue(), tmp_path).items()
    assert (name, data) == ("cats/\ufffd\ufffd.png", b"one")


def test_a_name_longer_than_file_systems_take_is_shortened_and_stays_unique(tmp_path):
    names = unpacked(zipped({"é" * 300 + "a.png": b"1", "é" * 300 + "b.png": b"2"}), tmp_path)
    assert len(names) == 2
    assert all(len(name.encode()) < 200 and name.endswith(".png") for name in names)


def test_of_two_members_of_one_name_the_first_stays(tmp_path):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as out:
        out.writestr("cats/1.png", b"first")
        with pytest.warns(UserWarning, match="Duplicate name"):
            out.writestr("cats/1.png", b"second")
    path = tmp_path / "twice.zip"
    path.write_bytes(stream.getvalue())
    (tmp_path / "room").mkdir()
    first, second = archive.unpack(path, tmp_path / "room", Limits())
    assert first.local.read_bytes() == b"first"
    assert second.faults[0][0] == "duplicate_name"


def test_archives_within_archives_are_unpacked_in_their_place(tmp_path):
    inner = zipped({"cats/1.png": b"one"})
    outer = zipped({"more/inner.zip": inner, "dogs.tar.gz": tarred(("dogs/1.png", b"two"))})
    assert unpacked(outer, tmp_path) == {"more/inner.zip/cats/1.png": b"one", "dogs.tar.gz/dogs/1.png": b"two"}


def test_a_broken_archive_within_an_archive_costs_itself_alone(tmp_path):
    files = unpacked(zipped({"inner.zip": b"PK\x03\x04 no zip", "cats/1.png": b"one"}), tmp_path)
    assert files == {"inner.zip": ["undecodable"], "cats/1.png": b"one"}


def test_archives_nested_without_end_come_to_an_end(tmp_path):
    data = b"the core"
    for _ in range(10):
        data = zipped({"inner.zip": data})
    assert len(unpacked(data, tmp_path)) == 1


def bomb(n_bytes):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("cats/1.png", bytes(n_bytes))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "limits", "text"),
    [
        (bomb(150_000_000), {}, "200 times its size, as a bomb does; raise ingest.limits.ratio"),
        (bomb(3_000_000), {"unpacked_gb": 0.002}, "more than 0.002 GB; raise ingest.limits.unpacked_gb"),
        (zipped(two_classes(3)), {"files": 5}, "more than 5 files; raise ingest.limits.files"),
        (zipped({"inner.zip": zipped(two_classes(3))}), {"files": 5}, "more than 5 files"),
    ],
)
def test_a_bomb_is_refused_before_it_fills_the_disk(data, limits, text, tmp_path):
    with pytest.raises(UserError, match=text):
        unpacked(data, tmp_path, **limits)
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) < 2_000_000


def test_a_single_file_beyond_the_limit_is_named_and_not_written(tmp_path):
    assert unpacked(bomb(3_000_000), tmp_path, file_mb=1) == {"cats/1.png": ["too_large"]}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "it is empty"),
        (b"<!DOCTYPE html><p>Sign in", "a web page"),
        (b"<?xml version='1.0'?><Error/>", "an XML message"),
        (b"\xff\xd8\xff photo", "neither a zip nor a tar"),
        (zipped(two_classes())[:-30], "cut or damaged"),
    ],
)
def test_what_is_no_archive_is_called_what_it_is(data, text, tmp_path):
    path = tmp_path / "archive.zip"
    path.write_bytes(data)
    with pytest.raises(archive.DamagedArchive, match=text):
        archive.check(path, Limits())


def test_one_flipped_bit_is_found(tmp_path):
    data = bytearray(zipped(two_classes()))
    path = tmp_path / "archive.zip"
    path.write_bytes(data)
    archive.check(path, Limits())
    data[300] ^= 1
    path.write_bytes(data)
    with pytest.raises(archive.DamagedArchive, match=r"cats/0.png: Bad CRC-32"):
        archive.check(path, Limits())


def test_an_encrypted_zip_is_refused_in_words(tmp_path):
    data = bytearray(zipped({"cats/1.png": photo(1)}))
    data[6] |= 1  # the flag in the local header
    data[data.rindex(b"PK\x01\x02") + 8] |= 1  # and in the directory
    path = tmp_path / "archive.zip"
    path.write_bytes(data)
    with pytest.raises(archive.DamagedArchive, match="encrypted"):
        archive.check(path, Limits())


@pytest.mark.parametrize(
    "make", [zipped, lambda files: tarred(*files.items()), lambda files: tarred(*files.items(), mode="w")]
)
def test_no_mutation_of_an_archive_crashes_or_escapes(make, tmp_path):
    chance = random.Random(0)
    original = make({**two_classes(2), "inner.zip": zipped(two_classes(1))})
    outcomes = {"read": 0, "refused": 0}
    for number in range(300):
        data = bytearray(original)
        for _ in range(chance.choice([1, 1, 3, 20])):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if chance.random() < 0.2:
            del data[chance.randrange(len(data)) :]
        room = tmp_path / str(number)
        try:
            unpacked(bytes(data), room_of(room), unpacked_gb=0.01)
            outcomes["read"] += 1
        except (archive.DamagedArchive, UserError):
            outcomes["refused"] += 1
    assert outcomes["refused"] > 10
    assert (outcomes["read"] > 10) == (original[:2] != b"\x1f\x8b")  # gzip has one checksum over all of it


def room_of(path):
    path.mkdir()
    return path
