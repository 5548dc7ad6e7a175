"""How results are judged: intervals, calibration, decisions, significance."""

from typing import Literal

from pydantic import Field

from graft.config.base import Settings


class Evaluation(Settings):
    """How predictions become numbers; nothing here changes a model."""

    confidence: float = Field(0.95, ge=0.5, lt=1)
    """Coverage of every interval; 1 minus it is the level below which a p-value counts as a difference."""

    calibration_bins: int = Field(15, ge=2, le=1000)
    """Equal-width bins of confidence for the expected calibration error; more are finer and noisier."""

    cross_fit_parts: int = Field(5, ge=2, le=100)
    """Parts into which validation photos are dealt where they alone must both fit and judge a calibration."""

    threshold: Literal["half", "accuracy", "balanced_accuracy", "f1"] = "balanced_accuracy"
    """Two classes only: what the decision threshold makes largest on validation photos; `half`: always 0.5."""

    threshold_photos: int = Field(30, ge=1)
    """Fewest validation photos of each class that may choose a threshold; with fewer it stays 0.5."""

    unsure_below: float = Field(0.0, ge=0, lt=1)
    """A photo whose calibrated confidence lies below this gets the answer "not sure"; 0: every photo is decided."""

    bootstrap_resamples: int = Field(9999, ge=99, le=1_000_000)
    """Resamples of the photos behind each bootstrap interval."""

    seed: int = Field(0, ge=0, lt=2**31)
    """What the resamples and the cross-fitting parts are drawn from."""


class RunEvaluation(Evaluation):
    """What `evaluate` uses: the settings, and what it has to know of a run's training."""

    selects_on_validation: dict[str, bool] = Field(default_factory=dict)
    """For each stage, whether validation photos stopped or selected its training."""
