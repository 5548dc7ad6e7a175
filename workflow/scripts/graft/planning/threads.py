"""How many threads a training gets, decided before any job runs, since other threads give other last digits."""

FEWEST = 2  # a training with one thread leaves the reading of photos no room


def training_threads(cores: int, n_trainings: int) -> int:
    """Return the threads of each training: its share of the cores, if all that can run beside each other do.

    Args:
        cores: that Snakemake may use.
        n_trainings: trainings of one phase in the whole job.

    >>> training_threads(16, 1), training_threads(16, 4), training_threads(16, 100), training_threads(1, 1)
    (16, 4, 2, 1)
    """
    beside = min(n_trainings, max(1, cores // FEWEST))
    return max(min(FEWEST, cores), cores // beside)
