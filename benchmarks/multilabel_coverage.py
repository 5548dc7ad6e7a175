"""How often intervals of several labels a photo hold the truth, and how often equally good models are called different.

    python benchmarks/multilabel_coverage.py --trials 300

Photos are drawn with labels of stated shares, alone or in groups of photos that are alike, and scores that lie higher
where a photo has a label. The true numbers are those of 200,000 such photos. A trial draws a few, makes the intervals
as `evaluate` does, and compares two models that are equally good.
"""

import argparse
import sys

import numpy as np
from scipy.stats import norm

from chain import SCRIPTS

sys.path.insert(0, str(SCRIPTS))

from graft.config.evaluation import Evaluation
from graft.judging.multilabel_metrics import intervals, value_of
from graft.judging.multilabel_outcomes import LabelOutcomes
from graft.judging.multilabel_significance import compare

SHARES = np.array([0.1, 0.2, 0.3, 0.5, 0.7])  # of the photos that have each label
SKILL = 1.5  # by how much a score is higher where a photo has the label, in deviations
NAMES = ["mean_average_precision", "micro_f1", "macro_f1"]
CASES = [(n, size, alike) for n in (50, 100, 300) for size, alike in ((1, 0.0), (5, 0.5))]
CLASSES = [f"label {place}" for place in range(len(SHARES))]


def main() -> None:
    """Print a line a case: photos, groups, likeness, how often each interval held the truth, and false alarms."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=300, help="draws of each case")
    parser.add_argument("--resamples", type=int, default=999, help="of each bootstrap")
    arguments = parser.parse_args()
    settings = Evaluation(bootstrap_resamples=arguments.resamples)
    large, _ = drawn(200_000, 1, 0.0, np.random.default_rng(0))
    truth = {name: float(value_of(name, large)) for name in NAMES}
    print("truth: " + ", ".join(f"{name} {value:.3f}" for name, value in truth.items()))
    print(f"photos, in groups of, likeness: coverage of {', '.join(NAMES)}; called different")
    for n, size, alike in CASES:
        held, alarms = dict.fromkeys(NAMES, 0), 0
        for trial in range(arguments.trials):
            one, other = drawn(n, size, alike, np.random.default_rng([n, size, trial]))
            for name, (low, high) in intervals(NAMES, one, settings).items():
                held[name] += bool(low <= truth[name] <= high)
            found = compare(one, other, settings)
            alarms += found is not None and found["p_value"] < 1 - settings.confidence
        shares = ", ".join(f"{count / arguments.trials:.3f}" for count in held.values())
        print(f"{n}, {size}, {alike:g}: {shares}; {alarms / arguments.trials:.3f}", flush=True)


def drawn(n: int, size: int, alike: float, rng: np.random.Generator) -> tuple[LabelOutcomes, LabelOutcomes]:
    """Return the answers of two equally good models to the same photos.

    Args:
        n: photos.
        size: photos of a group.
        alike: the correlation, within a group, of what decides labels and scores.
        rng: of the draw.
    """
    groups = np.arange(n) // size

    def normal() -> np.ndarray:
        shared = rng.normal(size=(groups.max() + 1, len(SHARES)))[groups]
        return np.sqrt(alike) * shared + np.sqrt(1 - alike) * rng.normal(size=shared.shape)

    truth = normal() < norm.ppf(SHARES)
    paths = np.arange(n).astype(str)
    chances = [norm.cdf(SKILL * (truth - 0.5) + normal()) for _ in range(2)]
    one, other = (LabelOutcomes(CLASSES, truth, chance >= 0.5, chance, groups, paths) for chance in chances)
    return one, other


if __name__ == "__main__":
    main()
