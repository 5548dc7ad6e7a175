"""The probe: a cross-validated logistic regression on frozen features, run to convergence, as the head."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegressionCV
from sklearn.model_selection import StratifiedKFold

STRENGTHS = np.logspace(-5, 2, 15)  # inverse regularisation, from nearly none of the features to all of them
FOLDS = 5
ITERATIONS = 5000


def fit_probe(features: np.ndarray, codes: np.ndarray, weights: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the kernel (n_features, n_classes) and bias (n_classes,) of a softmax layer, float32.

    The features are standardised for the fit and the standardisation is folded into the layer. The regularisation
    is the one with the least cross-validated log loss; a class with fewer photos than folds lowers their number,
    and with a single photo in a class the regularisation stays at its middle.

    Args:
        features: (n_photos, n_features).
        codes: (n_photos,), int; every class from 0 on occurs.
        weights: (n_photos,); each photo's weight in the loss.
        seed: of the folds.

    Source: Kumar et al., "Fine-Tuning can Distort Pretrained Features", ICLR 2022 (linear probing, L-BFGS).
    """
    mean, deviation = features.mean(0), features.std(0)
    deviation = np.where(deviation > 1e-8, deviation, 1.0)  # a feature that never moves says nothing
    folds = min(FOLDS, int(np.bincount(codes).min()))
    strengths = STRENGTHS if folds > 1 else STRENGTHS[len(STRENGTHS) // 2 : len(STRENGTHS) // 2 + 1]
    splitter = StratifiedKFold(max(folds, 2), shuffle=True, random_state=seed)
    if folds < 2:
        splitter = [(np.arange(len(codes)), np.arange(len(codes)))]
    model = LogisticRegressionCV(
        Cs=strengths,
        cv=splitter,
        scoring="neg_log_loss",
        max_iter=ITERATIONS,
        l1_ratios=(0.0,),
        use_legacy_attributes=False,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # only the weakest regularisation ever needs more
        model.fit((features - mean) / deviation, codes, sample_weight=weights)
    kernel, bias = np.atleast_2d(model.coef_).T, np.atleast_1d(model.intercept_)
    if kernel.shape[1] == 1:  # two classes come as one margin: half of it for, half against
        kernel, bias = np.hstack([-kernel, kernel]) / 2, np.array([-bias[0], bias[0]]) / 2
    kernel = kernel / deviation[:, None]
    return kernel.astype(np.float32), (bias - mean @ kernel).astype(np.float32)
