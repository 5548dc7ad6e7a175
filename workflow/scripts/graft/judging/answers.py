"""What one stage's models answered for the photos of one role: one label a photo, or several."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, Self, TypeVar

import numpy as np
import pandas as pd

from graft.judging.outcomes import PROBABILITY


class Takes(Protocol):
    """Outcomes of photos, of which some can be taken."""

    def take(self, places: np.ndarray) -> Self:
        """Return the outcomes of some photos, by their places or by a mask."""


Held = TypeVar("Held", bound=Takes)  # Outcomes, or LabelOutcomes
Read = Callable[[pd.DataFrame, str], Held]  # from predictions, and which of their probabilities, to outcomes


@dataclass(frozen=True)
class Answers(Generic[Held]):
    """What one stage's models answered for the photos of one role.

    Attributes:
        rows: calibrated predictions, n of them.
        outcomes: the same as arrays, as the published models answer.
        network: with the network's own probabilities.
    """

    rows: pd.DataFrame
    outcomes: Held
    network: Held

    @classmethod
    def of(cls, rows: pd.DataFrame, read: Read[Held]) -> "Answers[Held]":
        """Return the answers that some calibrated predictions hold."""
        return cls(rows, read(rows, ""), read(rows, PROBABILITY))

    def take(self, places: np.ndarray) -> "Answers[Held]":
        """Return some of the answers, by a mask."""
        return Answers(self.rows[places], self.outcomes.take(places), self.network.take(places))

    def in_fold(self, fold: str) -> np.ndarray:
        """Return (n,), bool: which answers are of a fold; `all` means every fold."""
        return (self.rows["fold"].astype(str) == fold).to_numpy() | (fold == "all")

    def folds(self) -> list[str]:
        """Return `all` and each fold, in order of number."""
        return ["all", *map(str, sorted(self.rows["fold"].unique()))]


def by_stage_and_role(rows: pd.DataFrame, read: Read[Held]) -> dict[tuple[str, str], Answers[Held]]:
    """Return calibrated predictions by stage and role, in the order in which these first occur."""
    return {
        (str(stage), str(role)): Answers.of(part, read)
        for (stage, role), part in rows.groupby(["stage", "role"], sort=False)
    }
