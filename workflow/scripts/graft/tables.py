"""Every file of the chain, and the columns of every table: their order, their kind, and what they mean.

A table is a class, a column an attribute of it. The attribute's type is the column's kind, and the sentence below it
its meaning; `docs/files.md` is written from both. In a name, `CLASS` and `SETTING` stand for any class or setting: such
a column is there once for each. A column of which the type says `| None` may be missing.
"""

import ast
import inspect
import itertools
import re
import textwrap
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import pandas as pd

KINDS = {str: "text", int: "integer", float: "number", bool: "flag"}
TITLE = """\
# Every file

Written from `workflow/scripts/graft/tables.py` by `make schema`; do not edit.

Files lie below `results/`. Capital letters in a name stand for any data set, run, fold, stage (`head` or `finetuned`),
size in pixels, class or setting. Tables are CSV in UTF-8, with a header, commas and Unix newlines; numbers have nine
significant digits. An empty cell in a column of numbers is a number that the photos cannot tell. A flag is 0 or 1. A
column that is marked "not always" is left out where it would mean nothing.
"""


@dataclass(frozen=True)
class Column:
    """One column of a table, or, if its name has capital letters, one for each class or setting."""

    name: str
    kind: str
    optional: bool

    @property
    def repeated(self) -> bool:
        """Return whether there is a column for each class or setting."""
        return self.name != self.name.lower()

    @property
    def pattern(self) -> str:
        """Return the regular expression of this column in a header; a zero byte ends each name."""
        name = re.sub("[A-Z]+", "[^\0]+", self.name)
        return f"(?:{name}\0)" + ("*" if self.repeated else "?" if self.optional else "")


class Columns:
    """Columns that stand together, in their order; an attribute that names other `Columns` stands for all of these."""

    @classmethod
    def columns(cls) -> tuple[Column, ...]:
        """Return the columns in order."""
        return tuple(column for column, _ in cls.attributes())

    @classmethod
    def attributes(cls) -> Iterator[tuple[Column, type["Columns"]]]:
        """Yield each column with the class that defines it."""
        for name, annotation in inspect.get_annotations(cls).items():
            if isinstance(annotation, type) and issubclass(annotation, Columns):
                yield from annotation.attributes()
                continue
            kinds = [KINDS[one] for one in typing.get_args(annotation) or (annotation,) if one in KINDS]
            yield Column(name.rstrip("_"), kinds[0], optional=annotation not in KINDS), cls  # `class_` is a `class`

    @classmethod
    def names(cls) -> list[str]:
        """Return the names of the columns, without those that are there for each class or setting.

        >>> Split.names()
        ['path', 'label', 'fold', 'role', 'group', 'inner']
        """
        return [column.name for column in cls.columns() if not column.repeated]

    @classmethod
    def checked(cls, table: "pd.DataFrame") -> "pd.DataFrame":
        """Return a table that was just built, if it has these columns in this order.

        Raises: ValueError if it has others, which is a fault of the program and not of its user.
        """
        pattern = "".join(column.pattern for column in cls.columns())
        if not re.fullmatch(pattern, "".join(f"{name}\0" for name in table.columns)):
            wanted = ", ".join(column.name for column in cls.columns())
            raise ValueError(f"{cls.__name__} must have the columns {wanted}. Received: {', '.join(table.columns)}")
        return table

    @classmethod
    def meanings(cls) -> dict[str, str]:
        """Return the sentence below each attribute, read from the source of the class."""
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
        assert isinstance(definition, ast.ClassDef)
        return {
            ast.unparse(attribute.target).rstrip("_"): " ".join(ast.literal_eval(below.value).split())
            for attribute, below in itertools.pairwise(definition.body)
            if isinstance(attribute, ast.AnnAssign) and isinstance(below, ast.Expr)
        }


class File:
    """A file of the chain; `path` says where it lies below `results/`, `where` of which runs a second form of it is."""

    path_pattern: ClassVar[str] = ""
    kind_of_run: ClassVar[str] = ""

    def __init_subclass__(cls, path: str = "", where: str = "", **options: object) -> None:
        super().__init_subclass__(**options)
        cls.path_pattern, cls.kind_of_run = path, where


class Table(Columns, File):
    """A file that is a table."""


class Archive(File, path="data/DATASET/archive.zip"):
    """The photo set as it was downloaded or drawn; a folder or an archive of your own stays where it is."""


class Download(File, path="data/DATASET/download.json"):
    """What was downloaded: from where, how large, its digest."""


class Images(File, path="data/DATASET/images/"):
    """The photos that were kept, under the names that the manifest has for them."""


class PhotoFacts(Columns):
    """What the manifest says of a photo beside its labels."""

    source_split: str
    """`train`, `val` or `test` where the photo set has such folders, else empty; `unlabelled` for a photo that is kept
    without a label."""
    width: int
    """Pixels, upright."""
    height: int
    """Pixels, upright."""
    sha256: str
    """The digest of the file's bytes."""
    phash: str
    """The perceptual hash, 64 bits in hexadecimal."""
    duplicate_group: int
    """Photos that are copies of each other, or look alike, share this number: the place of the first, from 0."""
    source_group: str | None
    """What the user's table or pattern calls the photo's group, such as a patient."""


class Manifest(Table, path="data/DATASET/manifest.csv"):
    """A row for each photo that was kept. Pixels and features have their rows in the same order."""

    path: str
    """The photo's path below `images/`, which is its name in all tables."""
    label: str
    """Its class; empty for a photo that is kept without one."""
    photo: PhotoFacts


class MultilabelManifest(Table, path="data/DATASET/manifest.csv", where="several labels a photo"):
    """Where photos may have several labels, or none, `labels` stands in the place of `label`, here and in split.csv."""

    path: str
    """The photo's path below `images/`, which is its name in all tables."""
    labels: str
    """Its labels in natural order, with `|` between them; empty where it has none."""
    photo: PhotoFacts


class Audit(Table, path="data/DATASET/audit.csv"):
    """A row for each file that arrived, in natural order of its name."""

    path: str
    """The file's path in the photo set."""
    verdict: str
    """`kept`, or the worst fault that was found, by the name that it has in `ingest.policy`."""
    outcome: str
    """`kept`, `warned` (kept, though something was found) or `dropped`."""
    label: str
    """The class that its folders or a table name, or its labels with `|` between them; empty where there are none."""
    source_split: str
    """`train`, `val` or `test` where its folders name one, else empty; `unlabelled` for one kept without a label."""
    copy_of: str
    """The photo that this one is a copy of; empty where it is none."""
    copy_kind: str
    """How it was altered, such as `same bytes`, `alike` or `mirrored, cropped`."""
    detail: str
    """What was found, in words."""


class Classes(File, path="data/DATASET/classes.json"):
    """The class names, or the labels, in natural order, which is the order of the models' outputs."""


class Source(File, path="data/DATASET/source.json"):
    """What `download.json` says, and the number and the common digest of all photos that were kept."""


class PlaceInSplit(Columns):
    """Which part a photo has in a fold."""

    fold: int
    """The fold, from 0; with `repeats`, folds of all repeats are counted on."""
    role: str
    """`train`, `val` or `test`; `unlabelled` for a photo without a label, which is predicted and never judged."""
    group: int
    """Photos that are alike, or that `split.group_by` puts together, share this number and have the same role."""
    inner: bool
    """1 for training photos that may choose (`split.inner`) in a run that asks for it."""


class Split(Table, path="data/DATASET/split.csv"):
    """A row for each photo and fold: which photos train, validate and test."""

    path: str
    """The photo."""
    label: str
    """Its class; empty for photos without a label."""
    place: PlaceInSplit


class MultilabelSplit(Table, path="data/DATASET/split.csv", where="several labels a photo"):
    """A row for each photo and fold: which photos train, validate and test."""

    path: str
    """The photo."""
    labels: str
    """Its labels, with `|` between them; empty where it has none."""
    place: PlaceInSplit


class LabelIssues(Table, path="data/DATASET/label_issues.csv"):
    """On request (`make labels`): a row for every photo, the likeliest wrong labels first."""

    path: str
    """The photo."""
    label: str
    """Its label."""
    suggested: str
    """The class that a probe, fitted without this photo, finds most probable; empty where none could be asked."""
    suspect: bool
    """1 if confident learning counts the photo as another class than its label."""
    self_confidence: float
    """The out-of-fold probability of its label."""
    normalized_margin: float
    """How far that lies above the largest other, from 0 (surely wrong) to 1."""
    probability: float
    """The out-of-fold probability of the suggested class."""
    action: str
    """Empty; for the user to write `drop` where the file is used as corrections."""


class MultilabelLabelIssues(Table, path="data/DATASET/label_issues.csv", where="several labels a photo"):
    """On request (`make labels`): a row for every photo, the likeliest wrong labels first."""

    path: str
    """The photo."""
    label: str
    """Its labels, with `|` between them."""
    suggested: str
    """The labels to which a probe, fitted without this photo, gives a probability above 0.5."""
    suspect: bool
    """1 if confident learning counts any label as wrong, there or missing."""
    doubted: str
    """These labels, with `|` between them: `+` before one that seems to be missing, `-` before one that seems wrong."""
    self_confidence: float
    """The out-of-fold probability of what the table says of the least sure label."""
    least_sure: str
    """That label."""
    action: str
    """`relabel`, so that the row gives the photo what stands in `label`; the user may write `drop` instead."""


class Pixels(File, path="data/DATASET/pixels-SIZE.npy"):
    """Every photo decoded once: uint8, (photos, SIZE, SIZE, 3), in the manifest's order."""


class Weights(File, path="weights/BACKBONE.weights.h5"):
    """The weights that a backbone starts from."""


class Features(File, path="features/DATASET/NAME.npy"):
    """The frozen backbone's features: (1 + views, photos, ...), the photos as they are first, then augmented views."""


class TestViewFeatures(File, path="features/DATASET/views/NAME.npy"):
    """Where a recipe averages over `test_views`: features of the views beyond the first, (views, photos, ...).

    Photos that only train have zeros.
    """


class Model(File, path="runs/RUN/foldN/STAGE/model.keras"):
    """The model of one fold and stage: raw pixels, 0 to 255, to logits, with its preprocessing inside."""


class History(Table, path="runs/RUN/foldN/STAGE/history.csv"):
    """A row for each epoch of a training."""

    epoch: int
    """From 1."""
    loss: float
    """The mean loss on the training photos."""
    accuracy: float
    """The accuracy on the training photos."""
    val_loss: float
    """The loss on the photos that are measured after each epoch; empty where there are none."""
    val_accuracy: float
    """The accuracy on these photos."""
    learning_rate: float
    """At the end of the epoch; empty for a regression, which has none."""
    cross_validated_loss: float | None
    """Of a regression, the log loss to expect on other photos, which `keep: fits` compares with fine-tuning's."""
    cross_validated_mistakes: float | None
    """Of a regression, the training photos that it gets wrong when they are held out, for `min_mistakes`."""
    watched: str
    """The photos that are measured after each epoch: `inner`, `val`, or empty for none."""


class Device(File, path="runs/RUN/foldN/STAGE/device.json"):
    """What trained the model, and with how many threads."""


class DeviceOfFeatures(File, path="features/DATASET/FEATURES.device.json"):
    """What computed the features, and with how many threads."""


class AskedOfSet(Columns):
    """Which model was asked about which photo, and what is true of it."""

    stage: str
    """`head` or `finetuned`."""
    path: str
    """The photo."""
    labels: str
    """Its true labels, with `|` between them; empty where it has none."""
    fold: int
    """The fold whose model was asked."""
    role: str
    """The photo's role in the run: `train`, `inner`, `val` or `test`."""
    group: int
    """Photos of one group are not independent of each other."""
    chose: bool
    """1 if the photo took part in choosing epochs, what is kept, temperature or thresholds."""


class RawPredictions(Table, path="runs/RUN/raw_predictions.csv"):
    """A row for each photo that a model of the run was asked about, as the networks answer, stage by stage."""

    stage: str
    """`head` or `finetuned`."""
    path: str
    """The photo."""
    label: str
    """Its true class."""
    fold: int
    """The fold whose model was asked."""
    role: str
    """The photo's role in the run: `train`, `inner`, `val` or `test`."""
    group: int
    """Photos of one group are not independent of each other."""
    chose: bool
    """1 if the photo took part in choosing epochs, what is kept, temperature or threshold."""
    predicted: str
    """The likeliest class."""
    logit: float | None
    """The model's single output, where it has one: the logit of the second class."""
    probability_CLASS: float
    """The network's own probability of each class."""


class MultilabelRawPredictions(Table, path="runs/RUN/raw_predictions.csv", where="several labels a photo"):
    """A row for each photo that a model of the run was asked about, as the networks answer, stage by stage."""

    asked: AskedOfSet
    predicted: str
    """The labels of probability 0.5 or more, with `|` between them; empty where there are none."""
    probability_LABEL: float
    """The network's own probability of each label; they need not sum to 1."""


class PooledPredictions(Table, path="runs/RUN/predictions.csv"):
    """The predictions of all folds and stages, with the answers and probabilities of the published model."""

    stage: str
    """`head` or `finetuned`."""
    path: str
    """The photo."""
    label: str
    """Its true class."""
    fold: int
    """The fold whose model was asked."""
    role: str
    """The photo's role in the run: `train`, `inner`, `val` or `test`."""
    group: int
    """Photos of one group are not independent of each other."""
    chose: bool
    """1 if the photo took part in choosing epochs, what is kept, temperature or threshold."""
    predicted: str
    """The answer of the published model, which follows its threshold where it has one."""
    logit: float | None
    """The model's single output, where it has one: the logit of the second class."""
    probability_CLASS: float
    """The network's own probability of each class."""
    calibrated_CLASS: float
    """The published model's probability of each class."""
    sure: bool
    """0 if the answer's probability is below `evaluation.unsure_below`."""


class MultilabelPredictions(Table, path="runs/RUN/predictions.csv", where="several labels a photo"):
    """The predictions of all folds and stages, with the answers and probabilities of the published model."""

    asked: AskedOfSet
    predicted: str
    """The labels that the published model answers, each by its threshold, with `|` between them; may be empty."""
    probability_LABEL: float
    """The network's own probability of each label; they need not sum to 1."""
    calibrated_LABEL: float
    """The published model's probability of each label."""


class UnlabelledPredictions(Table, path="runs/RUN/unlabelled_predictions.csv"):
    """A row for each photo without a label, where the photo set keeps such photos; nobody judges these answers.

    They are the last stage's; of several folds, the mean of their models' probabilities counts.
    """

    path: str
    """The photo."""
    predicted: str
    """The answer."""
    calibrated_CLASS: float
    """The probability of each class, calibrated."""
    sure: bool
    """0 if the answer's probability is below `evaluation.unsure_below`."""


class SubmissionFile(File, path="runs/RUN/submission.csv"):
    """On request: what a competition takes, in the form of its sample (docs/competitions.md)."""


class Evaluation(Table, path="runs/RUN/evaluation.csv"):
    """A row for each stage and role, all folds pooled (`fold` is `all`), and for each of the folds."""

    run: str
    """The run."""
    stage: str
    """`head` or `finetuned`."""
    role: str
    """Which photos judge in this row: `test`, `val`, `inner` or `train`."""
    fold: str
    """`all`, or the fold."""
    n: int
    """Answers; a photo that was judged in several repeats has several."""
    photos: int
    """Photos."""
    groups: int
    """Groups of photos that are not independent of each other."""
    correct: int
    """Right answers."""
    accuracy: float
    """`correct` / `n`."""
    accuracy_low: float
    """The lower end of the accuracy's interval: Wilson's, wider where photos come in groups."""
    accuracy_high: float
    """Its upper end."""
    baseline: float
    """The accuracy of always answering the most frequent class of these photos."""
    balanced_accuracy: float
    """The mean recall over the classes."""
    macro_f1: float
    """The mean F1 over the classes."""
    roc_auc: float
    """The area under the ROC curve; of more than two classes, the mean of each against the rest."""
    log_loss: float
    """The mean of minus the natural logarithm of the true class's calibrated probability."""
    brier: float
    """The Brier score of the calibrated probabilities, halved, so that it lies between 0 and 1."""
    ece: float
    """The expected calibration error of the calibrated probabilities."""
    uncalibrated_log_loss: float
    """`log_loss` of the network's own probabilities."""
    uncalibrated_brier: float
    """`brier` of the network's own probabilities."""
    uncalibrated_ece: float
    """`ece` of the network's own probabilities."""
    argmax_accuracy: float
    """The accuracy of the network's likeliest class, without the threshold."""
    temperature: float
    """What the logits were divided by; the mean over the answers."""
    threshold: float
    """The least probability of the second class that answers it, of two classes; the mean over the answers."""
    unsure_below: float
    """An answer of less probability than this is not sure."""
    coverage: float
    """The share of answers that are sure."""
    sure_accuracy: float
    """The accuracy of the answers that are sure."""
    quadratic_kappa: float | None
    """Where `evaluation.metrics` asks for it: Cohen's kappa with quadratic weights, classes in their order."""
    mean_column_auc: float | None
    """Where asked for: the mean over the classes of the area under the ROC curve, each against the rest."""
    map_at_K: float
    """Where asked for: the mean over the photos of 1 / the true class's rank by probability, 0 beyond rank K."""
    chose_n: int
    """Answers to photos, other than those that judge, that chose in training."""
    chose_accuracy: float
    """The accuracy of these answers."""
    optimism: float
    """`chose_accuracy` less `accuracy`: how far choosing flatters."""
    calibrated_on: str
    """The photos that chose temperature and threshold."""
    selected_on: str
    """`these photos` where the photos that judge also chose or trained, else empty."""
    verdict: str
    """Whether the model is better than the baseline."""
    note: str
    """What the numbers do not show; notes are separated by a semicolon."""


class MultilabelEvaluation(Table, path="runs/RUN/evaluation.csv", where="several labels a photo"):
    """A row for each stage and role, all folds pooled (`fold` is `all`), and for each of the folds.

    Intervals are of a bootstrap over groups of photos.
    """

    run: str
    """The run."""
    stage: str
    """`head` or `finetuned`."""
    role: str
    """Which photos judge in this row: `test`, `val`, `inner` or `train`."""
    fold: str
    """`all`, or the fold."""
    n: int
    """Answers; a photo that was judged in several repeats has several."""
    photos: int
    """Photos."""
    groups: int
    """Groups of photos that are not independent of each other."""
    n_labels: int
    """Labels that the photos can judge: some of them have it, and some have not."""
    mean_average_precision: float
    """The mean, over these labels, of the average precision: how well a label's probability sorts the photos."""
    mean_average_precision_low: float
    """The lower end of its interval."""
    mean_average_precision_high: float
    """Its upper end."""
    baseline: float
    """The mean average precision to expect of answering each label's frequency: photos in random order."""
    micro_f1: float
    """The F1 of all answers, whatever the label: frequent labels count most."""
    micro_f1_low: float
    """The lower end of its interval."""
    micro_f1_high: float
    """Its upper end."""
    baseline_micro_f1: float
    """The largest micro F1 of any one set of labels that is answered to every photo."""
    macro_f1: float
    """The mean F1 over the labels: each label counts alike."""
    macro_f1_low: float
    """The lower end of its interval."""
    macro_f1_high: float
    """Its upper end."""
    baseline_macro_f1: float
    """The macro F1 of answering every label to every photo."""
    half_macro_f1: float
    """`macro_f1` with a threshold of 0.5 for every label."""
    right_sets: int
    """Answers that have all of the photo's labels and no other."""
    right_labels: float
    """The share of all answers, label by label, that are right."""
    roc_auc: float
    """The mean area under the labels' ROC curves."""
    log_loss: float
    """The mean, over photos and labels, of minus the natural logarithm of the truth's calibrated probability."""
    baseline_log_loss: float
    """`log_loss` of answering each label's frequency among these photos."""
    brier: float
    """The mean squared distance between calibrated probability and truth, over photos and labels."""
    ece: float
    """The expected calibration error of the calibrated probabilities, over photos and labels."""
    uncalibrated_log_loss: float
    """`log_loss` of the network's own probabilities."""
    uncalibrated_brier: float
    """`brier` of the network's own probabilities."""
    uncalibrated_ece: float
    """`ece` of the network's own probabilities."""
    temperature: float
    """What the logits were divided by; the mean over the answers."""
    chose_n: int
    """Answers to photos, other than those that judge, that chose in training."""
    chose_mean_average_precision: float
    """The mean average precision on these photos."""
    optimism: float
    """`chose_mean_average_precision` less `mean_average_precision`: how far choosing flatters."""
    calibrated_on: str
    """The photos that chose temperature and thresholds."""
    selected_on: str
    """`these photos` where the photos that judge also chose or trained, else empty."""
    verdict: str
    """Whether the model is better than the frequencies of the labels."""
    note: str
    """What the numbers do not show; notes are separated by a semicolon."""


class PerClass(Table, path="runs/RUN/per_class.csv"):
    """A row for each stage, role and class, all folds pooled."""

    run: str
    """The run."""
    stage: str
    """`head` or `finetuned`."""
    role: str
    """Which photos judge in this row."""
    class_: str
    """The class."""
    support: int
    """Photos of this class."""
    answered: int
    """Photos that were given this class."""
    precision: float
    """Of the photos that were given this class, the share that has it."""
    recall: float
    """Of the photos of this class, the share that was given it."""
    recall_low: float
    """The lower end of the recall's interval."""
    recall_high: float
    """Its upper end."""
    f1: float
    """The harmonic mean of precision and recall."""


class PerLabel(Table, path="runs/RUN/per_class.csv", where="several labels a photo"):
    """A row for each stage, role and label, all folds pooled. Intervals are of a bootstrap over groups of photos."""

    run: str
    """The run."""
    stage: str
    """`head` or `finetuned`."""
    role: str
    """Which photos judge in this row."""
    label: str
    """The label."""
    support: int
    """Photos that have it."""
    answered: int
    """Photos that were given it."""
    threshold: float
    """The least probability that answers it; the mean over the answers."""
    average_precision: float
    """The area under the curve of precision against recall."""
    average_precision_low: float
    """The lower end of its interval."""
    average_precision_high: float
    """Its upper end."""
    baseline: float
    """The average precision to expect of photos in random order: a little above the share that has the label."""
    roc_auc: float
    """The area under the ROC curve."""
    precision: float
    """Of the photos that were given the label, the share that has it."""
    recall: float
    """Of the photos that have the label, the share that was given it."""
    recall_low: float
    """The lower end of the recall's interval: Wilson's, wider where photos come in groups."""
    recall_high: float
    """Its upper end."""
    f1: float
    """The harmonic mean of precision and recall."""
    f1_low: float
    """The lower end of its interval."""
    f1_high: float
    """Its upper end."""


class Difference(Columns):
    """How the second of two models differs from the first on the photos that both judged."""

    n: int
    """Photos that both judged."""
    groups: int
    """Groups of photos that are not independent of each other."""
    first_accuracy: float
    """The first model's accuracy on these photos."""
    second_accuracy: float
    """The second model's accuracy on these photos."""
    first_only: int
    """Photos that the first model has right and the second has not (or less often, where photos were judged often)."""
    second_only: int
    """Photos that the second model has right and the first has not (or less often)."""
    difference: float
    """`second_accuracy` less `first_accuracy`."""
    difference_low: float
    """The lower end of the difference's interval, by a bootstrap over groups of photos."""
    difference_high: float
    """Its upper end."""
    log_loss_difference: float
    """The second model's log loss less the first's; negative where the second gave the truth more probability."""
    log_loss_difference_low: float
    """The lower end of its interval."""
    log_loss_difference_high: float
    """Its upper end."""
    p_value: float
    """Of McNemar's exact test, or of the exact sign-flip test of groups where photos come in groups."""


class Significance(Table, path="runs/RUN/significance.csv"):
    """A row for each role: whether the fine-tuned model is better than its head, on the same photos."""

    run: str
    """The run."""
    role: str
    """Which photos judge in this row."""
    first: str
    """`head`."""
    second: str
    """`finetuned`."""
    measured: Difference
    verdict: str
    """What the test says."""
    note: str
    """What the numbers do not show."""


class MultilabelDifference(Columns):
    """How the second of two models differs from the first on the photos that both judged."""

    n: int
    """Photos that both judged."""
    groups: int
    """Groups of photos that are not independent of each other."""
    first_mean_average_precision: float
    """The first model's mean average precision on these photos."""
    second_mean_average_precision: float
    """The second model's."""
    difference: float
    """The second less the first."""
    difference_low: float
    """The lower end of the difference's interval, by a bootstrap over groups of photos."""
    difference_high: float
    """Its upper end."""
    macro_f1_difference: float
    """The second model's macro F1 less the first's."""
    macro_f1_difference_low: float
    """The lower end of its interval."""
    macro_f1_difference_high: float
    """Its upper end."""
    log_loss_difference: float
    """The second model's log loss less the first's; negative where the second gave the truth more probability."""
    log_loss_difference_low: float
    """The lower end of its interval."""
    log_loss_difference_high: float
    """Its upper end."""
    p_value: float
    """Of the difference of mean average precisions, by the same bootstrap."""


class MultilabelSignificance(Table, path="runs/RUN/significance.csv", where="several labels a photo"):
    """A row for each role: whether the fine-tuned model is better than its head, on the same photos."""

    run: str
    """The run."""
    role: str
    """Which photos judge in this row."""
    first: str
    """`head`."""
    second: str
    """`finetuned`."""
    measured: MultilabelDifference
    verdict: str
    """What the test says."""
    note: str
    """What the numbers do not show."""


class FeaturesOfRun(File, path="runs/RUN/features.npz"):
    """What the published model's head gets of the photos that it was asked about, and of up to 400 that trained it.

    In half precision; `path`, `label`, `role`, `group` and `chose` beside it. Where `predict` works in shards, each
    shard leaves a file, features-i-of-n.npz.
    """


class Calibration(File, path="runs/RUN/calibration.json"):
    """The classes, and for each stage and fold temperature and threshold (or each label's), and which photos chose."""


class Provenance(File, path="runs/RUN/provenance.json"):
    """Settings, digests, versions, machine and costs of a run: enough to repeat it."""


class ModelCard(File, path="runs/RUN/MODEL_CARD.md"):
    """What the published model is, what it was made of, and how good it is, in Hugging Face's format."""


class PublishedModel(File, path="runs/RUN/model.keras"):
    """The model of the last stage and first fold, with classes, temperature, thresholds, and what tells strangers."""


class ComparedRun(Columns):
    """Which run, stage and photos a row of the comparison is about."""

    run: str
    """The run, or the experiment in rows of the kind `seeds`."""
    kind: str
    """`run`, or `seeds` for means over the seeds of one experiment."""
    experiment: str
    """The experiment of the configuration."""
    seeds: int
    """How many runs the row is about."""
    SETTING: str
    """A column for each setting that is not the same in all runs."""
    dataset: str
    """The data set."""
    data_sha256: str
    """The first 16 digits of the manifest's digest: runs with the same have the same photos."""
    seed: int
    """The run's seed; empty for several."""
    stage: str
    """`head` or `finetuned`."""
    role: str
    """Which photos judge the run."""


class CostOfRun(Columns):
    """What it took, and what to know of it."""

    seconds: float
    """What it took to get to this stage, all folds together, with nothing shared or cached."""
    peak_memory_mb: float
    """The most memory that one of these jobs took, in MB."""
    device: str
    """What trained the run."""
    selected_on: str
    """As in evaluation.csv."""
    note: str
    """What the numbers do not show."""


class Comparison(Table, path="comparison.csv"):
    """A row for each run and stage; then, for an experiment of several seeds, a row for each stage with their means."""

    compared: ComparedRun
    n: int
    """As in evaluation.csv."""
    accuracy: float
    """As in evaluation.csv."""
    accuracy_low: float
    """As in evaluation.csv; in rows of the kind `seeds` of Student's interval of the mean over seeds."""
    accuracy_high: float
    """As `accuracy_low`."""
    baseline: float
    """As in evaluation.csv."""
    log_loss: float
    """As in evaluation.csv."""
    chose_accuracy: float
    """As in evaluation.csv."""
    optimism: float
    """As in evaluation.csv."""
    cost: CostOfRun
    exports: str | None
    """The exports of the published model, in the row of its stage, and how many answers flipped in each."""


class MultilabelComparison(Table, path="comparison.csv", where="several labels a photo"):
    """A row for each run and stage; then, for an experiment of several seeds, a row for each stage with their means."""

    compared: ComparedRun
    n: int
    """As in evaluation.csv."""
    mean_average_precision: float
    """As in evaluation.csv."""
    mean_average_precision_low: float
    """As in evaluation.csv; in rows of the kind `seeds` of Student's interval of the mean over seeds."""
    mean_average_precision_high: float
    """As `mean_average_precision_low`."""
    baseline: float
    """As in evaluation.csv."""
    micro_f1: float
    """As in evaluation.csv."""
    macro_f1: float
    """As in evaluation.csv."""
    log_loss: float
    """As in evaluation.csv."""
    chose_mean_average_precision: float
    """As in evaluation.csv."""
    optimism: float
    """As in evaluation.csv."""
    cost: CostOfRun


class ComparisonSignificance(Table, path="comparison_significance.csv"):
    """A row for every two experiments that judged the same photos."""

    first: str
    """The first experiment, or run where it has one seed only."""
    second: str
    """The second."""
    role: str
    """Which photos judge."""
    measured: Difference
    p_adjusted: float
    """`p_value`, corrected by Holm's method for the number of pairs."""
    verdict: str
    """What the test says, by `p_adjusted`."""
    note: str
    """What the numbers do not show."""


class MultilabelComparisonSignificance(Table, path="comparison_significance.csv", where="several labels a photo"):
    """A row for every two experiments that judged the same photos."""

    first: str
    """The first experiment, or run where it has one seed only."""
    second: str
    """The second."""
    role: str
    """Which photos judge."""
    measured: MultilabelDifference
    p_adjusted: float
    """`p_value`, corrected by Holm's method for the number of pairs."""
    verdict: str
    """What the test says, by `p_adjusted`."""
    note: str
    """What the numbers do not show."""


class Reproduction(Table, path="reproduced/RUN/reproduction.csv"):
    """A row for each file of a run that was made again."""

    file: str
    """The file, below the run's folder."""
    same: bool
    """`True` if its bytes are those recorded, else `False`."""
    difference: str
    """How it differs; empty if it does not."""


def files() -> list[type[File]]:
    """Return the definitions of all files, in the order of the chain."""
    return [one for one in globals().values() if isinstance(one, type) and issubclass(one, File) and one.path_pattern]


def text_columns() -> frozenset[str]:
    """Return the names of the columns that are text in every table that has them.

    `fold` is not among them: it is `all` in evaluation.csv alone.

    >>> {"path", "label"} <= text_columns(), "fold" in text_columns()
    (True, False)
    """
    columns = [column for one in files() if issubclass(one, Table) for column in one.columns() if not column.repeated]
    return frozenset(column.name for column in columns) - {column.name for column in columns if column.kind != "text"}


def reference() -> str:
    """Return docs/files.md: every file, in the order of the chain, with the columns of the tables."""
    return "\n".join([TITLE, *map(section, files())])


def section(one: type[File]) -> str:
    """Return one file's heading, purpose and columns."""
    heading = f"{one.path_pattern}, {one.kind_of_run}" if one.kind_of_run else one.path_pattern
    lines = [f"## {heading}", "", " ".join((one.__doc__ or "").split()), ""]
    if issubclass(one, Table):
        lines += ["| column | kind | meaning |", "|---|---|---|"]
        for column, definer in one.attributes():
            kind = column.kind + (", not always" if column.optional else "")
            meaning = definer.meanings()[column.name].replace("|", "\\|")
            lines.append(f"| `{column.name}` | {kind} | {meaning} |")
        lines.append("")
    return "\n".join(lines)
