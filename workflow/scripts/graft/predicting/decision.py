"""What a model answers: one rule for the published model, for every table and figure, and for new photos."""

import numpy as np


def decide(
    probabilities: np.ndarray, threshold: float | np.ndarray | None = None, unsure_below: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return the answers, (n,), int, and whether each is sure, (n,), bool.

    Args:
        probabilities: (n, n_classes), float; calibrated.
        threshold: for two classes, the least probability of the second class that answers it, one for all photos or
            one for each; None: the likeliest class.
        unsure_below: an answer of less probability than this is not sure.

    >>> answers, sure = decide(np.array([[0.6, 0.4], [0.9, 0.1]]), threshold=0.3, unsure_below=0.5)
    >>> answers.tolist(), sure.tolist()
    ([1, 0], [False, True])
    """
    if threshold is None or probabilities.shape[1] != 2:
        answers = probabilities.argmax(axis=1)
    else:
        answers = (probabilities[:, 1] >= threshold).astype(int)
    return answers, probabilities[np.arange(len(answers)), answers] >= unsure_below
