"""What a run says of the photos without a label in; submission.csv, in the form of the competition's sample, out."""

import argparse
import json
from pathlib import Path

from graft.config.base import parse
from graft.config.submission import Submission
from graft.data.label_table import read_labels
from graft.data.sample_file import sample_table
from graft.errors import UserError, run_script
from graft.predicting.submission import CALIBRATED, Form, check, filled, form_of
from graft.storage.files import atomic, read_table

KINDS = {
    "answer": "answers",
    "flags": "a flag for each class",
    "probability": "probabilities of {positive}",
    "probabilities": "a probability for each class",
}


def main(argv: list[str] | None = None) -> None:
    """Fill the sample's form, compare the two, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", default="{}", help="the form, as JSON of Submission")
    parser.add_argument("--predictions", required=True, type=Path, help="unlabelled_predictions.csv")
    parser.add_argument("--photos", required=True, type=Path, help="the photo set, which may hold the sample")
    parser.add_argument("--tag", required=True, help="the run")
    parser.add_argument("--submission", required=True, type=Path, help="the submission.csv to write")
    arguments = parser.parse_args(argv)
    settings = parse(Submission, json.loads(arguments.settings), "submission")

    predictions = read_table(arguments.predictions)
    sample = sample_table(settings.sample, arguments.photos)
    classes = [name.removeprefix(CALIBRATED) for name in predictions.columns if name.startswith(CALIBRATED)]
    form = form_of(sample, classes, settings)
    table, surplus = filled(sample, form, predictions, settings)
    with atomic(arguments.submission, sealed=True) as part:
        table.to_csv(part, index=False, float_format="%.9g", lineterminator="\n")
        try:
            check(read_labels(part, part.name, ","), sample, form)
        except UserError as error:
            raise UserError(f"the submission of {arguments.tag} does not fit {settings.sample}: {error}") from None
    print(f"write_submission: {arguments.tag}: {len(table):,} rows as in {settings.sample}, {told(form)}")
    if surplus:
        print(f"write_submission: {surplus:,} photos that were predicted are not asked for")


def told(form: Form) -> str:
    """Return what the columns hold, in words."""
    top = f", {form.top} a photo" if form.top > 1 else ""
    return f"{KINDS[form.kind].format(positive=form.positive)} in {len(form.columns)} column(s){top}"


if __name__ == "__main__":
    run_script(main)
