"""The drawn photos: the same from the same seed, no two alike, in the folders that the data rules expect."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from graft.sample import rural, urban
from graft.sample.camera import frame, tone
from graft.sample.canvas import HEIGHT, WIDTH, Canvas, noise
from graft.sample.photos import write_sample
from graft.sample.scenes import SCENES, draw_scene


def digests(folder: Path) -> dict[str, str]:
    """Return each file's SHA-256 by its path in the folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, seed=3, n_train_per_class=4, n_val_per_class=2)
    return folder


@pytest.mark.parametrize("label", ["rural", "urban"])
def test_a_scene_is_a_colour_photo_of_128_by_96_pixels(label):
    photo = draw_scene(label, [3, 1])
    assert (photo.shape, photo.dtype) == ((96, 128, 3), np.uint8)
    assert photo.std() > 10


def test_a_seed_draws_one_scene_and_another_seed_another():
    np.testing.assert_array_equal(draw_scene("urban", [3, 1]), draw_scene("urban", [3, 1]))
    assert (draw_scene("urban", [3, 1]) != draw_scene("urban", [3, 2])).mean() > 0.5


def test_the_classes_differ_under_one_seed():
    assert (draw_scene("urban", [3, 1]) != draw_scene("rural", [3, 1])).mean() > 0.5


def test_a_class_that_is_never_drawn_is_an_error():
    with pytest.raises(KeyError, match="suburban"):
        draw_scene("suburban", [3])


@pytest.mark.parametrize("draw", [*rural.SCENES, *urban.SCENES], ids=lambda draw: draw.__name__)
def test_every_kind_of_scene_covers_the_lower_edge_of_its_sky(draw):
    canvas = Canvas(np.random.default_rng(5))
    sky = canvas.pixels()
    draw(canvas)
    assert (canvas.pixels()[-20:] != sky[-20:]).any(axis=2).mean() > 0.9


@pytest.mark.parametrize("label", SCENES)
def test_the_shares_of_a_class_sum_to_one(label):
    assert sum(SCENES[label].values()) == pytest.approx(1)


def test_a_sample_has_the_asked_number_of_photos_per_class_and_part(sample):
    train = [f"train/{label}/{label}_{number:03}.png" for label in ("rural", "urban") for number in range(4)]
    val = [f"val/{label}/{label}_{number:03}.png" for label in ("rural", "urban") for number in range(2)]
    assert sorted(digests(sample)) == train + val
    with Image.open(sample / train[0]) as photo:
        assert (photo.size, photo.mode) == ((128, 96), "RGB")


def test_no_photo_of_a_sample_comes_twice(sample):
    assert len(set(digests(sample).values())) == 12


def test_two_samples_of_a_seed_have_equal_bytes_and_a_smaller_one_is_part_of_the_larger(sample, tmp_path):
    write_sample(tmp_path, seed=3, n_train_per_class=2, n_val_per_class=2)
    again, all_of_it = digests(tmp_path), digests(sample)
    assert len(again) == 8
    assert again == {name: all_of_it[name] for name in again}


def test_another_seed_gives_other_photos(sample, tmp_path):
    write_sample(tmp_path, seed=4, n_train_per_class=1, n_val_per_class=1)
    assert not set(digests(tmp_path).values()) & set(digests(sample).values())


def test_the_sample_is_drawn_without_tensorflow():
    code = "import sys, graft.sample.photos; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}).returncode == 0


def test_brightness_and_contrast_of_a_photo_do_not_tell_the_scene_s():
    rng = np.random.default_rng(0)
    dark = rng.uniform(0.0, 0.2, (96, 128, 3)).astype(np.float32)
    first, second = (tone(np.random.default_rng(1), photo).mean() for photo in (dark, 4 * dark))
    assert first == pytest.approx(second, abs=0.02)


def test_a_frame_stays_clear_of_the_edges():
    rng = np.random.default_rng(0)
    boxes = np.array([frame(rng, WIDTH, HEIGHT) for _ in range(200)])
    assert (boxes >= [0.04 * WIDTH, 0.04 * HEIGHT] * 2).all()
    assert (boxes <= [0.96 * WIDTH, 0.96 * HEIGHT] * 2).all()


@pytest.mark.parametrize(("height", "width"), [(96, 96), (5, 40), (192, 256)])
def test_noise_fills_the_range_from_0_to_1(height, width):
    values = noise(np.random.default_rng(2), height, width)
    assert (values.shape, values.dtype) == ((height, width), np.float32)
    assert (values.min(), values.max()) == (0, pytest.approx(1, abs=1e-4))
