"""Hand in a run's submission.csv to its Kaggle competition, after asking.

    python workflow/commands/submit.py cassava --message 'probe, MobileNet 0.25'

It shows what would go where, and sends nothing unless you answer yes. Competitions count submissions, by the day.
"""

import argparse
from pathlib import Path
from typing import Any

import library  # noqa: F401

# isort: split
from graft import paths
from graft.data import competition_source, transfer
from graft.errors import UserError, run_script
from graft.judging.outcomes import judging_role
from graft.paths import below
from graft.storage.files import read_json, read_table, sha256_of

WAIT_S = 180.0  # for Kaggle to take a small table; afterwards it is not known whether it did


def main(argv: list[str] | None = None) -> None:
    """Check, show, ask, send."""
    arguments = parse_arguments(argv)
    path = below(arguments.results, paths.SUBMISSION, run=arguments.run)
    if not path.is_file():
        raise UserError(
            f"{path} does not exist; set `submission` in the experiment and run it, or see which runs there are in "
            f"{arguments.results / 'runs'}"
        )
    table = read_table(path)  # and compare it with its seal
    competition = arguments.competition or competition_of(arguments.results, arguments.run)
    message = arguments.message or f"Graft, run {arguments.run}"
    print(
        f"submit: {path}: {len(table):,} rows, columns {', '.join(table.columns[:6])}"
        f"{', ...' if len(table.columns) > 6 else ''}; SHA-256 {sha256_of(path)[:16]}...",
        f"submit: {accuracy_of(arguments.results, arguments.run)}",
        f"submit: to {competition_source.page_of(competition)}, with the message {message!r}",
        sep="\n",
    )
    if not agreed():
        print("submit: nothing was handed in")
        return
    send(competition, message, path)


def competition_of(results: Path, run: str) -> str:
    """Return the competition that a run's photos come from."""
    record = read_json(below(results, paths.PROVENANCE, run=run))
    source = record["config"]["datasets"][record["dataset"]]["source"]
    if not source.get("competition"):
        raise UserError(f"the photos of {run} come from no competition; name it with --competition")
    return str(source["competition"])


def accuracy_of(results: Path, run: str) -> str:
    """Return how good the model is on the photos that judged it."""
    table = read_table(below(results, paths.EVALUATION, run=run))
    table = table[(table["fold"].astype(str) == "all") & (table["role"] == judging_role(table["role"]))]
    row = table.iloc[-1]
    return f"accuracy on {row['photos']} {row['role']} photos: {row['accuracy']:.3f}, log loss {row['log_loss']:.3f}"


def agreed() -> bool:
    """Return whether the user says yes; no answer is none."""
    try:
        return input("Hand it in? [yes/no] ").strip().lower() == "yes"
    except EOFError:
        print()
        return False


def send(competition: str, message: str, path: Path) -> None:
    """Hand in the file, once: a second try could count twice.

    Raises: UserError, one sentence that says what happened and what to do.
    """
    request: dict[str, Any] = {"competition": competition, "message": message}
    answer = transfer.attempt(competition_source.hand_in, request, path, WAIT_S)
    page = f"{competition_source.page_of(competition)}/submissions"
    if isinstance(answer, transfer.Fault):
        if answer.kind == "bug":
            raise RuntimeError(answer.text)
        refused = competition_source.refusal(competition, answer)
        if refused:
            raise UserError(f"{refused}; nothing was handed in")
        later = f"try again later, but look at {page} first: it may have arrived"
        raise UserError(competition_source.passing(competition, answer, later))
    if not answer["ref"]:
        raise UserError(f"Kaggle did not take the submission: {answer['message']}; nothing was handed in")
    print(f"submit: Kaggle says: {answer['message']}; its score will stand at {page}")


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line's values."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="the run's name")
    parser.add_argument("--message", default="", help="what stands beside the score on Kaggle; default: the run's name")
    parser.add_argument("--competition", default="", help="its name, where the photos do not come from it")
    parser.add_argument("--results", default=Path("results"), type=Path, help="where the run lies")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_script(main)
