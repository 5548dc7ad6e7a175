"""What a saved model says of one photo: its class, or which labels it gives it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from graft.data.label_sets import joined
from graft.predicting.label_predictions import decide_labels, label_probabilities

UNLIKE = "unlike the training photos"


@dataclass(frozen=True)
class Verdict:
    """What a model says of one photo; `fault` instead, where the file could not be read."""

    path: str
    label: str = ""
    probability: float = 0.0
    sure: bool = True
    probabilities: tuple[float, ...] = ()
    fault: str = ""
    distance: float | None = None
    """How unlike the training photos it is; None where the model cannot tell."""

    unlike: bool = False

    @property
    def answer(self) -> str:
        """Return the answer and its probability in words.

        >>> Verdict("a.jpg", "urban", 0.52, sure=False).answer
        'not sure (urban 0.52)'
        """
        answer = f"{self.label} {self.probability:.2f}"
        return f"{self.doubt} ({answer})" if self.doubt else answer

    @property
    def doubt(self) -> str:
        """Return why the answer should not be taken, or nothing.

        >>> Verdict("a.jpg", "urban", 0.97, unlike=True).doubt
        'unlike the training photos'
        """
        return UNLIKE if self.unlike else "" if self.sure else "not sure"


@dataclass(frozen=True)
class LabelVerdict(Verdict):
    """What a model of several labels says of one photo.

    Attributes:
        labels: those that it gives, the most probable first; perhaps none.
        chances: their probabilities.
    """

    labels: tuple[str, ...] = ()
    chances: tuple[float, ...] = ()

    @property
    def answer(self) -> str:
        """Return the labels and their probabilities in words.

        >>> LabelVerdict("a.jpg", labels=("tree", "car"), chances=(0.97, 0.71)).answer, LabelVerdict("b.jpg").answer
        ('tree 0.97, car 0.71', 'none')
        """
        return (
            ", ".join(f"{name} {chance:.2f}" for name, chance in zip(self.labels, self.chances, strict=True)) or "none"
        )


def label_verdict(path: str, logits: np.ndarray, facts: dict[str, Any]) -> LabelVerdict:
    """Return what a model's logits, (n_labels,), say of a photo.

    Args:
        path: of the photo.
        logits: one a label.
        facts: what travels in the model file: classes, temperature, thresholds.
    """
    probabilities = label_probabilities(logits, facts.get("temperature") or 1.0)
    given = decide_labels(probabilities, facts.get("thresholds") or 0.5)
    places = [place for place in np.argsort(-probabilities, kind="stable") if given[place]]
    return LabelVerdict(
        path,
        label=joined(facts["classes"][place] for place in places),
        probabilities=tuple(probabilities.tolist()),
        labels=tuple(facts["classes"][place] for place in places),
        chances=tuple(float(probabilities[place]) for place in places),
    )
