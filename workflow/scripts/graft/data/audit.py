"""Verdicts: what the policy makes of each file's faults."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import pandas as pd

from graft.config.dataset import Ingest, Policy
from graft.data import duplicates
from graft.data.archive import File
from graft.data.decode import Look
from graft.data.wording import some
from graft.errors import UserError

ALWAYS_DROPPED = ("junk", "doubled")  # never worth a warning: leftovers, and a second copy of a whole tree
RANK = {"test": 0, "val": 1, "train": 2, "": 3}  # a leaking photo stays where it measures, and goes where it trains
GRAVITY = (*ALWAYS_DROPPED, *Policy.model_fields)  # which verdict a file has where several would do


@dataclass(slots=True)
class Entry:
    """A file on its way to a verdict."""

    file: File
    look: Look | None = None
    label: str | None = None
    source_split: str = ""
    faults: list[tuple[str, str]] = field(default_factory=list)
    verdict: str = "kept"
    detail: str = ""
    kept: bool = True
    partners: list["Entry"] = field(default_factory=list)  # what it shares its bytes or its looks with

    @property
    def name(self) -> str:
        """Return the file's path within the photo set."""
        return self.file.name


def judge(entries: list[Entry], settings: Ingest) -> None:
    """Give every entry its verdict: first for what it is by itself, then for what it shares with others.

    Raises: UserError if the policy says `error` for a fault that came up; it names the files.
    """
    for entry in entries:
        settle(entry, settings.policy)
    refuse(entries, settings.policy)
    judge_copies([entry for entry in entries if entry.kept], settings.policy)
    judge_near_copies([entry for entry in entries if entry.kept], settings)
    refuse(entries, settings.policy)


def settle(entry: Entry, policy: Policy) -> None:
    """Set an entry's verdict, outcome and detail from its faults."""
    if not entry.faults:
        return
    dropping = [fault for fault in entry.faults if action(fault[0], policy) == "drop"]
    kind, _ = min(dropping or entry.faults, key=lambda fault: GRAVITY.index(fault[0]))
    entry.verdict, entry.kept = kind, not dropping
    entry.detail = "; ".join(dict.fromkeys(detail for _, detail in entry.faults))


def action(kind: str, policy: Policy) -> str:
    """Return what the policy does with a kind of fault."""
    return "drop" if kind in ALWAYS_DROPPED else getattr(policy, kind)


def judge_copies(entries: list[Entry], policy: Policy) -> None:
    """Find photos of the same bytes: across classes a conflict, across folders a leak, else a duplicate."""
    for group in duplicates.same_bytes([entry.look.sha256 for entry in entries]):
        copies = [entries[position] for position in group]
        if len({entry.label for entry in copies}) > 1:
            for entry in copies:
                other = next(one for one in copies if one.label != entry.label)
                blame(entry, "label_conflict", f"the same bytes as {other.name} in another class", other, policy)
            continue
        copies.sort(key=lambda entry: RANK[entry.source_split])  # stable: the archive's order within a folder
        first = copies[0]
        for entry in copies[1:]:
            kind = "exact_duplicate" if entry.source_split == first.source_split else "leak"
            blame(entry, kind, f"the same bytes as {first.name}", first, policy)


def judge_near_copies(entries: list[Entry], settings: Ingest) -> None:
    """Find photos that look alike, directly or through others: across folders a leak, else a near duplicate."""
    distinct = list({entry.look.sha256: entry for entry in reversed(entries)}.values())[::-1]
    hashes = [entry.look.phash for entry in distinct]
    thumbnails = [entry.look.thumbnail for entry in distinct]
    links = duplicates.near_links(hashes, thumbnails, settings.near_duplicate_distance)
    neighbours, groups = defaultdict(list), defaultdict(list)
    for one, other in links:
        neighbours[one].append(other)
        neighbours[other].append(one)
    for position, group in enumerate(duplicates.joined(len(distinct), links)):
        groups[group].append(position)

    def rank(position: int) -> tuple[int, int]:
        return RANK[distinct[position].source_split], position

    for members in groups.values():
        first, *others = (distinct[position] for position in sorted(members, key=rank))
        for position, entry in zip(sorted(members, key=rank)[1:], others, strict=True):
            near = distinct[min(neighbours[position], key=rank)]
            blame_lookalike(entry, near, first, settings.policy)


def blame_lookalike(entry: Entry, near: Entry, first: Entry, policy: Policy) -> None:
    """Add the fault of looking like `near`, and perhaps through it like `first`, which stays."""
    detail = f"looks like {near.name}" + ("" if near.label == entry.label else f" of class {near.label}")
    leaks = entry.source_split != first.source_split
    if leaks and near.source_split == entry.source_split:
        detail += f", and through it like {first.name}"
    entry.partners.append(near)
    blame(entry, "leak" if leaks else "near_duplicate", detail, first, policy)


def blame(entry: Entry, kind: str, detail: str, partner: Entry, policy: Policy) -> None:
    """Add a fault that an entry shares with another."""
    entry.faults.append((kind, detail))
    entry.partners.append(partner)
    settle(entry, policy)


def refuse(entries: list[Entry], policy: Policy) -> None:
    """Stop where the policy says so, naming the kinds and some files."""
    forbidden = defaultdict(list)
    for entry in entries:
        for kind, detail in entry.faults:
            if kind not in ALWAYS_DROPPED and getattr(policy, kind) == "error":
                forbidden[kind].append(f"{entry.name} ({detail})")
    if forbidden:
        kinds = "; ".join(f"{kind}: {some(files)}" for kind, files in forbidden.items())
        raise UserError(f"ingest.policy forbids what the photos hold: {kinds}; mend them, or set the policy to drop")


def audit_table(entries: list[Entry]) -> pd.DataFrame:
    """Return a row for every file that arrived: path, verdict, outcome, label, source_split, detail."""
    rows = [
        {
            "path": entry.name,
            "verdict": entry.verdict,
            "outcome": outcome(entry),
            "label": entry.label or "",
            "source_split": entry.source_split,
            "detail": entry.detail,
        }
        for entry in entries
    ]
    return pd.DataFrame(rows, columns=["path", "verdict", "outcome", "label", "source_split", "detail"])


def outcome(entry: Entry) -> str:
    """Return dropped, warned (kept, but look) or kept."""
    if not entry.kept:
        return "dropped"
    return "kept" if entry.verdict == "kept" else "warned"


def summary(entries: list[Entry]) -> list[str]:
    """Return the audit in a few lines, for the terminal: each verdict with its count and first files."""
    counts = Counter((outcome(entry), entry.verdict) for entry in entries if entry.verdict != "kept")
    lines = []
    for (end, verdict), count in sorted(counts.items()):
        if verdict in ALWAYS_DROPPED:
            lines.append(f"  {end} {count} {verdict}")
            continue
        files = [entry for entry in entries if entry.verdict == verdict and outcome(entry) == end]
        named = some([f"{entry.name} ({entry.detail})" for entry in files])
        lines.append(f"  {end} {count} {verdict}: {named}")
    return lines
