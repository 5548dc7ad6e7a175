"""What `record_provenance` is given about a run; all else it reads from files."""

from typing import Any

from pydantic import Field

from graft.config.averaging import AveragedViews
from graft.config.base import Settings


class RunRecord(Settings):
    """A run, and the configuration that repeats it alone."""

    run: str
    """Its name."""

    experiment: str
    """The experiment that it is one seed of."""

    seed: int
    """What all its randomness came from."""

    dataset: str
    """A key of `config.datasets`."""

    features: str
    """The folder of the cached features that it shares with other runs."""

    test_views: AveragedViews | None = Field(None, exclude_if=lambda value: value is None)
    """What each prediction is averaged over; the published model remembers it."""

    views: str | None = Field(None, exclude_if=lambda value: value is None)
    """The cached features of these views, if any are used."""

    config: dict[str, Any]
    """Runs (this one), datasets, experiments (the recipe in full as its override) and evaluation."""
