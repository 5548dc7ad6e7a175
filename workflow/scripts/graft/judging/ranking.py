"""Which setting of a sweep wins: by photos that chose and do not judge, so that its number is not flattered."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from graft.config.sweeps import Ranking
from graft.errors import UserError
from graft.judging.kinds import Kind, kind_of
from graft.judging.outcomes import CALIBRATED, STAGES, judging_role
from graft.storage.files import read_table


def columns_of(kind: Kind) -> tuple[str, ...]:
    """Return the columns of a ranking: `accuracy`, or, of several labels a photo, `mean_average_precision`."""
    return (
        *("rank", "setting", "runs", "chose_n", "log_loss", kind.column, "folds_won"),
        *("behind", "behind_low", "behind_high", "verdict"),
        *("judged_n", *(f"judged_{name}" for name in kind.columns), "judged_log_loss", "note"),
    )


@dataclass(frozen=True)
class Candidate:
    """A setting of a sweep: what its runs predicted after their last stage, all seeds in one table.

    Attributes:
        chose: the predictions of the photos that chose, not calibrated.
        judged: the predictions of the photos that judge, none of which chose.
        runs: how many runs it has, one a seed.
    """

    setting: str
    chose: pd.DataFrame
    judged: pd.DataFrame
    runs: int

    @property
    def kind(self) -> Kind:
        """Return whether its photos have one label or several."""
        return kind_of(self.chose)

    def score(self, by: str, fold: int | None = None) -> tuple[float, float]:
        """Return what to sort by, least first: the number that chooses, then the other; of one fold, or of all."""
        rows = self.chose if fold is None else self.chose[self.chose["fold"] == fold]
        loss, right = self.kind.scores(self.kind.outcomes_of(rows))
        return (loss, 1 - right) if by == "log_loss" else (1 - right, loss)


def read_candidates(folders: list[Path], settings: Ranking) -> list[Candidate]:
    """Return a sweep's settings, in the order of the sweep, from its runs' folders.

    Raises: UserError if a run has no photos that chose, or judges by the same photos.
    """
    tables: dict[str, list[tuple[pd.DataFrame, pd.DataFrame]]] = {}
    for folder in folders:
        tables.setdefault(settings.runs[folder.name], []).append(read_run(folder, settings.name))
    return [
        Candidate(setting, pd.concat([run[0] for run in runs]), pd.concat([run[1] for run in runs]), len(runs))
        for setting, runs in tables.items()
    ]


def read_run(folder: Path, sweep: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the predictions of a run's last stage for the photos that chose, and for those that judge.

    Raises: UserError if there are none that chose, or they judge too.
    """
    rows = read_table(folder / "predictions.csv")
    rows = rows[rows["stage"] == [stage for stage in STAGES if stage in set(rows["stage"])][-1]]
    role = judging_role(rows["role"])
    judged, chose = rows[rows["role"] == role], rows[(rows["chose"] == 1) & (rows["role"] != role)]
    if judged["chose"].any():
        raise UserError(f"sweep {sweep} cannot choose: the photos that judge {folder.name} chose in it")
    if chose.empty:
        raise UserError(
            f"sweep {sweep} cannot choose: no photos were held out in {folder.name}, since no class can spare any; "
            "add photos, or a test share to the split"
        )
    # The calibration was fitted to these very photos, so they choose by the network's own probabilities.
    return chose[[name for name in chose.columns if not name.startswith(CALIBRATED)]], judged


def ranking_table(candidates: list[Candidate], settings: Ranking) -> pd.DataFrame:
    """Return a row per setting, the winner first; only the winner's row has the number of the photos that judge.

    A photo that judges in one fold chooses in others, where there are several. So each fold has a winner of its own, by
    the photos that chose in that fold, and the number is that of all folds' winners together (nested
    cross-validation: Varma and Simon, BMC Bioinformatics 2006). `rank` goes by all folds' choosing photos.
    """
    ranked = sorted(candidates, key=lambda one: one.score(settings.choose))
    winners = winners_of_folds(candidates, settings.choose)
    won = Counter(one.setting for one in winners.values())
    rows = []
    kind = ranked[0].kind
    for rank, one in enumerate(ranked, start=1):
        loss, wrong = one.score("log_loss")
        row = {"rank": rank, "setting": one.setting, "runs": one.runs, "chose_n": len(one.chose)}
        row |= {"log_loss": loss, kind.column: 1 - wrong, "folds_won": won[one.setting]}
        rows.append(row | (judged_number(winners, settings) if rank == 1 else behind(ranked[0], one, settings)))
    return pd.DataFrame(rows).reindex(columns=columns_of(kind))


def winners_of_folds(candidates: list[Candidate], by: str) -> dict[int, Candidate]:
    """Return each fold's winner, by the photos that chose in that fold; of equals the first of the sweep."""
    folds = sorted(set.intersection(*(set(one.chose["fold"]) for one in candidates)))

    def winner(fold: int) -> Candidate:
        return min(candidates, key=lambda one: one.score(by, fold))

    return {fold: winner(fold) for fold in folds}


def judged_number(winners: Mapping[int, Candidate], settings: Ranking) -> dict[str, object]:
    """Return number, interval and log loss of the winners on the photos that judge, all folds together."""
    judged = pd.concat([one.judged[one.judged["fold"] == fold] for fold, one in winners.items()])
    kind = kind_of(judged)
    outcomes = kind.outcomes_of(judged)
    loss, right = kind.scores(outcomes)
    ends = kind.interval(outcomes, settings.evaluation)
    names = Counter(one.setting for one in winners.values())
    told = ", ".join(f"{name} in {count}" for name, count in names.most_common())
    several = f"the number is that of each fold's own winner: {told} of {len(winners)} folds" if len(names) > 1 else ""
    return {
        "verdict": "the winner",
        "judged_n": len(judged),
        **{f"judged_{name}": value for name, value in zip(kind.columns, (right, *ends), strict=True)},
        "judged_log_loss": loss,
        "note": several,
    }


def behind(winner: Candidate, other: Candidate, settings: Ranking) -> dict[str, object]:
    """Return how far a setting lies behind the winner on the photos that chose, and whether that is more than noise."""
    kind = winner.kind
    found = kind.compare(kind.outcomes_of(winner.chose), kind.outcomes_of(other.chose), settings.evaluation)
    if found is None:
        return {"verdict": "other photos chose"}
    key, sign = ("log_loss_difference", 1) if settings.choose == "log_loss" else ("difference", -1)
    ends = sorted(sign * found[f"{key}_{end}"] for end in ("low", "high"))
    real = ends[0] > 0 and not np.isnan(ends[0])
    return {
        "behind": sign * found[key],
        "behind_low": ends[0],
        "behind_high": ends[1],
        "verdict": "worse than the winner" if real else "not distinguishable from the winner",
    }


def in_words(table: pd.DataFrame, settings: Ranking) -> str:
    """Say which setting won, by what, and the number that nothing chose."""
    best = table.iloc[0]
    kind = kind_of(table)
    by = "log loss" if settings.choose == "log_loss" else kind.name
    right, low, high = (best[f"judged_{name}"] for name in kind.columns)
    alike = int((table["verdict"] == "not distinguishable from the winner").sum())
    rest = f"; {alike} of the other {len(table) - 1} cannot be told from it" if len(table) > 1 else ""
    return (
        f"{best['setting']} wins by {by} on the photos that chose ({best[settings.choose]:.4f}, {best['chose_n']}"
        f" judgements){rest}; on the photos that judge: {kind.name} {right:.3f} ({low:.3f} to {high:.3f})"
    )
