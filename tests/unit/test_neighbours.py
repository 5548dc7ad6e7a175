"""Agreeing directions of very many are found in cells, nearly all of them, and none is made up."""

import numpy as np
import pytest
from PIL import Image

from graft.data import altered
from graft.data.altered import Likely, altered_links, likeliest_views
from graft.data.neighbours import Cells, nearest


@pytest.fixture(scope="module")
def directions():
    """Return 3,000 directions of 63 numbers, of which the later half nearly repeat the earlier, some turned round."""
    chance = np.random.default_rng(0)
    first = chance.normal(size=(1500, 63)) * np.linspace(2, 0.2, 63)
    second = (first + chance.normal(size=first.shape) * 0.2) * chance.choice([-1, 1], (1500, 1))
    both = np.concatenate([first, second]).astype(np.float32)
    return both / np.linalg.norm(both, axis=1, keepdims=True)


def test_what_agrees_is_found_and_agrees_as_said(directions):
    cells, found = Cells(directions), {}
    for row, place, agreement in cells.agreeing(directions[:1500], 0.8):
        found |= dict(zip(zip(row.tolist(), place.tolist(), strict=True), agreement.tolist(), strict=True))
    every = np.abs(directions[:1500] @ directions.T)
    expected = set(zip(*(axis.tolist() for axis in np.nonzero(every >= 0.8)), strict=True))
    assert set(found) <= expected
    assert len(found) >= 0.99 * len(expected)
    assert all(abs(every[pair] - agreement) < 1e-5 for pair, agreement in found.items())
    assert sum((number, number + 1500) in found for number in range(1500)) >= 0.99 * 1500


def test_each_direction_lies_in_one_cell(directions):
    cells = Cells(directions)
    assert sorted(cells.order.tolist()) == list(range(3000))
    assert cells.ends[-1] == 3000


def test_the_nearest_centres_are_the_nearest_up_to_sign():
    centres = np.eye(3, dtype=np.float32)
    assert nearest(np.float32([[0.1, -0.9, 0.3]]), centres, 1).tolist() == [[1]]
    assert sorted(nearest(np.float32([[0.1, -0.9, 0.3]]), centres, 2)[0].tolist()) == [1, 2]


# ---------------------------------------------------------------------------------- the search for altered copies


@pytest.fixture(scope="module")
def pictures():
    """Return small pictures of clouds, of which the last forty are copies: mirrored, turned, inverted, brighter."""
    chance = np.random.default_rng(1)
    made = []
    for _ in range(300):
        clouds = Image.fromarray(chance.integers(0, 256, (9, 12), dtype=np.uint8))
        made.append(np.asarray(clouds.resize((64, 64), Image.Resampling.BICUBIC)))
    copies = [made[n][:, ::-1] for n in range(10)] + [np.rot90(made[n]) for n in range(10, 20)]
    copies += [255 - made[n] for n in range(20, 30)] + [made[n] // 2 + 60 for n in range(30, 40)]
    return [np.ascontiguousarray(one).tobytes() for one in made + copies]


def test_a_set_too_large_for_all_pairs_gives_the_same_copies(pictures, monkeypatch):
    exact = {(link.earlier, link.later): link.kind for link in altered_links(pictures)}
    assert set(exact) == {(number, 300 + number) for number in range(40)}
    monkeypatch.setattr(altered, "EXACT", 64)
    assert {(link.earlier, link.later): link.kind for link in altered_links(pictures)} == exact


def test_pairs_beyond_the_room_are_thinned_out_from_the_unlikely_end(monkeypatch):
    monkeypatch.setattr(altered, "HELD_AT_LEAST", 100)
    monkeypatch.setattr(altered, "HELD_PER_PHOTO", 0)
    chance, likely = np.random.default_rng(0), Likely(200)
    source, copy = chance.integers(0, 200, (2, 4000))
    agreement = chance.permutation(np.linspace(0.65, 1, 4000)).astype(np.float32)
    for start in range(0, 4000, 80):
        part = slice(start, start + 80)
        likely.add(source[part], copy[part], 3, agreement[part])
    assert likely.held <= 100 + 80
    assert likely.at_least > 0.95
    best = likeliest_views(source, copy, np.where(source == copy, 0, agreement), 200)[:20]
    assert [pair[:2] for pair in likely.best()[:20]] == list(
        zip(source[best].tolist(), copy[best].tolist(), strict=True)
    )
