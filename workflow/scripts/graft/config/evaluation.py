"""How results are judged: intervals, calibration, decisions, significance."""

import re
from typing import Literal

from pydantic import Field, field_validator

from graft.config.base import Settings, nearest

ALWAYS = ("accuracy", "balanced_accuracy", "macro_f1", "roc_auc", "log_loss", "brier", "ece")  # evaluation.csv has them
ON_REQUEST = ("quadratic_kappa", "mean_column_auc", "map_at_3", "map_at_5")  # map_at_ takes any number
MAP = re.compile(r"map_at_([1-9]\d{0,3})")


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

    metrics: list[str] = Field([], exclude_if=lambda value: not value)
    """Numbers that competitions grade by, as more columns of evaluation.csv: quadratic_kappa (quadratic weighted kappa,
    of classes whose natural order means something, such as 0 to 4), mean_column_auc, map_at_K (mean average precision
    at K, such as map_at_5). Macro F1, log loss and the accuracies are always there."""

    unlike_rate: float = Field(0.05, ge=0, le=0.5)
    """How often a photo that is like the training photos may be called unlike them. The distance from which on that
    happens is set on photos that do not judge, and travels in the published model; 0: never (docs/strangers.md)."""

    bootstrap_resamples: int = Field(9999, ge=99, le=1_000_000)
    """Resamples of the photos behind each bootstrap interval."""

    seed: int = Field(0, ge=0, lt=2**31)
    """The seed of the resamples."""

    @field_validator("metrics")
    @classmethod
    def _known(cls, names: list[str]) -> list[str]:
        for name in names:
            if name not in (*ALWAYS, *ON_REQUEST) and not MAP.fullmatch(name):
                raise ValueError(f"there is no metric {name!r}{nearest(name, [*ON_REQUEST, *ALWAYS])}")
        return names
