"""How often a 95% interval holds the truth, and how often two equally good models are called different.

    python benchmarks/coverage.py --trials 2000

Photos come in groups of 1, 3 or 10, as the frames of one scene or the pictures of one patient do. Within a group,
answers are right together: each group has a chance of its own, drawn from a beta distribution whose intra-class
correlation is given (0: photos of a group are as different as any). `photos` is Wilson's interval, or McNemar's test,
over single photos; `groups` is what Graft reports. For the pairs, two models answer the same photos; each has mistakes
of its own, which are correlated within groups, and both are equally good.
"""

import argparse
import sys

import numpy as np

from chain import SCRIPTS

sys.path.insert(0, str(SCRIPTS))
SIZES = (30, 100, 300)
GROUPS = (1, 3, 10)
CORRELATIONS = (0.0, 0.3, 0.8)
ACCURACIES = (0.6, 0.8, 0.95)
N_PAIRS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=2000, help="simulated photo sets for every row")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    print("| photos | in groups of | correlation | coverage at accuracy 0.6, 0.8, 0.95: photos | groups |")
    print("|---|---|---|---|---|")
    for n in SIZES:
        for size in GROUPS:
            for correlation in CORRELATIONS if size > 1 else (0.0,):
                covered = [coverage(rng, n, size, correlation, truth, arguments.trials) for truth in ACCURACIES]
                told = [", ".join(f"{one[kind]:.3f}" for one in covered) for kind in (0, 1)]
                print(f"| {n} | {size} | {correlation:g} | {told[0]} | {told[1]} |", flush=True)
    print()
    print(
        "| photos | in groups of | correlation | equal models called different: photos | groups |"
        f" any of {N_PAIRS}, Holm |"
    )
    print("|---|---|---|---|---|---|")
    for n in SIZES:
        for size in GROUPS:
            for correlation in CORRELATIONS if size > 1 else (0.0,):
                rates = false_positives(rng, n, size, correlation, arguments.trials)
                told = " | ".join(f"{rate:.3f}" for rate in rates)
                print(f"| {n} | {size} | {correlation:g} | {told} |", flush=True)


def right_answers(rng: np.random.Generator, n: int, size: int, correlation: float, accuracy: float) -> np.ndarray:
    """Return which of n photos, `size` to a group, are answered rightly, (n,), float."""
    n_groups = n // size
    if correlation == 0 or size == 1:
        chances = np.full(n_groups, accuracy)
    else:
        spread = 1 / correlation - 1
        chances = rng.beta(accuracy * spread, (1 - accuracy) * spread, n_groups)
    return (rng.random(n_groups * size) < np.repeat(chances, size)).astype(float)


def coverage(rng, n: int, size: int, correlation: float, accuracy: float, trials: int) -> tuple[float, float]:
    """Return how often the interval over single photos, and the one over groups, holds the true accuracy."""
    from graft.judging.metrics import accuracy_interval, grouped_interval

    held = np.zeros(2)
    groups = np.repeat(np.arange(n // size), size)
    for _ in range(trials):
        correct = right_answers(rng, n, size, correlation, accuracy)
        intervals = accuracy_interval(correct.sum(), len(correct)), grouped_interval(correct, groups)
        held += [low <= accuracy <= high for low, high in intervals]
    return tuple(held / trials)


def false_positives(rng, n: int, size: int, correlation: float, trials: int) -> tuple[float, float, float]:
    """Return how often two equally good models are called different, by photos, by groups, and in any of ten pairs."""
    from statsmodels.stats.multitest import multipletests

    from graft.config.evaluation import Evaluation
    from graft.judging.significance import mcnemar_p, sign_flip_p

    settings, by_photo, by_group = Evaluation(bootstrap_resamples=999), [], []
    for _ in range(trials):
        first, second = (right_answers(rng, n, size, correlation, 0.8) for _ in range(2))
        gained = (second - first).astype(int)
        by_photo.append(mcnemar_p(int((gained < 0).sum()), int((gained > 0).sum())))
        by_group.append(sign_flip_p(gained.reshape(-1, size).sum(axis=1), settings))
    of_ten = np.array(by_group[: trials // N_PAIRS * N_PAIRS]).reshape(-1, N_PAIRS)
    any_of_ten = [multipletests(pvalues, method="holm")[0].any() for pvalues in of_ten]
    return (
        float(np.mean(np.array(by_photo) < 0.05)),
        float(np.mean(np.array(by_group) < 0.05)),
        float(np.mean(any_of_ten)),
    )


if __name__ == "__main__":
    main()
