"""A photo set: where it comes from, what its audit does with faulty files, and how it is split."""

import math
import re
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from graft.config.base import Settings

Action = Literal["drop", "keep", "error"]
Refusal = Literal["drop", "error"]  # for files of which nothing can be kept
Window = Literal["full", "percentile"] | tuple[float, float]
# What signs or opens an address, with a value that is written out: Amazon's, Google's, Azure's, and plain tokens.
SECRET = re.compile(
    r"[?&]([^=&]*(?:sig|signature|token|key|secret|password|passwd|credential|auth)[^=&]*)=(?!\$\{)[^&]", re.IGNORECASE
)
CONTENTS = {"table": "labels.csv", "separator": "|"}  # the table of the sample `contents`
KINDS = ("kaggle", "url", "archive", "folder", "sample")
KAGGLE = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(/(versions/)?\d+)?")


class Sample(Settings):
    """Photos that Graft draws itself, so that a demo needs no network."""

    name: Literal["scenes", "contents"] = "scenes"
    """What to draw; `scenes`: a rural and an urban class. `contents`: the same scenes, with a table of what can be seen
    in each: trees, cars, water, several of them or none."""

    seed: int = Field(0, ge=0, lt=2**31)
    """All that is random in the drawing comes from it."""

    train: int = Field(36, ge=1, le=100_000)
    """Photos per class in the train folder; of `contents`, per kind of scene."""

    val: int = Field(10, ge=1, le=100_000)
    """Photos per class in the val folder; of `contents`, per kind of scene."""


class Labels(Settings):
    """What names the class of each photo where folders do not: a table, or a pattern on the paths."""

    table: str | None = None
    """A table of labels: CSV, TSV, JSON, JSON Lines or Parquet, at a path on this machine or, where there is no such
    file, within the photo set. `labels: train.csv` is short for `labels: {table: train.csv}`."""

    path: str | None = None
    """The column that names the photo: a path, a file name, or an id without extension; null: file_name, filename,
    file, path, image, image_path, image_id or id, the first that the table has."""

    label: str | None = None
    """The column that names the class; null: label, labels, class, class_name, category or target, the first that the
    table has."""

    separator: str | None = Field(None, min_length=1)
    """A photo may have several labels, or none: what parts them in their column, such as `;`. Lists in JSON are read as
    well. null: one label a photo (docs/several_labels.md)."""

    columns: Literal["all"] | Annotated[list[str], Field(min_length=1)] | None = None
    """A photo may have several labels, or none: the columns that are a label each, with 1, true, yes or x where a photo
    has it, and 0, -1, false, no or nothing where not; `all`: every column but those of path, role and group."""

    suffix: str = ""
    """What to put behind each name in the table, such as `.jpg`, where ids alone would fit several files."""

    delimiter: str | None = Field(None, min_length=1, max_length=1)
    """What parts the columns of a CSV; null: a comma, semicolon, tab or bar, whichever its first line has most of."""

    role: str | None = None
    """The column that says train, val or test; it splits the photos as folders of these names do."""

    group: str | None = None
    """The column that names what photos have in common, such as a patient; no split divides a group."""

    pattern: str | None = None
    """A regular expression that finds the class in a photo's path, in its group `(?P<label>...)`; groups named `role`
    and `group` may say these too."""

    metadata: bool = True
    """Whether metadata.csv, metadata.jsonl or metadata.parquet beside the photos, as Hugging Face has them (a column
    file_name and one of labels), counts as a table where neither `table` nor `pattern` is given."""

    corrections: str | None = None
    """A table of corrections, with the columns path and label or action: another label relabels a photo, the action
    `drop` drops it. It lies where `table` may lie, and works with class folders too."""

    @field_validator("pattern")
    @classmethod
    def _names_a_label(cls, value: str | None) -> str | None:
        try:
            names = re.compile(value or "(?P<label>)").groupindex
        except re.error as error:
            raise ValueError(f"{value!r} is not a regular expression: {error}") from None
        if "label" not in names:
            raise ValueError(f"{value!r} has no group named label; write (?P<label>...) around the class")
        return value

    @model_validator(mode="after")
    def _of_one_kind(self) -> "Labels":
        if self.pattern is None:
            return self
        keys = ("table", "path", "label", "role", "group", "delimiter", "separator", "columns")
        others = [key for key in keys if getattr(self, key)]
        if others or self.suffix:
            named = others[0] if others else "suffix"
            raise ValueError(f"`pattern` and `{named}` do not go together: a pattern takes all it says from the path")
        return self

    @model_validator(mode="after")
    def _several_in_one_way(self) -> "Labels":
        others = [key for key in ("label", "separator") if getattr(self, key)]
        if self.columns and others:
            raise ValueError(f"`columns` and `{others[0]}` do not go together: labels stand in one column, or in many")
        return self

    @property
    def several(self) -> bool:
        """Return whether a photo may have several labels, or none.

        >>> Labels(table="labels.csv").several, Labels(table="labels.csv", separator=";").several
        (False, True)
        """
        return self.separator is not None or self.columns is not None


class Source(Settings):
    """Where photos come from: exactly one of kaggle, url, archive, folder and sample."""

    kaggle: str | None = None
    """A Kaggle dataset as owner/slug, or owner/slug/VERSION to pin a version."""

    url: str | None = None
    """The http or https address of a zip or tar archive. Keys and signatures stay out of the configuration, and so out
    of every record and log: `https://host/photos.zip?${MY_QUERY}` takes that part from the environment at the
    download."""

    archive: str | None = None
    """The path of a zip or tar archive on this machine."""

    folder: str | None = None
    """The path of a folder of photos on this machine; it is read in place and never changed."""

    sample: Sample | None = None
    """Photos that Graft draws itself: `scenes`, or {name: scenes, seed: 0, train: 36, val: 10}."""

    labels: Labels | None = None
    """What names the class of each photo: the name of a table, or {table: train.csv, label: breed}; null: its folder,
    or Hugging Face's metadata file."""

    @field_validator("sample", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @field_validator("labels", mode="before")
    @classmethod
    def _table(cls, value: Any) -> Any:
        return {"table": value} if isinstance(value, str) else value

    @field_validator("kaggle")
    @classmethod
    def _owner_and_slug(cls, value: str | None) -> str | None:
        if value is not None and not KAGGLE.fullmatch(value):
            raise ValueError(f"{value!r} is not owner/slug or owner/slug/VERSION, as in a dataset's address on Kaggle")
        return value

    @field_validator("url")
    @classmethod
    def _http(cls, value: str | None) -> str | None:
        if value is not None and not re.match(r"https?://[^/\s]", value):
            raise ValueError("it must start with http:// or https:// and name a host")
        if value is not None and "@" in value.split("/")[2]:
            raise ValueError("it holds a user name or password; secrets belong in ~/.netrc, never in a configuration")
        if value is not None and (secret := SECRET.search(value)):
            raise ValueError(
                f"its query has {secret[1]!r}, which looks like a secret; put the query into an environment variable "
                "and write ?${ITS_NAME} in its place"
            )
        return value

    @model_validator(mode="after")
    def _exactly_one(self) -> "Source":
        given = [key for key in KINDS if getattr(self, key) is not None]
        if len(given) != 1:
            came = f"it has {' and '.join(given)}" if given else "it has none"
            raise ValueError(f"give exactly one of kaggle, url, archive, folder, sample; {came}")
        return self

    @model_validator(mode="before")
    @classmethod
    def _contents_have_a_table(cls, values: Any) -> Any:
        sample = values.get("sample") if isinstance(values, dict) else None
        name = sample.get("name") if isinstance(sample, dict) else sample
        if name == "contents" and values.get("labels") is None:
            return {**values, "labels": CONTENTS}
        return values

    @property
    def several_labels(self) -> bool:
        """Return whether a photo may have several labels, or none."""
        return self.labels is not None and self.labels.several

    @property
    def kind(self) -> str:
        """Return the key that is given.

        >>> Source(folder="photos").kind
        'folder'
        """
        return next(key for key in KINDS if getattr(self, key) is not None)


class Limits(Settings):
    """What an archive and a picture may cost before they are refused."""

    files: int = Field(2_000_000, ge=1)
    """Members of an archive, nested archives included."""

    unpacked_gb: float = Field(1000.0, gt=0)
    """Gigabytes that an archive may unpack to."""

    ratio: float = Field(200.0, gt=1)
    """How many times larger than the archive its contents may be, beyond the first 100 MB of them; photos hardly
    compress, and a bomb does by a thousand times or more."""

    pixels: int = Field(178_956_970, ge=1)
    """Width x height of a picture; the default is where Pillow refuses."""

    file_mb: float = Field(500.0, gt=0)
    """Megabytes of one file."""


class Policy(Settings):
    """What to do with a kind of file: `drop` it, `keep` it with a warning, or stop with an `error`; gravest first."""

    undecodable: Refusal = "drop"
    """An image that cannot be decoded."""

    empty: Refusal = "drop"
    """A file of no bytes."""

    not_an_image: Refusal = "drop"
    """A file that is no image, such as a web page named .jpg."""

    too_large: Refusal = "drop"
    """An image beyond `limits`."""

    unlabelled: Refusal = "drop"
    """An image that lies in no class folder, whose row in the label table has no label, or that lacks a role (train,
    val, test) where others have one."""

    photo_without_row: Refusal = "drop"
    """An image that the label table does not name."""

    row_without_photo: Refusal = "drop"
    """A row of the label table, or of the corrections, whose photo is not there."""

    ambiguous_row: Refusal = "drop"
    """A row of the label table, or of the corrections, that names several photos."""

    conflicting_rows: Refusal = "drop"
    """A photo to which rows of the label table give different labels, roles or groups."""

    unsafe: Refusal = "drop"
    """A member of an archive that points outside it: `..`, an absolute name, a link, a device."""

    duplicate_name: Refusal = "drop"
    """A member of an archive whose name came before; the first one stays."""

    truncated: Action = "drop"
    """An image that ends too early; kept, its missing part is grey."""

    label_conflict: Action = "drop"
    """The same bytes in two classes; dropped from both, since nobody can tell which is right."""

    leak: Action = "drop"
    """In the archive's train folder and, the same or alike, in its val or test folder too; dropped from train."""

    blank: Action = "drop"
    """An image of which over `max_blank` is one grey level, such as an error page saved as a photo, in a set where
    such images are rare: at most one in a hundred."""

    too_small: Action = "drop"
    """An image with a side under `min_side` pixels."""

    exact_duplicate: Action = "keep"
    """The same bytes as another photo of its class and folder; dropped, the first one stays."""

    near_duplicate: Action = "keep"
    """Looks like another photo of its folder, or is an altered copy of it (mirrored, turned, cropped, inverted and the
    like); kept, the two share a group, which no split divides."""

    extreme_aspect: Action = "keep"
    """An image over `max_aspect` times longer than wide, or wider than long."""

    animated: Action = "keep"
    """An image of several frames or pages; kept, the one that `page` names counts."""

    misnamed: Action = "keep"
    """An image whose extension names another format; kept, its content counts."""

    rotated: Action = "keep"
    """An image that its EXIF orientation turns; kept, it is turned upright."""

    converted: Action = "keep"
    """An image that is not 8-bit RGB: palette, grey, transparent (laid on white), CMYK, deep (see `window`)."""


class Ingest(Settings):
    """How files become photos: what the audit drops, keeps or refuses."""

    policy: Policy = Policy()
    """What to do with each kind of faulty file."""

    limits: Limits = Limits()
    """What an archive and a picture may cost."""

    min_side: int = Field(16, ge=1)
    """Pixels; a shorter side is too small."""

    max_aspect: float = Field(10.0, gt=1)
    """Long side over short side; more is extreme."""

    max_blank: float = Field(0.9, gt=0, le=1)
    """The share of one grey level that an image may have; 1: any."""

    near_duplicate_distance: int = Field(10, ge=0, le=16)
    """Bits (of 64) in which the perceptual hashes of near duplicates may differ; 0: do not look for any, nor for
    altered copies (mirrored, turned, cropped, shifted, framed, captioned, inverted), which photos from 64 pixels on are
    searched for."""

    labels: Literal["auto", "first", "last"] = "auto"
    """Which folder names the class, where class folders hold folders: the first below train or val, or the last.
    auto: the last, unless photos lie at several depths or one name stands below two others (cats/2023, dogs/2023)."""


class Split(Settings):
    """Which photos train, validate and test."""

    method: Literal["auto", "folders", "stratified", "kfold", "file"] = "auto"
    """folders: the archive's own train, val and test folders. stratified: shares of every class. kfold: every photo
    validates once per repeat. file: a table of yours. auto: folders if the archive has them, else stratified."""

    val: float = Field(0.2, gt=0, lt=1)
    """The share of photos that validate (stratified; folders where only train and test are given)."""

    test: float = Field(0.0, ge=0, lt=1)
    """The share of photos held out for the test (stratified, kfold)."""

    inner: float = Field(0.2, gt=0, lt=1)
    """The share of each fold's training photos that choose, and so do not train, in recipes that choose anything, where
    no test photos judge (`selection.on`). A class keeps at least two photos, and half of its own, to train on."""

    k: int = Field(5, ge=2, le=100)
    """Folds (kfold)."""

    repeats: int = Field(1, ge=1, le=100)
    """How often the k folds are drawn anew (kfold)."""

    group_by: str | None = None
    """A regular expression on the path; photos with the same match (its first group, if any) share a role: a patient,
    a scene, a day."""

    seed: int = Field(0, ge=0, lt=2**31)
    """All that is random in the split comes from it."""

    file: str | None = None
    """The path of a table with the columns path and role, for several folds fold, and perhaps label, which is then
    compared (file)."""

    folds: int = Field(1, ge=1, le=10_000)
    """How many folds the table has, numbered from 0 (file)."""

    @field_validator("group_by")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError(f"{value!r} is not a regular expression: {error}") from None
        return value

    @model_validator(mode="after")
    def _fits(self) -> "Split":
        if (self.method == "file") != (self.file is not None):
            raise ValueError("`method: file` and `file: PATH` go together")
        if self.method != "kfold" and Fraction(str(self.val)) + Fraction(str(self.test)) >= 1:
            raise ValueError(f"val {self.val:g} and test {self.test:g} leave nothing to train on")
        return self

    @property
    def n_folds(self) -> int:
        """Return the number of folds, known before any photo is read.

        >>> Split(method="kfold", k=5, repeats=2).n_folds
        10
        """
        if self.method == "kfold":
            return self.k * self.repeats
        return self.folds if self.method == "file" else 1


class Pictures(Settings):
    """How a picture becomes the square of 8-bit RGB pixels that a network sees; the model file remembers it."""

    fit: Literal["squash", "pad", "crop"] = "squash"
    """What becomes of a photo that is no square. squash: it is squeezed. pad: it is shrunk whole, and the rest is
    black. crop: the middle counts, as far as the shorter side goes."""

    window: Window = "full"
    """Which values of a deep grey picture (more than 8 bits, or fractions) are black and white; pictures of 8 bits stay
    as they are. full: what the file names (DICOM's window, TIFF's MaxSampleValue), else all that its depth holds.
    percentile: each picture's own darkest and brightest, but for 0.5% at either end. [low, high]: these values, such
    as [-160, 240] of a CT in Hounsfield units."""

    page: int = Field(1, ge=1)
    """Which page of a TIFF stack, or frame of an animation or a DICOM series, counts. A file without it is dropped."""

    @field_validator("window", mode="before")
    @classmethod
    def _known_or_two_values(cls, value: Any) -> Any:
        if value in ("full", "percentile"):
            return value
        numbers = isinstance(value, list | tuple) and all(isinstance(one, int | float) for one in value)
        if not numbers or len(value) != 2 or not -math.inf < value[0] < value[1] < math.inf:
            raise ValueError(f"{value!r} is none of full, percentile and [low, high], two numbers of which low is less")
        return float(value[0]), float(value[1])


SQUASHED = Pictures()  # how photos become squares unless a dataset says otherwise


class Dataset(Pictures):
    """A photo set."""

    source: Source
    """Where the photos come from."""

    ingest: Ingest = Ingest()
    """What the audit does with faulty files."""

    split: Split = Split()
    """Which photos train, validate and test."""

    @property
    def pictures(self) -> Pictures:
        """Return how its photos become squares."""
        return Pictures(fit=self.fit, window=self.window, page=self.page)
