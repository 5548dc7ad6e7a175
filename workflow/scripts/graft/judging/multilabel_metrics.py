"""How good predictions of several labels a photo are, in numbers, and how sure these numbers are.

In every function `truth` and `predicted` are (n, n_labels), bool, and `probabilities` is (n, n_labels), float. A number
that the photos cannot tell is nan, never an error. Some functions take the photos' weights, (b, n), which say how often
each photo is in each of b resamples; they return a number for each resample.
"""

from collections.abc import Callable, Iterator

import numpy as np
from scipy.special import expit, logit
from scipy.stats import t as student
from sklearn import metrics as scores

from graft.config.evaluation import Evaluation
from graft.judging.multilabel_outcomes import LabelOutcomes, label_losses

COST = 200_000_000  # resamples x photos x labels, some seconds; where it would be more, there are fewer resamples ...
FEWEST = 999  # ... but never fewer than these
AT_ONCE = 4_000_000  # numbers of one block of resamples, 32 MB


def average_precision(truth: np.ndarray, probability: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return one label's average precision in each resample, (b,); nan where no photo has the label.

    Photos of equal probability are passed together, as in scikit-learn's average_precision_score, with which a test
    compares it; that one takes a resample at a time.

    Args:
        truth: (n,), bool.
        probability: (n,), float.
        weights: (b, n); how often each photo counts.

    >>> average_precision(np.array([True, False, True]), np.array([0.9, 0.8, 0.7]), np.ones((1, 3))).round(3).tolist()
    [0.833]
    """
    order = np.argsort(-probability, kind="stable")
    last = np.append(np.flatnonzero(np.diff(probability[order])), len(order) - 1)  # of each group of equal ones
    sorted_weights = weights[:, order].astype(float)
    passed = np.cumsum(sorted_weights, axis=1)[:, last]
    found = np.cumsum(sorted_weights * truth[order], axis=1)[:, last]
    gained = np.diff(found, axis=1, prepend=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(passed > 0, found / passed, 0.0)
        return (gained * precision).sum(axis=1) / found[:, -1]


def average_precisions(outcomes: LabelOutcomes, weights: np.ndarray) -> np.ndarray:
    """Return each label's average precision in each resample, (b, n_labels); nan for labels that cannot be judged."""
    found = np.full((len(weights), len(outcomes.classes)), np.nan)
    for label in np.flatnonzero(outcomes.judged):
        found[:, label] = average_precision(outcomes.truth[:, label], outcomes.probabilities[:, label], weights)
    return found


def mean_of_labels(values: np.ndarray) -> np.ndarray:
    """Return the mean over labels that have a value, (b,); nan where none has."""
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.where(known, values, 0.0).sum(axis=1) / known.sum(axis=1)


def f1_of_labels(outcomes: LabelOutcomes, weights: np.ndarray) -> np.ndarray:
    """Return each label's F1 in each resample, (b, n_labels); nan for labels that cannot be judged."""
    both, one = counts_of(outcomes, weights)
    with np.errstate(invalid="ignore"):
        return np.where(outcomes.judged, 2 * both / one, np.nan)


def micro_f1(outcomes: LabelOutcomes, weights: np.ndarray) -> np.ndarray:
    """Return the F1 of all answers, whatever the label, in each resample, (b,)."""
    both, one = counts_of(outcomes, weights)
    with np.errstate(invalid="ignore"):
        return 2 * both.sum(axis=1) / one.sum(axis=1)


def counts_of(outcomes: LabelOutcomes, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how many photos have a label and were given it, and the sum of those that have it and were given it.

    Both are (b, n_labels). F1 is twice the first over the second.
    """
    truth, predicted = outcomes.truth.astype(float), outcomes.predicted.astype(float)
    return weights @ (truth * predicted), weights @ (truth + predicted)


def resamples(groups: np.ndarray, n_labels: int, settings: Evaluation) -> Iterator[np.ndarray]:
    """Yield blocks of resamples, (b, n): how often each photo is in each, whole groups drawn with replacement.

    Args:
        groups: (n,), int.
        n_labels: with the photos, it decides how many resamples there are: as many as the settings say, or fewer where
            they would take long.
        settings: the number and the seed.
    """
    _, group_of = np.unique(groups, return_inverse=True)
    n, n_groups = len(groups), int(group_of.max()) + 1
    count = min(settings.bootstrap_resamples, max(FEWEST, COST // (n * n_labels)))
    rng = np.random.default_rng(settings.seed)
    size = max(1, AT_ONCE // n)
    for start in range(0, count, size):
        draws = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=min(size, count - start))
        yield draws[:, group_of]


Statistic = Callable[[LabelOutcomes, np.ndarray], np.ndarray]
STATISTICS: dict[str, Statistic] = {
    "mean_average_precision": lambda outcomes, weights: mean_of_labels(average_precisions(outcomes, weights)),
    "micro_f1": micro_f1,
    "macro_f1": lambda outcomes, weights: mean_of_labels(f1_of_labels(outcomes, weights)),
    "average_precision": average_precisions,
    "f1": f1_of_labels,
}


def value_of(name: str, outcomes: LabelOutcomes) -> np.ndarray:
    """Return one of `STATISTICS` of the photos as they are: a number, or one for each label."""
    return STATISTICS[name](outcomes, np.ones((1, len(outcomes.truth))))[0]


def intervals(names: list[str], outcomes: LabelOutcomes, settings: Evaluation) -> dict[str, np.ndarray]:
    """Return the interval of some of `STATISTICS`, (2,) or (2, n_labels), by a bootstrap over groups.

    One group has no spread to draw from: nan.
    """
    values, n_groups = {name: value_of(name, outcomes) for name in names}, len(np.unique(outcomes.groups))
    if n_groups < 2:
        return {name: np.full((2, *np.shape(value)), np.nan) for name, value in values.items()}
    drawn: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for weights in resamples(outcomes.groups, len(outcomes.classes), settings):
        for name in names:
            drawn[name].append(STATISTICS[name](outcomes, weights))
    return {
        name: interval_in_log_odds(
            values[name], np.concatenate(blocks), len(outcomes.truth), n_groups, settings.confidence
        )
        for name, blocks in drawn.items()
    }


def interval_in_log_odds(
    value: np.ndarray, drawn: np.ndarray, n_photos: int, n_groups: int, confidence: float
) -> np.ndarray:
    """Return the interval of a number between 0 and 1, (2, ...), from its spread over resamples; nan where it is none.

    Percentiles of the resamples are too narrow where there are few groups. This is Student's interval of n_groups - 1
    degrees of freedom around the log-odds of the number, with the standard deviation of the resamples' log-odds; that
    of n groups drawn from n is too small by sqrt((n - 1) / n). How often it holds the truth: docs/numbers.md.

    Args:
        value: (...), of the photos as they are.
        drawn: (b, ...), of each resample; nan where a resample cannot tell it.
        n_photos: that the number is of.
        n_groups: that resamples are drawn from; at least two.
        confidence: the share of such intervals that should hold the truth.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, sections 12.2 and 12.6; Hesterberg, "What
    Teachers Should Know About the Bootstrap", The American Statistician 69, 2015, section 4.

    >>> drawn = np.array([0.4, 0.6, 0.4, 0.6])
    >>> interval_in_log_odds(np.array(0.5), drawn, 30, 30, 0.95).round(3).tolist()
    [0.274, 0.726]
    """
    least = 1 / (2 * n_photos)  # 0 and 1 have no log-odds: half a photo of all is as near as they come

    def log_odds(share: np.ndarray) -> np.ndarray:
        return logit(np.clip(share, least, 1 - least))

    told = ~np.isnan(drawn)
    count = told.sum(axis=0)
    odds = np.where(told, log_odds(drawn), 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.sqrt((np.where(told, odds - odds.sum(axis=0) / count, 0.0) ** 2).sum(axis=0) / (count - 1))
    half = student.ppf((1 + confidence) / 2, n_groups - 1) * np.sqrt(n_groups / (n_groups - 1)) * spread
    middle = log_odds(value)
    return np.stack([np.minimum(expit(middle - half), value), np.maximum(expit(middle + half), value)])


def percentiles(drawn: np.ndarray, confidence: float) -> np.ndarray:
    """Return the ends of the interval that holds a share of the draws, (2, ...); nan where a number was never told."""
    ends = [(1 - confidence) / 2, (1 + confidence) / 2]
    told = ~np.isnan(drawn).all(axis=0)
    found = np.full((2, *drawn.shape[1:]), np.nan)
    if told.any():
        found[:, told] = np.nanquantile(drawn[:, told], ends, axis=0)
    return found


def roc_areas(outcomes: LabelOutcomes) -> np.ndarray:
    """Return the area under each label's ROC curve, (n_labels,); nan for labels that cannot be judged."""
    return np.array(
        [
            scores.roc_auc_score(outcomes.truth[:, label], outcomes.probabilities[:, label]) if judged else np.nan
            for label, judged in enumerate(outcomes.judged)
        ]
    )


def probability_metrics(outcomes: LabelOutcomes, bins: int) -> dict[str, float]:
    """Return the metrics that judge probabilities rather than answers: means over photos and labels."""
    return {
        "log_loss": float(label_losses(outcomes).mean()),
        "brier": float(np.mean((outcomes.probabilities - outcomes.truth) ** 2)),
        "ece": calibration_error(outcomes.truth, outcomes.probabilities, bins),
    }


def calibration_error(truth: np.ndarray, probabilities: np.ndarray, bins: int) -> float:
    """Return how far the labels' probabilities lie from how often photos have them, in bins of equal width.

    >>> round(calibration_error(np.array([[True, False]]), np.array([[0.8, 0.8]]), 10), 3)  # one of two, said 0.8
    0.3
    """
    bin_of = np.digitize(probabilities.ravel(), np.linspace(0, 1, bins + 1)[1:-1], right=True)
    gaps = np.bincount(bin_of, weights=(truth - probabilities).ravel())
    return float(np.abs(gaps).sum() / truth.size)


def chance_precision(has: np.ndarray, n: int) -> np.ndarray:
    """Return the average precision to expect of photos in random order, for each label.

    It lies above the share of photos that have the label, since the first of them may come early by luck: with few
    photos by a good deal. A photo with the label at place k has (k - 1)(has - 1) / (n - 1) others before it on average.

    Args:
        has: (n_labels,); photos that have each label, at least one.
        n: all photos, at least two.

    >>> chance_precision(np.array([1]), 2).tolist()  # first: 1; second: 1/2
    [0.75]
    """
    others = (has - 1) / max(n - 1, 1)
    return others + (1 - others) * np.mean(1 / np.arange(1, n + 1))


def frequency_baseline(outcomes: LabelOutcomes) -> dict[str, float]:
    """Return what is had without a look at the photos, from how often these very photos have each label.

    The probabilities are the frequencies: every order of the photos is then as good as any other, and a label's average
    precision is that of a random order. The answers are one set of labels for every photo, for micro F1 the one that
    makes it largest, for macro F1 all labels.

    >>> truth = np.array([[True, False], [True, False], [True, True], [False, False]])
    >>> blind = LabelOutcomes(["a", "b"], truth, truth, truth.astype(float), np.arange(4), np.arange(4))
    >>> {name: round(value, 3) for name, value in frequency_baseline(blind).items()}
    {'baseline': 0.681, 'baseline_micro_f1': 0.75, 'baseline_macro_f1': 0.629, 'baseline_log_loss': 0.562}
    """
    shares, support, judged = outcomes.truth.mean(axis=0), outcomes.truth.sum(axis=0), outcomes.judged
    ranked = np.sort(shares)[::-1]
    micro = 2 * np.cumsum(ranked) / (np.arange(1, len(ranked) + 1) + ranked.sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -np.nansum([shares * np.log(shares), (1 - shares) * np.log(1 - shares)], axis=0)
    some = judged.any()
    return {
        "baseline": float(chance_precision(support[judged], len(outcomes.truth)).mean()) if some else np.nan,
        "baseline_micro_f1": float(micro.max()),
        "baseline_macro_f1": float((2 * shares[judged] / (1 + shares[judged])).mean()) if some else np.nan,
        "baseline_log_loss": float(entropy.mean()),
    }
