"""The audit: each file's verdict, from its faults and the policy."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, get_args

import pandas as pd

from graft import tables
from graft.config.dataset import Ingest, Policy
from graft.data import altered, duplicates
from graft.data.archive import File
from graft.data.decode import Look
from graft.data.small_pictures import Chosen
from graft.data.unlabelled import UNLABELLED
from graft.data.wording import abbreviated
from graft.errors import UserError

ALWAYS_DROPPED = ("junk", "doubled")  # never worth a warning: leftovers, and a second copy of a whole tree
SETTLED = {"label_table": "read", "withdrawn": "drop", "relabelled": "keep"}  # by the user, so the policy has no say
RANK = {"test": 0, "val": 1, "train": 2, "": 3}  # of copies in several folders, the lowest rank is kept
DETAIL_PX = 64  # a photo of shorter sides, such as a digit of 28 px, has too little detail to find altered copies
GRAVITY = (*ALWAYS_DROPPED, *SETTLED, *Policy.model_fields)  # gravest first: the verdict of a file with several faults
KEEPS_NOTHING = {*ALWAYS_DROPPED, *SETTLED} | {
    kind for kind, field in Policy.model_fields.items() if "keep" not in get_args(field.annotation)
}
T = TypeVar("T")


@dataclass(slots=True)
class Entry:
    """A file on its way to a verdict."""

    file: File
    look: Look | None = None
    picture: int | None = None  # where its small picture stands among those of all files
    label: str | None = None
    source_split: str = ""
    faults: list[tuple[str, str]] = field(default_factory=list)
    verdict: str = "kept"
    detail: str = ""
    kept: bool = True
    partners: list["Entry"] = field(default_factory=list)  # entries of the same bytes, or that look alike
    copy_of: str = ""  # the first of these
    copy_kind: str = ""  # such as "same bytes", "alike" or "mirrored, cropped"
    group: str = ""  # what the user's table or pattern calls its group
    is_row: bool = False  # no file at all: a row of the user's table that is no photo's

    @property
    def name(self) -> str:
        """Return the file's path within the photo set."""
        return self.file.name

    @property
    def local(self) -> Path:
        """Return where the file lies; only of a file that arrived."""
        assert self.file.local is not None, self.name
        return self.file.local

    @property
    def has_role(self) -> bool:
        """Return whether the photo may train or judge; one that is only predicted harms nothing as a copy."""
        return self.source_split != UNLABELLED

    @property
    def seen(self) -> Look:
        """Return what reading the file found; only of a file that was read."""
        assert self.look is not None, self.name
        return self.look


def judge(entries: list[Entry], settings: Ingest, pictures: Sequence[bytes]) -> None:
    """Give every entry its verdict: first for what it is by itself, then for what it shares with others.

    Args:
        entries: every file that arrived.
        settings: the policy, and how near a near duplicate is.
        pictures: the files' small pictures, at the positions that the entries name.

    Raises: UserError if the policy says `error` for a fault that came up; it names the files.
    """
    for entry in entries:
        settle(entry, settings.policy)
    refuse(entries, settings.policy)
    judge_copies([entry for entry in entries if entry.kept and entry.has_role], settings.policy)
    judge_near_copies([entry for entry in entries if entry.kept and entry.has_role], settings, pictures)
    refuse(entries, settings.policy)


def settle(entry: Entry, policy: Policy) -> None:
    """Set an entry's verdict, outcome and detail from its faults."""
    if not entry.faults:
        return
    dropping = [fault for fault in entry.faults if drops(fault[0], entry, policy)]
    kind, _ = min(dropping or entry.faults, key=lambda fault: GRAVITY.index(fault[0]))
    entry.verdict, entry.kept = kind, not dropping
    entry.detail = "; ".join(dict.fromkeys(detail for _, detail in entry.faults))


def drops(kind: str, entry: Entry, policy: Policy) -> bool:
    """Return whether a fault costs an entry its place; a photo that is only predicted keeps it as long as it can."""
    return action(kind, policy) in ("drop", "read") and (entry.has_role or kind in KEEPS_NOTHING)


def action(kind: str, policy: Policy) -> str:
    """Return what the policy does with a kind of fault."""
    return "drop" if kind in ALWAYS_DROPPED else SETTLED.get(kind) or getattr(policy, kind)


def judge_copies(entries: list[Entry], policy: Policy) -> None:
    """Find photos of the same bytes: across classes a conflict, across folders a leak, else a duplicate."""
    for group in duplicates.same_bytes([entry.seen.sha256 for entry in entries]):
        copies = [entries[position] for position in group]
        if len({entry.label for entry in copies}) > 1:
            for entry in copies:
                other = next(one for one in copies if one.label != entry.label)
                detail = f"the same bytes as {other.name} in another class"
                blame(entry, "label_conflict", detail, other, policy, "same bytes")
            continue
        copies.sort(key=lambda entry: RANK[entry.source_split])  # stable: the archive's order within a folder
        first = copies[0]
        for entry in copies[1:]:
            kind = "exact_duplicate" if entry.source_split == first.source_split else "leak"
            blame(entry, kind, f"the same bytes as {first.name}", first, policy, "same bytes")


def judge_near_copies(entries: list[Entry], settings: Ingest, pictures: Sequence[bytes]) -> None:
    """Find photos that look alike, directly or through others: across folders a leak, else a near duplicate."""
    if not settings.near_duplicate_distance:
        return
    distinct = list({entry.seen.sha256: entry for entry in reversed(entries)}.values())[::-1]
    own = Chosen(pictures, [of_decoded(entry.picture) for entry in distinct])
    links = copy_links([entry.seen for entry in distinct], own, settings.near_duplicate_distance)
    neighbours: dict[int, dict[int, str]] = defaultdict(dict)  # position, linked position: kind of copy
    groups: dict[int, list[int]] = defaultdict(list)
    for link in links:
        neighbours[link.later][link.earlier] = link.kind
        neighbours[link.earlier][link.later] = altered.reverse(link.kind)
    for position, group in enumerate(
        duplicates.connected_components(len(distinct), [(one.earlier, one.later) for one in links])
    ):
        groups[group].append(position)

    def rank(position: int) -> tuple[int, int]:
        return RANK[distinct[position].source_split], position

    for members in groups.values():
        first, *others = (distinct[position] for position in sorted(members, key=rank))
        for position, entry in zip(sorted(members, key=rank)[1:], others, strict=True):
            near = min(neighbours[position], key=rank)
            blame_lookalike(entry, distinct[near], neighbours[position][near], first, settings.policy)


def of_decoded(value: T | None) -> T:
    """Return what the look at a file holds unless the file cannot be decoded, and this one could."""
    assert value is not None
    return value


def copy_links(looks: list[Look], pictures: Sequence[bytes], distance: int) -> list[altered.Link]:
    """Return links between photos that look alike, or of which one is an altered copy of the other.

    Of photos that look alike only the first is compared with altered copies, which costs more.
    """
    pairs = duplicates.near_links(
        [of_decoded(one.phash) for one in looks], [of_decoded(one.thumbnail) for one in looks], distance
    )
    groups = duplicates.connected_components(len(looks), pairs)
    firsts = [
        position
        for position, one in enumerate(looks)
        if groups[position] == position and min(one.width, one.height) >= DETAIL_PX
    ]
    links = altered.altered_links(Chosen(pictures, firsts))
    return [altered.Link(*pair, "alike") for pair in pairs] + [
        altered.Link(firsts[one.earlier], firsts[one.later], one.kind) for one in links
    ]


def blame_lookalike(entry: Entry, near: Entry, kind: str, first: Entry, policy: Policy) -> None:
    """Add the fault of being a copy of `near`, and perhaps through it of `first`, which stays."""
    detail = copy_sentence(kind, near.name) + ("" if near.label == entry.label else f" of class {near.label or 'none'}")
    leaks = entry.source_split != first.source_split
    if leaks and near.source_split == entry.source_split:
        detail += f", and through it like {first.name}"
    entry.partners.append(near)
    blame(entry, "leak" if leaks else "near_duplicate", detail, first, policy, kind)


def copy_sentence(kind: str, name: str) -> str:
    """Return how a photo was made of another.

    >>> copy_sentence("mirrored, cropped", "x.jpg"), copy_sentence("inverted", "x.jpg")
    ('a mirrored, cropped copy of x.jpg', 'an inverted copy of x.jpg')
    >>> copy_sentence("turned 90, cropped", "x.jpg"), copy_sentence("alike", "x.jpg")
    ('a cropped copy, turned by 90 degrees, of x.jpg', 'looks like x.jpg')
    """
    if kind == "alike":
        return f"looks like {name}"
    changes = kind.split(", ")
    turn = next((f", turned by {change.split()[1]} degrees," for change in changes if change.startswith("turned")), "")
    made = " ".join([", ".join(change for change in changes if not change.startswith("turned")), "copy"]).strip()
    return f"{'an' if made[0] in 'aeiou' else 'a'} {made}{turn} of {name}"


def blame(entry: Entry, kind: str, detail: str, partner: Entry, policy: Policy, copy_kind: str) -> None:
    """Add a fault that an entry shares with another, whose copy of `copy_kind` it is."""
    entry.faults.append((kind, detail))
    entry.partners.append(partner)
    if not entry.copy_of:
        entry.copy_of, entry.copy_kind = entry.partners[0].name, copy_kind
    settle(entry, policy)


def refuse(entries: list[Entry], policy: Policy) -> None:
    """Stop where the policy says so, naming the kinds and some files."""
    forbidden = defaultdict(list)
    for entry in entries:
        for kind, detail in entry.faults:
            if action(kind, policy) == "error":
                forbidden[kind].append(f"{entry.name} ({detail})")
    if forbidden:
        kinds = "; ".join(f"{kind}: {abbreviated(files)}" for kind, files in forbidden.items())
        raise UserError(f"ingest.policy forbids what the photos hold: {kinds}; mend them, or set the policy to drop")


def audit_table(entries: list[Entry]) -> pd.DataFrame:
    """Return the rows of audit.csv: one for every file that arrived, and for every row of a label table without one."""
    rows = [
        {
            "path": entry.name,
            "verdict": entry.verdict,
            "outcome": outcome(entry),
            "label": entry.label or "",
            "source_split": entry.source_split,
            "copy_of": entry.copy_of,
            "copy_kind": entry.copy_kind,
            "detail": entry.detail,
        }
        for entry in entries
    ]
    return pd.DataFrame(rows, columns=tables.Audit.names())


def outcome(entry: Entry) -> str:
    """Return dropped, read (a table of labels), warned (kept, but look) or kept."""
    if entry.verdict == "label_table":
        return "read"
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
        named = abbreviated([f"{entry.name} ({entry.detail})" for entry in files])
        lines.append(f"  {end} {count} {verdict}: {named}")
    return lines
