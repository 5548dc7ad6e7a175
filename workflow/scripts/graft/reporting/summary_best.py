"""Which run is best, whether that is sure, and what chose it: the sentences that open the report."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from graft.judging.multilabel_outcomes import is_table_of_sets
from graft.reporting import multilabel_page
from graft.reporting.text import ROLES, STAGES

LISTED = 6  # runs named in a sentence; the table has the others


@dataclass(frozen=True)
class Best:
    """The most accurate run of a job, and how the others stand to it.

    Attributes:
        row: of evaluation.csv, its last stage on the photos that judge it.
        order: every run, most accurate first.
        level: runs that the same photos cannot tell from it, with the p-value of each.
        behind: runs that it is better than beyond noise.
        apart: runs that other photos judged, so that no verdict can be given.
    """

    row: dict[str, Any]
    order: list[str]
    level: dict[str, float] = field(default_factory=dict)
    behind: list[str] = field(default_factory=list)
    apart: list[str] = field(default_factory=list)

    @property
    def run(self) -> str:
        """Return its name."""
        return str(self.row["run"])


def best_of(judged: pd.DataFrame, pairs: pd.DataFrame) -> Best:
    """Return the run whose last stage is most accurate, of equals the first, and how the others stand to it.

    Args:
        judged: rows of evaluation.csv of every run, on the photos that judge it, stages in their order.
        pairs: comparison_significance.csv.
    """
    headline = multilabel_page.HEADLINE if is_table_of_sets(judged) else "accuracy"
    last = judged.drop_duplicates("run", keep="last").sort_values(headline, ascending=False, kind="stable")
    best = Best(row={str(name): value for name, value in last.iloc[0].items()}, order=list(last["run"]))
    verdicts = {
        (set(map(str, (row["first"], row["second"]))) - {best.run}).pop(): row
        for row in pairs.to_dict("records")
        if best.run in (row["first"], row["second"])
    }
    for run in best.order[1:]:
        if run not in verdicts:
            best.apart.append(run)
        elif verdicts[run]["verdict"].startswith("not distinguishable"):
            best.level[run] = float(verdicts[run]["p_adjusted"])
        else:
            best.behind.append(run)
    return best


def lead(best: Best) -> list[str]:
    """Return the opening sentences: how good the best run is, whether it can be told from others, what chose it."""
    row = best.row
    title = f"{best.run} ({STAGES[row['stage']]})"
    if multilabel_page.HEADLINE in row:
        sentences = [multilabel_page.opening(title, row, len(best.order) > 1)]
        return [*sentences, *standing(best), " ".join(chosen_by(best))]
    right = f"{row['correct']:,} of {row['n']:,} {ROLES[row['role']]} photos"
    interval = f"{row['accuracy']:.3f}, 95% interval {row['accuracy_low']:.3f} to {row['accuracy_high']:.3f}"
    first = "Most accurate is " if len(best.order) > 1 else ""
    sentences = [f"{first}{title}{' with' if first else ':'} {right} right ({interval})."]
    return [*sentences, *standing(best), " ".join(chosen_by(best))]


def standing(best: Best) -> list[str]:
    """Return how the other runs stand to the best one."""
    sentences = []
    if best.level:
        level = [f"{run} (p = {p_value:.2g})" for run, p_value in best.level.items()]
        sentences.append(f"It cannot be told from {listed(level)}: the difference is within the noise of these photos.")
    if best.behind:
        sentences.append(f"It is better beyond noise than {listed(best.behind)}.")
    if best.apart:
        sentences.append(f"Other photos judged {listed(best.apart)}, so no verdict is given there.")
    return sentences


def chosen_by(best: Best) -> list[str]:
    """Return what was chosen on what: the best run's own choices, and the choice of it among the runs."""
    row = best.row
    if row["selected_on"]:
        sentences = ["The photos that judge it also chose in its training, which flatters it."]
    elif row["chose_n"]:
        sentences = [f"What was chosen in its training, {row['chose_n']:,} photos chose that do not judge it."]
    else:
        sentences = ["No held-out photos chose anything in its training."]
    if len(best.order) > 1:
        sentences.append(
            f"The photos that judge it also made it the best of {len(best.order)} runs, which flatters it a little."
        )
    return sentences


def listed(names: list[str]) -> str:
    """Return names as a sentence has them, the first few where there are many.

    >>> listed(["a"]), listed(["a", "b", "c"]), listed(list("abcdefgh"))
    ('a', 'a, b and c', 'a, b, c, d, e, f and 2 others')
    """
    if len(names) > LISTED + 1:
        names = [*names[:LISTED], f"{len(names) - LISTED} others"]
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
