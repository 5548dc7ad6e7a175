"""Which photos of a set are kept without a label, to be predicted alone."""

from graft.config.dataset import Policy
from graft.data.audit import Entry
from graft.data.unlabelled import UNLABELLED

LACKING = ("unlabelled", "photo_without_row")  # the faults of a photo of which nothing says the class


def set_apart(entries: list[Entry], policy: Policy) -> None:
    """Give photos that lack a label the role `unlabelled`, where the policy keeps them.

    One that lacks only a role, where others have one, loses its label: it may neither train nor judge.
    """
    for entry in entries:
        lacking = [kind for kind, _ in entry.faults if kind in LACKING]
        if lacking and all(getattr(policy, kind) == "keep" for kind in lacking):
            entry.label, entry.source_split = None, UNLABELLED
