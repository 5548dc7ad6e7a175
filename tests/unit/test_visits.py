"""The order of the photos: every pass shows each once, and a visit is counted right."""

import numpy as np
import pytest

from graft.config.recipe import FrozenPhase
from graft.training.visits import Visits, visits_needed


def stream(visits: Visits, epochs: int) -> tuple[np.ndarray, np.ndarray]:
    batches = [batch for epoch in range(epochs) for batch in visits.epoch(epoch)]
    return np.concatenate([positions for positions, _ in batches]), np.concatenate([seen for _, seen in batches])


@pytest.mark.parametrize(("n", "batch", "steps", "epochs"), [(72, 8, 12, 3), (5, 2, 0, 4), (10, 4, 1, 7), (3, 8, 2, 2)])
def test_a_photo_and_its_visit_come_together_once(n, batch, steps, epochs):
    positions, seen = stream(Visits(n, batch, steps, seed=0), epochs)
    pairs = list(zip(positions.tolist(), seen.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    complete = len(pairs) // n  # passes that ended
    assert all(sorted(positions[seen == visit].tolist()) == list(range(n)) for visit in range(complete))


def test_the_lesson_sees_96_photos_an_epoch_in_full_batches():
    epoch = Visits(72, 8, 12, seed=0).epoch(0)
    assert [len(positions) for positions, _ in epoch] == [8] * 12


def test_an_epoch_without_steps_is_one_pass_with_a_short_last_batch():
    assert [len(positions) for positions, _ in Visits(10, 4, 0, seed=0).epoch(3)] == [4, 4, 2]


def test_an_epoch_depends_on_its_number_and_the_seed_alone():
    first = [positions.tolist() for positions, _ in Visits(20, 8, 3, seed=1).epoch(5)]
    assert first == [positions.tolist() for positions, _ in Visits(20, 8, 3, seed=1).epoch(5)]
    assert first != [positions.tolist() for positions, _ in Visits(20, 8, 3, seed=2).epoch(5)]


@pytest.mark.parametrize(("n", "steps", "epochs", "needed"), [(72, 12, 20, 27), (72, 9, 20, 20), (50, 0, 6, 6)])
def test_as_many_views_are_cached_as_any_photo_has_visits(n, steps, epochs, needed):
    phase = FrozenPhase(batch_size=8, steps_per_epoch=steps, epochs=epochs)
    assert visits_needed(phase, n) == needed
    assert stream(Visits.of_phase(phase, n, seed=3), epochs)[1].max() == needed - 1
