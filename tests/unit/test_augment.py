"""Random views: within their ranges, the same whenever they are drawn, and what the numbers say."""

import numpy as np
import pytest

from graft.config.recipe import Augmentation
from graft.training.augment import apply_views, draw_views

EVERYTHING = Augmentation(rotation=10, zoom=0.1, shift=0.1, shear=5, horizontal_flip=True, vertical_flip=True)


def view(augmentation: Augmentation, photo: np.ndarray, seed: int = 0) -> np.ndarray:
    maps = draw_views(augmentation, np.array([0]), np.array([0]), seed, photo.shape[0])
    return np.asarray(apply_views(photo[None], maps))[0]


def test_a_view_does_not_depend_on_the_batch_it_is_drawn_in():
    together = draw_views(EVERYTHING, np.array([3, 8, 5]), np.array([0, 1, 2]), 7, 32)
    alone = draw_views(EVERYTHING, np.array([8]), np.array([1]), 7, 32)
    assert np.array_equal(together[1], alone[0])


def test_photo_visit_and_seed_each_change_the_view():
    drawn = [
        draw_views(EVERYTHING, np.array([photo]), np.array([visit]), seed, 32)[0].tolist()
        for photo, visit, seed in [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    ]
    assert len({tuple(numbers) for numbers in drawn}) == 4


def test_nothing_asked_for_is_the_photo_itself():
    photo = np.random.default_rng(0).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    assert np.allclose(view(Augmentation(), photo), photo, atol=1e-3)


def test_a_flip_mirrors_left_and_right_about_half_the_time():
    photo = np.arange(4 * 4 * 3, dtype=np.uint8).reshape(4, 4, 3)
    flipped = 0
    for seed in range(40):
        seen = view(Augmentation(horizontal_flip=True), photo, seed)
        mirrored = np.allclose(seen, photo[:, ::-1], atol=1e-3)
        assert mirrored or np.allclose(seen, photo, atol=1e-3)
        flipped += mirrored
    assert 10 < flipped < 30


def test_a_shift_moves_by_at_most_its_share_and_repeats_the_border():
    photo = np.zeros((20, 20, 3), np.uint8)
    photo[:, 10:] = 200  # an edge at column 10
    for seed in range(20):
        seen = view(Augmentation(shift=0.1), photo, seed)
        edge = 20 - seen[10, :, 0].sum() / 200
        assert 8 - 1e-3 <= edge <= 12 + 1e-3
        assert seen.min() >= 0
        assert seen.max() <= 200


@pytest.mark.parametrize("degrees", [5, 30])
def test_a_turn_keeps_the_centre_and_stays_within_its_range(degrees):
    for photo in range(50):
        numbers = draw_views(Augmentation(rotation=degrees), np.array([photo]), np.array([0]), 0, 11)[0]
        assert abs(np.degrees(np.arctan2(numbers[3], numbers[0]))) <= degrees
        assert np.allclose([numbers[0] * 5 + numbers[1] * 5 + numbers[2]], 5, atol=1e-4)
