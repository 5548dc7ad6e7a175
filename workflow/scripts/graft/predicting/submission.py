"""A competition's submission: the answers of a run in the form of the sample, and the comparison of the two.

The sample has a column of ids, one for each photo that is wanted, and one column for the answer or one for each class.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from graft.config.base import nearest
from graft.config.submission import Submission
from graft.data.archive import File
from graft.data.audit import Entry
from graft.data.labelling import Photos
from graft.data.wording import abbreviated
from graft.errors import UserError

CALIBRATED = "calibrated_"
SUM_TOLERANCE = 1e-6  # of a row's probabilities, which are written with nine digits


@dataclass(frozen=True)
class Form:
    """What a sample asks for.

    Attributes:
        id: the column that names the photos.
        columns: the other columns, in order.
        kind: `answer`, `probability` (of `positive`), or, with a column for each class, `flags` or `probabilities`.
        classes: the class of each column, where there is one for each; else all classes, in the order of the model.
        names: what the sample calls each class.
        positive: the class whose probability a single column takes.
        top: how many classes an answer holds.
    """

    id: str
    columns: list[str]
    kind: str
    classes: list[str]
    names: dict[str, str]
    positive: str = ""
    top: int = 1


def form_of(sample: pd.DataFrame, classes: list[str], settings: Submission) -> Form:
    """Return the form of a sample.

    Args:
        sample: the sample as text.
        classes: the names of the run's classes, in the order of the model's outputs.
        settings: the user's.

    Raises: UserError if the sample has none that fits, or if two do.
    """
    columns = list(sample.columns)
    named = settings.id if settings.id is not None else columns[0]
    if named not in columns:
        raise UserError(f"submission.id is {named!r}, a column that the sample lacks{nearest(named, columns)}")
    check_ids(sample[named])
    others = [column for column in columns if column != named]
    if not others:
        raise UserError(f"the sample has the column {named!r} alone; it takes one for the answers")
    for name in settings.names:
        if name not in classes:
            raise UserError(f"submission.names has {name!r}, which is no class{nearest(name, classes)}")
    names = {name: settings.names.get(name, name) for name in classes}
    if len(others) > 1:
        return wide_form(named, others, names, settings)
    return narrow_form(named, sample[others[0]], names, settings)


def check_ids(ids: pd.Series) -> None:
    """Refuse a sample that names a photo twice, or not at all."""
    if (ids == "").any():
        raise UserError(f"row {ids.index[ids == ''][0]} of the sample has no id in its column {ids.name}")
    if ids.duplicated().any():
        raise UserError(
            f"the sample has {ids[ids.duplicated()].iloc[0]!r} twice in its column {ids.name}; "
            "set submission.id to the column that names the photos"
        )


def wide_form(named: str, columns: list[str], names: dict[str, str], settings: Submission) -> Form:
    """Return the form of a sample that has a column for each class."""
    class_of = {own: name for name, own in names.items()}
    for column in columns:
        if column not in class_of:
            raise UserError(
                f"the sample has the column {column!r}, which is no class{nearest(column, list(class_of))}; "
                "submission.names says what it calls each class"
            )
    lacking = [own for own in class_of if own not in columns]
    if lacking:
        raise UserError(
            f"the sample has no column for {abbreviated(lacking)}; submission.names says what it calls each class"
        )
    kind = "flags" if settings.values == "classes" else "probabilities"
    return Form(named, columns, kind, [class_of[column] for column in columns], names)


def narrow_form(named: str, values: pd.Series, names: dict[str, str], settings: Submission) -> Form:
    """Return the form of a sample with one column for the answer."""
    column, classes, own = str(values.name), list(names), set(names.values())
    several = max((len(value.split()) for value in values if value not in own), default=1)
    answers = all(value in own or set(value.split()) <= own for value in values)
    numbers = len(classes) == 2 and all(is_fraction(value) for value in values)
    kind = {"classes": "answer", "probabilities": "probability"}.get(settings.values, "")
    if not kind and answers and numbers and settings.top is None and settings.positive is None:
        raise UserError(
            f"the sample's column {column!r} could take classes or probabilities; set submission.values to "
            "'classes' or 'probabilities', as the competition's page says"
        )
    kind = kind or ("answer" if answers and settings.positive is None else "probability" if numbers else "")
    if not kind:
        raise UserError(
            f"the sample's column {column!r} has {values.iloc[0]!r}, which is no class"
            f"{nearest(values.iloc[0], sorted(own))}; submission.names says what it calls each class, and "
            "submission.values whether it takes classes or probabilities"
        )
    if kind == "answer":
        return Form(named, [column], kind, classes, names, top=checked_top(settings.top or several, own))
    return Form(named, [column], kind, classes, names, positive=checked_positive(settings.positive, classes))


def checked_top(top: int, names: set[str]) -> int:
    """Return how many classes an answer holds, at most all; names with spaces could not be told apart."""
    spaced = sorted(name for name in names if len(name.split()) > 1)
    if top > 1 and spaced:
        raise UserError(
            f"submission.top is {top}, with spaces between classes, but {spaced[0]!r} has a space in its name; "
            "submission.names gives it another"
        )
    return min(top, len(names))


def checked_positive(positive: str | None, classes: list[str]) -> str:
    """Return the class whose probability a single column takes."""
    if positive is None and len(classes) != 2:
        raise UserError(
            f"the sample has one column for a probability, and there are {len(classes)} classes: set "
            "submission.positive to the class that is meant"
        )
    if positive is not None and positive not in classes:
        raise UserError(f"submission.positive is {positive!r}{nearest(positive, classes)}")
    return positive or classes[1]


def is_fraction(text: str) -> bool:
    """Return whether a text is a number from 0 to 1.

    >>> is_fraction("0.5"), is_fraction("1"), is_fraction("nan"), is_fraction("dog")
    (True, True, False, False)
    """
    try:
        return 0 <= float(text) <= 1
    except ValueError:
        return False


def filled(
    sample: pd.DataFrame, form: Form, predictions: pd.DataFrame, settings: Submission
) -> tuple[pd.DataFrame, int]:
    """Return the submission, and how many predicted photos it does not ask for.

    Args:
        sample: the sample as text.
        form: its form.
        predictions: of the photos without a label: path, predicted, calibrated_CLASS.
        settings: the user's.

    Raises: UserError if a photo that it asks for was not predicted, and the sample's value may not stand in for it.
    """
    rows = rows_of_ids(sample[form.id].tolist(), predictions["path"].tolist())
    lacking = rows < 0
    if lacking.any() and settings.missing == "error":
        names = abbreviated(sample[form.id][lacking].tolist())
        raise UserError(
            f"{int(lacking.sum()):,} of the {len(sample):,} ids of the sample have no photo that was predicted: "
            f"{names}; audit.csv says which photos were dropped; `missing: sample` leaves their values as they are"
        )
    values = FILLERS[form.kind](form, predictions.iloc[np.maximum(rows, 0)].reset_index(drop=True))
    table = sample.reset_index(drop=True).astype(object)
    for column in form.columns:
        table[column] = np.where(lacking, own_values(table[column], form), values[column])
    return table, len(predictions) - len(set(rows[~lacking].tolist()))


def own_values(column: pd.Series, form: Form) -> pd.Series:
    """Return a sample's own values, as numbers where the form takes numbers."""
    return column if form.kind == "answer" else pd.to_numeric(column, errors="coerce")


def rows_of_ids(ids: list[str], paths: list[str]) -> np.ndarray:
    """Return the place among `paths` of the photo that each id names, -1 where there is none.

    Raises: UserError if an id may mean several photos.

    >>> rows_of_ids(["b", "a.jpg", "c"], ["test/a.jpg", "test/b.jpg"]).tolist()
    [1, 0, -1]
    """
    photos = Photos([Entry(File(path, None)) for path in paths])
    place = {path: number for number, path in enumerate(paths)}
    rows = np.full(len(ids), -1)
    for number, one in enumerate(ids):
        named = photos.named(one)
        if len(named) > 1:
            raise UserError(
                f"the id {one!r} of the sample could be {abbreviated([entry.name for entry in named])}; "
                "a submission needs one photo for each"
            )
        if named:
            rows[number] = place[named[0].name]
    return rows


def answers(form: Form, predictions: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the answers of each photo, in the sample's names; of several, the likeliest first."""
    own = np.array([form.names[name] for name in form.classes], object)
    if form.top == 1:
        return {form.columns[0]: predictions["predicted"].map(form.names).to_numpy(object)}
    likeliest = np.argsort(-probabilities_of(form, predictions), axis=1, kind="stable")[:, : form.top]
    return {form.columns[0]: np.array([" ".join(own[row]) for row in likeliest], object)}


def flags(form: Form, predictions: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return 1 in the column of each photo's answer, 0 in the others."""
    return {
        column: (predictions["predicted"] == name).to_numpy(int)
        for column, name in zip(form.columns, form.classes, strict=True)
    }


def positives(form: Form, predictions: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the probability of the one class that is asked for."""
    at = form.classes.index(form.positive)
    return {form.columns[0]: probabilities_of(form, predictions)[:, at]}


def each_probability(form: Form, predictions: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the probability of each class, in its column."""
    return dict(zip(form.columns, probabilities_of(form, predictions).T, strict=True))


def probabilities_of(form: Form, predictions: pd.DataFrame) -> np.ndarray:
    """Return (n, n_classes) probabilities in the form's order; rows sum to 1 again, since they were written rounded."""
    found = predictions[[CALIBRATED + name for name in form.classes]].to_numpy(float)
    return found / found.sum(axis=1, keepdims=True)


FILLERS: dict[str, Callable[[Form, pd.DataFrame], dict[str, np.ndarray]]] = {
    "answer": answers,
    "flags": flags,
    "probability": positives,
    "probabilities": each_probability,
}


def check(written: pd.DataFrame, sample: pd.DataFrame, form: Form) -> None:
    """Compare a submission, read back as text, with the sample.

    Raises: UserError at the first thing that differs in a way that a competition refuses or misreads.
    """
    if list(written.columns) != list(sample.columns):
        raise UserError(f"it has the columns {', '.join(written.columns)}, the sample {', '.join(sample.columns)}")
    if len(written) != len(sample):
        raise UserError(f"it has {len(written):,} rows, the sample {len(sample):,}")
    differ = written[form.id].to_numpy() != sample[form.id].to_numpy()
    if differ.any():
        at = int(np.argmax(differ))
        raise UserError(
            f"row {at + 2} has the id {written[form.id].iloc[at]!r}, the sample {sample[form.id].iloc[at]!r}"
        )
    values = written[form.columns]
    if (values == "").to_numpy().any():
        at = int(np.argmax((values == "").any(axis=1)))
        raise UserError(f"row {at + 2}, id {written[form.id].iloc[at]!r}, lacks a value")
    if form.kind == "answer":
        check_answers(values[form.columns[0]], set(form.names.values()))
    else:
        check_numbers(values.apply(pd.to_numeric, errors="coerce"), form, written[form.id])


def check_answers(values: pd.Series, names: set[str]) -> None:
    """Refuse an answer that is none of the classes."""
    wrong = [value for value in values if value not in names and not set(value.split()) <= names]
    if wrong:
        raise UserError(f"it answers {wrong[0]!r}, which is none of the classes as the sample calls them")


def check_numbers(values: pd.DataFrame, form: Form, ids: pd.Series) -> None:
    """Refuse what is no number from 0 to 1, and rows of a column for each class that do not sum to 1."""
    wrong = ~((values >= 0) & (values <= 1)).all(axis=1)
    if wrong.any():
        at = int(np.argmax(wrong))
        raise UserError(f"row {at + 2}, id {ids.iloc[at]!r}, has a value that is no number from 0 to 1")
    sums = values.sum(axis=1)
    if len(form.columns) > 1 and (sums - 1).abs().max() > SUM_TOLERANCE:
        at = int(np.argmax((sums - 1).abs()))
        raise UserError(f"row {at + 2}, id {ids.iloc[at]!r}, sums to {sums.iloc[at]:.6g}, not to 1")
