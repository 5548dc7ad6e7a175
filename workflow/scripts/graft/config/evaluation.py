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

    threshold: Literal["half", "accuracy", "balanced_accuracy", "f1"] = "balanced_accuracy"
    """Two classes only: what the decision threshold makes largest on the photos that choose (`selection.on`); `half`,
    or where no photos choose: always 0.5."""

    threshold_photos: int = Field(30, ge=1)
    """Fewest photos of each class that may choose a threshold; with fewer it stays 0.5."""

    label_thresholds: Literal["half", "accuracy", "balanced_accuracy", "f1"] = "f1"
    """Several labels a photo: what each label's threshold makes largest on the photos that choose, or, for a probe of
    which none do, in cross-validation; `half`, or for labels with fewer than `threshold_photos`: 0.5."""

    unsure_below: float = Field(0.0, ge=0, lt=1)
    """A photo whose answer has a calibrated probability below this gets "not sure" instead; 0: every photo is decided.
    It travels in the published model, and `classify` follows it."""

    unlike_rate: float = Field(0.05, ge=0, le=0.5)
    """How often a photo that is like the training photos may be called unlike them. The distance from which on that
    happens is set on photos that do not judge, and travels in the published model; 0: never (docs/strangers.md)."""

    bootstrap_resamples: int = Field(9999, ge=99, le=1_000_000)
    """Resamples of the photos behind each bootstrap interval."""

    seed: int = Field(0, ge=0, lt=2**31)
    """The seed of the resamples."""
