"""An archive on this machine: checked like a download, linked to, never copied or changed."""

import io
import json
import tarfile

import pytest
from photo_files import two_classes, zipped

import download_dataset
from graft.errors import UserError


def obtained(folder, path):
    """Run download_dataset.py on a local archive, and return what it leaves."""
    source = json.dumps({"archive": str(path)})
    outputs = ["--archive", f"{folder}/archive.zip", "--record", f"{folder}/download.json"]
    download_dataset.main(["--source", source, "--scratch", f"{folder}/scratch", *outputs])
    return folder / "archive.zip"


def gzipped(files, mode="w:gz"):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as out:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            out.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def plain(files):
    return gzipped(files, "w")


@pytest.mark.parametrize("make", [zipped, gzipped, plain])
def test_a_good_archive_is_linked_to_and_recorded(make, tmp_path):
    path = tmp_path / "mine.bin"
    path.write_bytes(make(two_classes()))
    archive = obtained(tmp_path, path)
    assert archive.is_symlink()
    assert archive.resolve() == path
    record = json.loads((tmp_path / "download.json").read_text())
    assert record["n_bytes"] == path.stat().st_size
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [".seals", "archive.zip", "download.json", "mine.bin"]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"<html>Sign in</html>", "it is a web page, not an archive"),
        (zipped(two_classes())[:-40], "cut or damaged"),
        (zipped(two_classes()).replace(b"IDAT", b"IDOT", 1), r"cats/0.png: Bad CRC-32"),
        (gzipped(two_classes())[:-40], "end-of-stream"),
        (gzipped(two_classes())[:-8] + bytes(8), "CRC check failed"),
        (plain(two_classes())[:2048], "unexpected end of data"),
        (plain(two_classes()).replace(b"cats/2.png", b"cats/X.png"), "it breaks off, or is damaged, behind"),
    ],
)
def test_a_bad_archive_is_refused_in_words(data, text, tmp_path):
    path = tmp_path / "mine.zip"
    path.write_bytes(data)
    with pytest.raises(UserError, match=rf"source.archive is .*mine.zip, which cannot be used: .*({text})"):
        obtained(tmp_path, path)
    assert not (tmp_path / "archive.zip").exists()


@pytest.mark.parametrize(("name", "text"), [("nowhere.zip", "does not exist"), ("", "is a folder: use")])
def test_a_path_that_is_no_file_is_named(name, text, tmp_path):
    with pytest.raises(UserError, match=text):
        obtained(tmp_path, tmp_path / name)
