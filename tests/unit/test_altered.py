"""Altered copies of photos are found, whatever was done to them; strangers' photos are not."""

import io

import numpy as np
import pytest
from photo_files import encoded, zipped
from PIL import Image, ImageOps

import ingest_dataset
from altered_copies import NAMED, caught, distinct_photos, search
from graft.config.dataset import Ingest
from graft.data import altered
from graft.data.decode import PICTURE_PX, look
from graft.data.duplicates import connected_components
from graft.sample.scenes import SCENES, draw_scene
from graft.storage.files import read_table

N_SCENES = 12
ALMOST_ALL = 0.9  # of the copies of a kind: what the audit promises


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """Return the paths and looks of drawn photos, half of the city and half of the countryside."""
    folder = tmp_path_factory.mktemp("scenes")
    paths = [folder / f"{label}{seed}.png" for seed in range(N_SCENES // 2) for label in SCENES]
    for path in paths:
        scene = Image.fromarray(draw_scene(path.stem[:5], [int(path.stem[5:]), 7]))
        scene.resize((256, 192), Image.Resampling.BICUBIC).save(path)
    return paths, [look(path, path.name, Ingest()) for path in paths]


@pytest.mark.parametrize("kind", NAMED)
def test_copies_of_every_kind_are_found(kind, scenes, tmp_path):
    assert caught(*scenes, NAMED[kind], tmp_path) >= ALMOST_ALL * N_SCENES


def test_strangers_are_no_copies(scenes):
    assert search(scenes[1]) == []


@pytest.mark.shared
@pytest.mark.parametrize("name", ["flowers5", "hymenoptera", "urban-and-rural-photos"])
def test_one_pair_of_real_strangers_in_100_000_at_most_is_taken_for_copies(name, shared, tmp_path):
    known = {"flowers5": 2}  # three prints of one photo of a rose: in grey, in colour, and with a twig
    _, looks = distinct_photos(shared / "data" / f"{name}.zip", tmp_path / "photos")
    false = len(search(looks)) - known.get(name, 0)
    assert 0 <= false <= len(looks) * (len(looks) - 1) / 2 / 100_000


def test_a_copy_says_what_it_is_to_the_earlier_photo(scenes):
    def small(image):
        return np.asarray(image.convert("L").resize((PICTURE_PX, PICTURE_PX), Image.Resampling.BOX))

    photos = [Image.open(path) for path in scenes[0][:4]]
    width, height = photos[0].size
    copies = [
        ImageOps.mirror(photos[0]),
        photos[1].transpose(Image.Transpose.ROTATE_90),
        photos[2].crop((round(0.1 * width), round(0.1 * height), round(0.9 * width), round(0.9 * height))),
        ImageOps.invert(ImageOps.mirror(photos[3])),
    ]
    pictures = np.stack([small(one) for one in [*photos, *copies]])
    links = {(link.earlier, link.later): link.kind for link in altered.altered_links(pictures)}
    assert links == {
        (0, 4): "mirrored",
        (1, 5): "turned 270",  # Pillow turns anticlockwise
        (2, 6): "cropped",
        (3, 7): "mirrored, inverted",
    }
    back = {(one.earlier, one.later): one.kind for one in altered.altered_links(pictures[::-1])}
    assert back[2, 6] == "turned 90"
    assert back[1, 5] == "wider"


def test_a_chain_of_copies_is_one_group_with_few_links(scenes):
    photo = Image.open(scenes[0][0])
    frames = [photo.crop((4 * step, 2 * step, 200 + 4 * step, 150 + 2 * step)) for step in range(12)]
    pictures = np.stack(
        [np.asarray(one.convert("L").resize((PICTURE_PX, PICTURE_PX), Image.Resampling.BOX)) for one in frames]
    )
    links = altered.altered_links(pictures)
    assert len(set(connected_components(len(frames), [(one.earlier, one.later) for one in links]))) == 1
    assert len(links) == len(frames) - 1


@pytest.mark.parametrize("pictures", [0, 1])
def test_too_few_photos_have_no_copies(pictures):
    assert altered.altered_links(np.zeros((pictures, PICTURE_PX, PICTURE_PX), np.uint8)) == []


def test_plain_pictures_are_copies_of_nothing():
    levels = np.arange(0, 250, 10, dtype=np.uint8)
    assert altered.altered_links(np.tile(levels[:, None, None], (1, PICTURE_PX, PICTURE_PX))) == []


@pytest.fixture
def leaking(scenes, tmp_path):
    """Ingest drawn photos of which two lie in the validation folder again, mirrored and cropped."""
    photos = {path.name: path.read_bytes() for path in scenes[0]}
    files = {f"train/{name[:5]}/{name}": data for name, data in photos.items() if not name.endswith("5.png")}
    files |= {f"val/{name[:5]}/{name}": data for name, data in photos.items() if name.endswith("5.png")}
    for label, alter in (("urban", "mirrored"), ("rural", "cropped 10%")):
        picture = Image.open(io.BytesIO(photos[f"{label}1.png"]))
        files[f"val/{label}/copy.jpg"] = encoded(NAMED[alter](picture), "JPEG")
    files["train/urban/again.jpg"] = encoded(ImageOps.mirror(Image.open(io.BytesIO(photos["urban2.png"]))), "JPEG")
    archive = tmp_path / "photos.zip"
    archive.write_bytes(zipped(files))
    ingest_dataset.main(["--photos", str(archive), "--output", str(tmp_path / "out"), "--workers", "1"])
    return read_table(tmp_path / "out" / "audit.csv").set_index("path"), tmp_path / "out"


def test_altered_copies_leak_and_share_groups_and_say_how(leaking):
    audit, folder = leaking
    found = audit[audit["verdict"] != "kept"]
    assert found["verdict"].to_dict() == {
        "train/rural/rural1.png": "leak",
        "train/urban/urban1.png": "leak",
        "train/urban/urban2.png": "near_duplicate",
    }
    assert found["copy_of"].to_dict() == {
        "train/rural/rural1.png": "val/rural/copy.jpg",
        "train/urban/urban1.png": "val/urban/copy.jpg",
        "train/urban/urban2.png": "train/urban/again.jpg",
    }
    assert found["copy_kind"].to_dict() == {
        "train/rural/rural1.png": "wider",
        "train/urban/urban1.png": "mirrored",
        "train/urban/urban2.png": "mirrored",
    }
    assert set(audit.loc[audit["verdict"] == "kept", "copy_of"]) == {""}
    manifest = read_table(folder / "manifest.csv").set_index("path")
    assert "train/urban/urban1.png" not in manifest.index
    assert manifest["duplicate_group"]["train/urban/urban2.png"] == manifest["duplicate_group"]["train/urban/again.jpg"]
    assert (folder / "audit.png").stat().st_size > 5000
