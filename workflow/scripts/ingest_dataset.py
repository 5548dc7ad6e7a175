"""An archive or a folder in; checked photos, a manifest, an audit and its contact sheet out."""

import argparse
import contextlib
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from graft.config.base import parse
from graft.config.dataset import Ingest, Labels, Pictures
from graft.data import label_sets, lock
from graft.data.audit import Entry, audit_table, summary
from graft.data.contact_sheet import contact_sheet
from graft.data.ingest import class_names, ingest, label_names, manifest_table, place
from graft.data.labelling import Labelling
from graft.data.placed import seal_photos
from graft.data.unlabelled import UNLABELLED
from graft.errors import run_script
from graft.storage.files import atomic, read_json, write_json, write_table


def main(argv: list[str] | None = None) -> None:
    """Unpack, decode, judge and place every file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", required=True, type=Path, help="a zip or tar archive, or a folder; only read")
    parser.add_argument("--arrived", type=Path, help="download.json of the archive: version, licence, checksum")
    parser.add_argument("--settings", default="{}", help="policy and limits, as JSON")
    parser.add_argument("--labels", default="{}", help="what names the classes where folders do not, as JSON")
    parser.add_argument("--pictures", default="{}", help="how pictures become squares, as JSON")
    parser.add_argument("--lock", type=Path, help="a lock file; where it exists, the photos must be those it names")
    parser.add_argument("--workers", type=int, default=1, help="processes that decode")
    parser.add_argument("--output", required=True, type=Path, help="the folder of results, results/data/NAME")
    arguments = parser.parse_args(argv)
    settings = parse(Ingest, json.loads(arguments.settings), "ingest")
    labelling = Labelling(parse(Labels, json.loads(arguments.labels), "source.labels"))
    pictures = parse(Pictures, json.loads(arguments.pictures), "pictures")
    output = arguments.output

    with unpacking(output) as staging, atomic(output / "images") as images:
        images.mkdir()
        entries = ingest(arguments.photos, staging, settings, arguments.workers, labelling, pictures)
        several = labelling.settings.several
        classes = label_names(entries) if several else class_names(entries)
        manifest = manifest_table(entries, several)
        lock.check_photos(manifest, arguments.lock)
        line = story(entries, classes, several)
        with atomic(output / "audit.png") as part:
            contact_sheet(entries, line, pictures).save(part)
        place(entries, images, arguments.photos)
        shutil.rmtree(output / "images", ignore_errors=True)
    write_table(manifest, output / "manifest.csv")
    write_table(audit_table(entries), output / "audit.csv")
    write_json(classes, output / "classes.json")
    write_json(record(arguments.arrived, manifest, labelling), output / "source.json")
    seal_photos(output)
    combinations = label_sets.audit_lines(manifest[label_sets.COLUMN].tolist()) if several else []
    print(f"ingest_dataset: {line}", *labelling.told(), *combinations, *summary(entries), sep="\n")


@contextlib.contextmanager
def unpacking(output: Path) -> Iterator[Path]:
    """Yield an empty folder beside the results; what a killed run left there, and its photos, are cleared away."""
    for left in [output / ".unpacked", *output.glob(".part-*-images")]:
        shutil.rmtree(left, ignore_errors=True)
    staging = output / ".unpacked"
    staging.mkdir(parents=True)
    try:
        yield staging
    finally:
        shutil.rmtree(staging)


def story(entries: list[Entry], classes: list[str], several: bool = False) -> str:
    """Return what came and what stayed, in one line.

    The classes, or the labels where photos may have several, are counted in their order, and the folders of the
    archive's own split.
    """
    kept = [entry for entry in entries if entry.kept]
    splits = Counter(entry.source_split for entry in kept)
    names = (label_sets.parted(entry.label or "") if several else [entry.label] for entry in kept)
    labels = Counter(name for own in names for name in own)
    what = "labels" if several else "classes"
    shown = [f"{name} {labels[name]:,}" for name in classes[:10]] + (["..."] if len(classes) > 10 else [])
    own = [f"{split} {splits[split]:,}" for split in ("train", "val", "test") if splits[split]]
    folders = f"; folders {', '.join(own)}" if own else ""
    apart = f"; {splits[UNLABELLED]:,} without a label, to be predicted" if splits[UNLABELLED] else ""
    counts = f"{sum(not entry.is_row for entry in entries):,} files, {len(kept):,} photos kept"
    return f"{counts}; {len(classes)} {what}: {', '.join(shown)}{folders}{apart}"


def record(arrived: Path | None, manifest: pd.DataFrame, labelling: Labelling) -> dict[str, Any]:
    """Return what the results rest on.

    That is what was downloaded, a digest over every kept photo's name and bytes, and the tables that name the classes
    or correct them, with their digests.
    """
    photos = dict(zip(manifest["path"], manifest["sha256"], strict=True))
    photos = {"n": len(photos), "sha256": lock.digest_of(photos)}
    several = label_sets.COLUMN in manifest
    sets = {"label_sets": label_sets.record_of(manifest[label_sets.COLUMN].tolist())} if several else {}
    return {**(read_json(arrived) if arrived else {}), **labelling.record, **sets, "photos": photos}


if __name__ == "__main__":
    run_script(main)
